// Dropout whose mask is a function of a key and the element's index: the only operator that ATen lacks. The numbers are
// those of draw32 in src/ops/random.ts, so every backend drops the same elements.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <cmath>
#include <cstring>

// The loop vectorises well, and gains most from the widest vectors that the machine has.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define EVERY_VECTOR_WIDTH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_VECTOR_WIDTH
#endif

namespace {

inline uint32_t mix32(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x21f0aaadu;
  x = (x ^ (x >> 15)) * 0xd35a2d97u;
  return x ^ (x >> 15);
}

inline float to_float(float value) { return value; }
inline float to_float(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}
inline void store(float* at, float value) { *at = value; }
/** bfloat16, rounded to nearest even. */
inline void store(uint16_t* at, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  *at = value != value ? 0x7fc0 : static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <typename T>
inline void drop(const T* x, T* y, uint32_t from, uint32_t to, uint32_t key, uint32_t threshold, float scale) {
  for (uint32_t i = from; i < to; i++) {
    const bool kept = (mix32((i * 0x9e3779b1u) ^ key) >> 1) >= threshold;
    store(y + i, kept ? to_float(x[i]) * scale : 0.0f);
  }
}

EVERY_VECTOR_WIDTH void drop_float(const float* x, float* y, uint32_t from, uint32_t to, uint32_t key, uint32_t threshold, float scale) { drop(x, y, from, to, key, threshold, scale); }
EVERY_VECTOR_WIDTH void drop_bfloat16(const uint16_t* x, uint16_t* y, uint32_t from, uint32_t to, uint32_t key, uint32_t threshold, float scale) { drop(x, y, from, to, key, threshold, scale); }

at::Tensor dropout(const at::Tensor& input, double rate, int64_t key) {
  TORCH_CHECK(rate >= 0 && rate < 1, "a dropout rate is at least 0 and less than 1, not ", rate);
  TORCH_CHECK(input.numel() <= INT32_MAX, "dropout counts elements in 32 bits; ", input.numel(), " are too many");
  TORCH_CHECK(input.scalar_type() == at::kFloat || input.scalar_type() == at::kBFloat16, "dropout takes float32 and bfloat16, not ", input.scalar_type());
  const at::Tensor x = input.contiguous();
  at::Tensor y = at::empty_like(x);
  const auto threshold = static_cast<uint32_t>(std::floor(rate * 2147483648.0 + 0.5));
  const auto scale = static_cast<float>(1.0 / (1.0 - rate));
  at::parallel_for(0, x.numel(), 1 << 15, [&](int64_t from, int64_t to) {
    const auto first = static_cast<uint32_t>(from), last = static_cast<uint32_t>(to), seed = static_cast<uint32_t>(key);
    if (x.scalar_type() == at::kFloat) drop_float(x.data_ptr<float>(), y.data_ptr<float>(), first, last, seed, threshold, scale);
    else drop_bfloat16(static_cast<const uint16_t*>(x.data_ptr()), static_cast<uint16_t*>(y.data_ptr()), first, last, seed, threshold, scale);
  });
  return y;
}

}  // namespace

TORCH_LIBRARY(run_pipeline, library) { library.def("dropout(Tensor x, float rate, int key) -> Tensor"); }
TORCH_LIBRARY_IMPL(run_pipeline, CPU, library) { library.impl("dropout", &dropout); }
