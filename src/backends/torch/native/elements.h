// What the loops over elements share: bfloat16, the keyed random numbers of dropout, an exponential that vectorises.
#pragma once
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

// The loops vectorise well, and gain most from the widest vectors that the machine has.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__)
#define EVERY_VECTOR_WIDTH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_VECTOR_WIDTH
#endif

// What such a loop calls, so that it is compiled for each width too.
#define IN_LOOP inline __attribute__((always_inline))

namespace elements {

/** A bfloat16, by its bits. */
enum class Bfloat16 : uint16_t {};

IN_LOOP float load(const float* at) { return *at; }
IN_LOOP float load(const Bfloat16* at) {
  const uint32_t wide = static_cast<uint32_t>(*at) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

IN_LOOP void store(float* at, float value) { *at = value; }
/** Rounded to nearest even. */
IN_LOOP void store(Bfloat16* at, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  *at = static_cast<Bfloat16>(value != value ? 0x7fc0u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/** Dropout's choice for each index: what an element is multiplied by, 0 or 1/(1-rate). The numbers are draw32's in src/ops/random.ts. */
struct Dropout {
  uint32_t key, threshold;
  float scale;

  Dropout(double rate, int64_t key) : key(static_cast<uint32_t>(key)), threshold(static_cast<uint32_t>(std::floor(rate * 2147483648.0 + 0.5))), scale(static_cast<float>(1.0 / (1.0 - rate))) {
    TORCH_CHECK(rate >= 0 && rate < 1, "a dropout rate is at least 0 and less than 1, not ", rate);
  }

  IN_LOOP float operator()(uint32_t index) const { return (mix32((index * 0x9e3779b1u) ^ key) >> 1) >= threshold ? scale : 0.0f; }

  static IN_LOOP uint32_t mix32(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x21f0aaadu;
    x = (x ^ (x >> 15)) * 0xd35a2d97u;
    return x ^ (x >> 15);
  }
};

/** e^x for x ≤ 0, within two units of float's last place; 0 where float has no more than a slow subnormal number for it. */
IN_LOOP float exp_negative(float exponent) {
  const float x = exponent < -87.0f ? -87.0f : exponent;
  const float k = (x * 1.44269504f + 12582912.0f) - 12582912.0f;  // to the nearest integer
  const float r = (x - k * 0.693145752f) - k * 1.42860677e-6f;    // ln 2 in two parts
  const float power = 1.0f + r * (1.0f + r * (0.5f + r * (0.166666667f + r * (0.0416666667f + r * (0.00833333333f + r * 0.00138888889f)))));
  const int32_t bits = (static_cast<int32_t>(k) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return exponent < -87.0f ? 0.0f : power * scale;
}

/** Run `work(zero)` with a zero of the type that activations are held in: float or Bfloat16. */
template <typename Work>
void by_type(const at::Tensor& x, Work work) {
  if (x.scalar_type() == at::kFloat) work(float());
  else if (x.scalar_type() == at::kBFloat16) work(Bfloat16());
  else TORCH_CHECK(false, "activations are float32 or bfloat16, not ", x.scalar_type());
}

template <typename T>
T* data(const at::Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

/**
 * Sums over the rows of a matrix for several quantities at once, in parallel. `work(first, last, sums)` adds rows
 * first…last to `sums`, `count` times `width` floats. Rows are summed in small blocks, then blocks, then threads, in an order that
 * depends on the number of threads alone.
 */
template <typename Work>
std::vector<float> column_sums(int64_t rows, int64_t count, int64_t width, Work work) {
  const int64_t shares = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), rows / 16)), block = 128, size = count * width;
  std::vector<float> totals(shares * size, 0.0f);
  at::parallel_for(0, shares, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> sums(size);
    for (int64_t share = begin; share < end; share++) {
      const int64_t stop = rows * (share + 1) / shares;
      for (int64_t first = rows * share / shares; first < stop; first += block) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        work(first, std::min(first + block, stop), sums.data());
        for (int64_t i = 0; i < size; i++) totals[share * size + i] += sums[i];
      }
    }
  });
  for (int64_t share = 1; share < shares; share++)
    for (int64_t i = 0; i < size; i++) totals[i] += totals[share * size + i];
  totals.resize(size);
  return totals;
}

}  // namespace elements
