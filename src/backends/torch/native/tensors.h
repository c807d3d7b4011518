// The handle table: JavaScript knows a tensor by a number, and frees it by that number.
#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <napi.h>
#include <optional>
#include <vector>

namespace bridge {

/** Owns one reference per handle. Numbers are reused after `free`; 0 is never one. */
class TensorTable {
 public:
  uint32_t add(at::Tensor tensor);
  /** Throws std::invalid_argument on a number that is no live handle. */
  const at::Tensor& get(uint32_t handle) const;
  bool has(uint32_t handle) const { return handle < slots_.size() && slots_[handle].defined(); }
  void free(uint32_t handle);
  size_t size() const { return slots_.size() - free_.size() - 1; }

 private:
  std::vector<at::Tensor> slots_{at::Tensor()};
  std::vector<uint32_t> free_;
};

/** Copy a typed array to a new tensor on `device`, without waiting for what a GPU has to do first; its type decides the dtype, `Uint8Array` being bool. */
at::Tensor from_host(const Napi::TypedArray& values, const std::vector<int64_t>& shape, c10::Device device);

/** A tensor's values on their way from a GPU to the host, behind what was queued before and ahead of what is queued after. */
class Reading {
 public:
  explicit Reading(const at::Tensor& tensor);
  /** The values on the host, once they are there. */
  const at::Tensor& wait() const;

 private:
  at::Tensor host_;
  c10::Event arrived_;
};

/** Copy a tensor to a new typed array, once it is computed: floating point as Float32Array, integers as Int32Array, bool as Uint8Array. */
Napi::Value to_host(Napi::Env env, const at::Tensor& tensor);

}  // namespace bridge
