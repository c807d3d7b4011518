// libtorch for JavaScript: tensors by handle, and every ATen operator by its name through the dispatcher.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <napi.h>
#include <torch/version.h>

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "convert.h"
#include "cuda-kernels.h"
#include "tensors.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bridge {

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
#ifdef __GLIBC__
    // A training step frees and asks again for the same large blocks: giving them back to the kernel in between costs a
    // page fault for every 4 KiB of them, in every step.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
#endif
#ifdef RUN_PIPELINE_CUDA
    // cuBLAS gives the same bits each time only with a workspace of fixed size.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
#endif
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
    DefineAddon(exports, {
      InstanceMethod("op", &Addon::op), InstanceMethod("call", &Addon::call),
      InstanceMethod("fromHost", &Addon::from_host), InstanceMethod("toHost", &Addon::to_host), InstanceMethod("startReading", &Addon::start_reading),
      InstanceMethod("free", &Addon::free), InstanceMethod("info", &Addon::describe_tensor),
      InstanceMethod("count", &Addon::count), InstanceMethod("setThreads", &Addon::set_threads),
      InstanceMethod("hasGpu", &Addon::has_gpu), InstanceMethod("seed", &Addon::seed),
      InstanceMethod("compileKernels", &Addon::compile_kernels), InstanceMethod("launch", &Addon::launch),
      InstanceMethod("strict", &Addon::strict),
      InstanceValue("version", Napi::String::New(env, TORCH_VERSION)),
    });
  }

 private:
  TensorTable tensors_;
  std::vector<c10::OperatorHandle> ops_;
  std::unique_ptr<CudaKernels> kernels_;
  std::unordered_map<uint32_t, Reading> readings_;

  /** op(name, overload): its number for `call`, or -1 when this libtorch has no such operator. */
  Napi::Value op(const Napi::CallbackInfo& info) {
    const std::string name = info[0].ToString();
    const std::string overload = info[1].ToString();
    const auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!found.has_value()) return Napi::Number::New(info.Env(), -1);
    ops_.push_back(*found);
    return Napi::Number::New(info.Env(), static_cast<double>(ops_.size() - 1));
  }

  /** call(op, ...arguments): one result, or an array of them. Arguments left out take the schema's defaults. */
  Napi::Value call(const Napi::CallbackInfo& info) {
    const uint32_t index = info[0].As<Napi::Number>().Uint32Value();
    if (index >= ops_.size()) throw Napi::TypeError::New(info.Env(), "call: no such operator");
    const c10::OperatorHandle& op = ops_[index];
    return guarded(info, [&] { return describe(info, op.schema()); }, [&] {
      const auto& arguments = op.schema().arguments();
      if (info.Length() - 1 > arguments.size()) throw std::invalid_argument("too many arguments");
      torch::jit::Stack stack;
      stack.reserve(arguments.size());
      c10::Device device(c10::kCPU);  // of the tensors so far
      for (size_t i = 0; i < arguments.size(); i++) {
        const Napi::Value value = info[i + 1];
        if (!value.IsUndefined()) stack.push_back(to_ivalue(value, arguments[i].type(), tensors_, device));
        else if (arguments[i].default_value().has_value()) stack.push_back(*arguments[i].default_value());
        else throw std::invalid_argument("argument '" + arguments[i].name() + "' is missing");
        if (stack.back().isTensor() && stack.back().toTensor().defined()) device = stack.back().toTensor().device();
      }
      const c10::InferenceMode no_autograd;
      op.callBoxed(stack);
      if (stack.size() == 1) return to_js(info.Env(), stack[0], tensors_);
      auto results = Napi::Array::New(info.Env(), stack.size());
      for (uint32_t i = 0; i < stack.size(); i++) results.Set(i, to_js(info.Env(), stack[i], tensors_));
      return static_cast<Napi::Value>(results);
    });
  }

  /** fromHost(typedArray, shape, device) */
  Napi::Value from_host(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "fromHost"; }, [&] {
      const auto sizes = info[1].As<Napi::Array>();
      std::vector<int64_t> shape(sizes.Length());
      for (uint32_t i = 0; i < shape.size(); i++) shape[i] = Napi::Value(sizes[i]).As<Napi::Number>().Int64Value();
      const c10::InferenceMode no_autograd;
      const c10::Device device(info[2].ToString().Utf8Value());
      return static_cast<Napi::Value>(Napi::Number::New(info.Env(), tensors_.add(bridge::from_host(info[0].As<Napi::TypedArray>(), shape, device))));
    });
  }

  Napi::Value to_host(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "toHost"; }, [&] {
      const c10::InferenceMode no_autograd;
      const auto reading = readings_.find(info[0].As<Napi::Number>().Uint32Value());
      return bridge::to_host(info.Env(), reading == readings_.end() ? tensor(info[0]) : reading->second.wait());
    });
  }

  /** startReading(tensor): `toHost` will wait for what is queued now, not for what is queued until then. Not for tensors that change in place. */
  Napi::Value start_reading(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "startReading"; }, [&] {
      const c10::InferenceMode no_autograd;
      if (tensor(info[0]).is_cuda()) readings_.try_emplace(info[0].As<Napi::Number>().Uint32Value(), tensor(info[0]));
      return info.Env().Undefined();
    });
  }

  Napi::Value free(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "free"; }, [&] {
      const uint32_t handle = info[0].As<Napi::Number>().Uint32Value();
      tensors_.free(handle);
      readings_.erase(handle);
      return info.Env().Undefined();
    });
  }

  /** [c10::ScalarType, ...shape] */
  Napi::Value describe_tensor(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "info"; }, [&] {
      const at::Tensor& value = tensor(info[0]);
      auto out = Napi::Array::New(info.Env(), value.dim() + 1);
      out.Set(0u, Napi::Number::New(info.Env(), static_cast<int>(value.scalar_type())));
      for (int64_t i = 0; i < value.dim(); i++) out.Set(static_cast<uint32_t>(i + 1), Napi::Number::New(info.Env(), static_cast<double>(value.size(i))));
      return static_cast<Napi::Value>(out);
    });
  }

  Napi::Value count(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(tensors_.size())); }

  Napi::Value set_threads(const Napi::CallbackInfo& info) {
    at::set_num_threads(info[0].As<Napi::Number>().Int32Value());
    return info.Env().Undefined();
  }

  Napi::Value has_gpu(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "hasGpu"; }, [&] {
      const bool found = at::hasCUDA();
      // The first tensor there makes libtorch's context, which pinned memory and kernels of our own need.
      if (found) at::empty({1}, at::TensorOptions().device(at::kCUDA));
      return static_cast<Napi::Value>(Napi::Boolean::New(info.Env(), found));
    });
  }

  /** seed(number, device): start anew the generator that operators without one of their own draw from. */
  Napi::Value seed(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "seed"; }, [&] {
      at::Generator generator = at::globalContext().defaultGenerator(c10::Device(info[1].ToString().Utf8Value()));
      const std::lock_guard<std::mutex> lock(generator.mutex());
      generator.set_current_seed(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()));
      return info.Env().Undefined();
    });
  }

  /** strict(on): operators whose default may give other bits each time take the way that does not, or else fail; off, they warn. */
  Napi::Value strict(const Napi::CallbackInfo& info) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/!info[0].ToBoolean().Value());
    return info.Env().Undefined();
  }

  /** compileKernels(library, source): the GPU's compute capability, times ten. */
  Napi::Value compile_kernels(const Napi::CallbackInfo& info) {
    return guarded(info, [] { return "compileKernels"; }, [&] {
      kernels_ = std::make_unique<CudaKernels>(info[0].ToString(), info[1].ToString());
      return static_cast<Napi::Value>(Napi::Number::New(info.Env(), kernels_->capability()));
    });
  }

  /** launch(name, grid, block, types, ...arguments), one letter a type: a tensor `p`, an integer `i`, a real `f`. */
  Napi::Value launch(const Napi::CallbackInfo& info) {
    const std::string name = info[0].ToString(), types = info[3].ToString();
    return guarded(info, [&] { return name; }, [&] {
      if (kernels_ == nullptr || info.Length() != 4 + types.size()) throw std::invalid_argument("no kernels are compiled, or not as many arguments given as types");
      std::vector<KernelArgument> arguments(types.size());
      // Kernels walk memory, whatever the strides say. A copy may go as soon as the kernel is queued: its memory is used again behind it.
      std::vector<at::Tensor> tensors;
      for (size_t i = 0; i < types.size(); i++) {
        const Napi::Value value = info[4 + i];
        if (types[i] == 'p') arguments[i].pointer = tensors.emplace_back(tensor(value).contiguous()).data_ptr();
        else if (types[i] == 'i') arguments[i].integer = value.As<Napi::Number>().Int32Value();
        else arguments[i].real = value.As<Napi::Number>().FloatValue();
      }
      const auto pair = [](const Napi::Value& value, unsigned (&into)[2]) {
        const auto array = value.As<Napi::Array>();
        for (uint32_t i = 0; i < 2; i++) into[i] = Napi::Value(array[i]).As<Napi::Number>().Uint32Value();
      };
      unsigned grid[2], block[2];
      pair(info[1], grid);
      pair(info[2], block);
      kernels_->launch(name, grid, block, arguments);
      return info.Env().Undefined();
    });
  }

  const at::Tensor& tensor(const Napi::Value& handle) const { return tensors_.get(handle.As<Napi::Number>().Uint32Value()); }

  /** An operator's call as `aten::mm(float[2, 3], float[4, 5])`: its name with the tensors among its arguments. */
  std::string describe(const Napi::CallbackInfo& info, const c10::FunctionSchema& schema) const {
    std::ostringstream text;
    text << schema.name() << '(';
    const char* separator = "";
    for (size_t i = 0; i < schema.arguments().size() && i + 1 < info.Length(); i++) {
      const auto type = schema.arguments()[i].type();
      const bool is_tensor = type->kind() == c10::TypeKind::TensorType || *type == *c10::OptionalType::ofTensor();
      if (!is_tensor || !info[i + 1].IsNumber()) continue;
      const uint32_t handle = info[i + 1].As<Napi::Number>().Uint32Value();
      text << separator;
      if (tensors_.has(handle)) text << tensors_.get(handle).scalar_type() << tensors_.get(handle).sizes();
      else text << "disposed tensor";
      separator = ", ";
    }
    text << ')';
    return text.str();
  }

  /** Run `work`; what it throws becomes a JavaScript error that begins with what `name` says was being done. */
  template <typename Name, typename Work>
  Napi::Value guarded(const Napi::CallbackInfo& info, Name name, Work work) {
    std::string message;
    try {
      return work();
    } catch (const Napi::Error&) {
      throw;
    } catch (const c10::Error& error) {
      message = error.what_without_backtrace();
    } catch (const std::exception& error) {
      message = error.what();
    }
    throw Napi::Error::New(info.Env(), std::string(name()) + ": " + message);
  }
};

}  // namespace bridge

using TorchAddon = bridge::Addon;
NODE_API_NAMED_ADDON(run_pipeline_torch, TorchAddon)
