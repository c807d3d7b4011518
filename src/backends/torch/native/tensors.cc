#include "tensors.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <cstring>
#include <stdexcept>
#include <string>

namespace bridge {

uint32_t TensorTable::add(at::Tensor tensor) {
  if (free_.empty()) {
    slots_.push_back(std::move(tensor));
    return static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t handle = free_.back();
  free_.pop_back();
  slots_[handle] = std::move(tensor);
  return handle;
}

const at::Tensor& TensorTable::get(uint32_t handle) const {
  if (!has(handle)) throw std::invalid_argument("there is no tensor " + std::to_string(handle) + ": it was disposed of or never made");
  return slots_[handle];
}

void TensorTable::free(uint32_t handle) {
  get(handle);
  slots_[handle].reset();
  free_.push_back(handle);
}

namespace {

constexpr size_t most_pinned = 16 << 20;

at::ScalarType scalar_type(const Napi::TypedArray& values) {
  switch (values.TypedArrayType()) {
    case napi_float32_array: return at::kFloat;
    case napi_int32_array: return at::kInt;
    case napi_uint8_array: return at::kBool;
    default: throw std::invalid_argument("tensors are made from Float32Array, Int32Array or Uint8Array");
  }
}

template <typename Array>
Napi::Value copy_out(Napi::Env env, const at::Tensor& tensor) {
  Array values = Array::New(env, static_cast<size_t>(tensor.numel()));
  if (tensor.numel() > 0) std::memcpy(values.Data(), tensor.data_ptr(), tensor.nbytes());
  return values;
}

}  // namespace

at::Tensor from_host(const Napi::TypedArray& values, const std::vector<int64_t>& shape, c10::Device device) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  if (count != static_cast<int64_t>(values.ElementLength())) throw std::invalid_argument(std::to_string(values.ElementLength()) + " values do not fill a shape of " + std::to_string(count));
  const auto options = at::TensorOptions().dtype(scalar_type(values));
  // From pinned memory a GPU takes its copy when its queue comes to it, and libtorch's allocator gives that memory out again
  // only then; from any other, this thread would wait for all that is queued. Weights, which come once, would hold too much.
  const bool pinned = device.is_cuda() && values.ByteLength() <= most_pinned;
  at::Tensor tensor = at::empty(shape, options.pinned_memory(pinned));
  const auto* bytes = static_cast<const uint8_t*>(values.ArrayBuffer().Data()) + values.ByteOffset();
  if (count > 0) std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
  return device.is_cpu() ? tensor : tensor.to(options.device(device), /*non_blocking=*/pinned);
}

Reading::Reading(const at::Tensor& tensor) : host_(at::empty(tensor.sizes(), tensor.options().device(at::kCPU).pinned_memory(true))), arrived_(tensor.device().type()) {
  host_.copy_(tensor, /*non_blocking=*/true);
  arrived_.record(c10::impl::VirtualGuardImpl(tensor.device().type()).getStream(tensor.device()));
}

const at::Tensor& Reading::wait() const {
  arrived_.synchronize();
  return host_;
}

Napi::Value to_host(Napi::Env env, const at::Tensor& tensor) {
  const at::ScalarType target = tensor.is_floating_point() ? at::kFloat : tensor.scalar_type() == at::kBool ? at::kBool : at::kInt;
  const at::Tensor host = tensor.to(at::kCPU, target).contiguous();
  if (target == at::kFloat) return copy_out<Napi::Float32Array>(env, host);
  if (target == at::kInt) return copy_out<Napi::Int32Array>(env, host);
  return copy_out<Napi::Uint8Array>(env, host);
}

}  // namespace bridge
