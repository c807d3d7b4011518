#include "convert.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <cmath>
#include <stdexcept>
#include <string>
#ifdef RUN_PIPELINE_CUDA
#include <ATen/cuda/CUDAGeneratorImpl.h>
#endif

namespace bridge {
namespace {

int64_t integer(const Napi::Value& value) {
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value() ? 1 : 0;
  if (!value.IsNumber()) throw std::invalid_argument("expected an integer");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (number != std::floor(number)) throw std::invalid_argument("expected an integer, not " + std::to_string(number));
  return static_cast<int64_t>(number);
}

double real(const Napi::Value& value) {
  if (!value.IsNumber()) throw std::invalid_argument("expected a number");
  return value.As<Napi::Number>().DoubleValue();
}

at::Scalar scalar(const Napi::Value& value) {
  if (value.IsBoolean()) return at::Scalar(value.As<Napi::Boolean>().Value());
  const double number = real(value);
  const bool whole = number == std::floor(number) && std::fabs(number) < 9007199254740992.0;
  return whole ? at::Scalar(static_cast<int64_t>(number)) : at::Scalar(number);
}

at::Tensor tensor(const Napi::Value& value, const TensorTable& tensors) {
  if (!value.IsNumber()) throw std::invalid_argument("expected a tensor's handle");
  return tensors.get(value.As<Napi::Number>().Uint32Value());
}

at::Generator generator(const Napi::Value& value, c10::Device device) {
  const auto seed = static_cast<uint64_t>(real(value));
#ifdef RUN_PIPELINE_CUDA
  if (device.is_cuda()) {
    auto made = at::make_generator<at::CUDAGeneratorImpl>(device.index());
    made.set_current_seed(seed);
    return made;
  }
#endif
  if (!device.is_cpu()) throw std::invalid_argument("no generator for " + device.str());
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

template <typename T, typename Convert>
c10::List<T> list(const Napi::Value& value, Convert convert) {
  c10::List<T> out;
  if (!value.IsArray()) {
    out.push_back(convert(value));
    return out;
  }
  const auto array = value.As<Napi::Array>();
  out.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) out.push_back(convert(array.Get(i)));
  return out;
}

c10::IValue to_list(const Napi::Value& value, const c10::TypePtr& element, const TensorTable& tensors) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType:
      return list<at::Tensor>(value, [&](const Napi::Value& item) { return tensor(item, tensors); });
    case c10::TypeKind::OptionalType:
      return list<std::optional<at::Tensor>>(value, [&](const Napi::Value& item) { return item.IsNull() ? std::nullopt : std::make_optional(tensor(item, tensors)); });
    case c10::TypeKind::FloatType: return list<double>(value, real);
    case c10::TypeKind::BoolType: return list<bool>(value, [](const Napi::Value& item) { return integer(item) != 0; });
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return list<int64_t>(value, integer);
    default: throw std::invalid_argument("no JavaScript value makes a list of " + element->str());
  }
}

}  // namespace

c10::IValue to_ivalue(const Napi::Value& value, const c10::TypePtr& type, const TensorTable& tensors, c10::Device device) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return value.IsNull() ? at::Tensor() : tensor(value, tensors);
    case c10::TypeKind::OptionalType:
      if (value.IsNull() || value.IsUndefined()) return c10::IValue();
      return to_ivalue(value, type->castRaw<c10::OptionalType>()->getElementType(), tensors, device);
    case c10::TypeKind::ListType: return to_list(value, type->castRaw<c10::ListType>()->getElementType(), tensors);
    case c10::TypeKind::NumberType: return scalar(value);
    case c10::TypeKind::FloatType: return real(value);
    case c10::TypeKind::BoolType: return integer(value) != 0;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
    case c10::TypeKind::ScalarTypeType:
    case c10::TypeKind::LayoutType:
    case c10::TypeKind::MemoryFormatType: return integer(value);
    case c10::TypeKind::StringType: return value.ToString().Utf8Value();
    case c10::TypeKind::DeviceObjType: return c10::Device(value.ToString().Utf8Value());
    case c10::TypeKind::GeneratorType: return generator(value, device);
    default: throw std::invalid_argument("no JavaScript value makes a " + type->str());
  }
}

Napi::Value to_js(Napi::Env env, const c10::IValue& value, TensorTable& tensors) {
  if (value.isTensor()) {
    if (!value.toTensor().defined()) return env.Null();
    return Napi::Number::New(env, tensors.add(value.toTensor()));
  }
  if (value.isList()) {
    const auto items = value.toListRef();
    auto array = Napi::Array::New(env, items.size());
    for (uint32_t i = 0; i < items.size(); i++) array.Set(i, to_js(env, items[i], tensors));
    return array;
  }
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isScalar()) return Napi::Number::New(env, value.toScalar().toDouble());
  if (value.isNone()) return env.Null();
  throw std::invalid_argument("no JavaScript value for a " + value.tagKind());
}

}  // namespace bridge
