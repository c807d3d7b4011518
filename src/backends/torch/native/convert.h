// JavaScript values to and from the dispatcher's, as an operator's schema asks.
#pragma once
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <napi.h>
#include "tensors.h"

namespace bridge {

/**
 * An argument of the given schema type. Tensors are handles, `null` is none (an undefined tensor where one must be), a list may be one value, a device is its
 * name, and a generator is the number that seeds it, on `device`: randomness has no other state.
 */
c10::IValue to_ivalue(const Napi::Value& value, const c10::TypePtr& type, const TensorTable& tensors, c10::Device device);

/** A result: new handles for tensors (`null` for an undefined one), arrays for lists, numbers for scalars. */
Napi::Value to_js(Napi::Env env, const c10::IValue& value, TensorTable& tensors);

}  // namespace bridge
