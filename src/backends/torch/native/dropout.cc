// Dropout whose mask is a function of a key and the element's index, so that every backend drops the same elements.
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "elements.h"

namespace {

using namespace elements;

template <typename T>
IN_LOOP void drop(const T* x, T* y, uint32_t from, uint32_t to, Dropout dropout) {
#pragma omp simd
  for (uint32_t i = from; i < to; i++) store(y + i, load(x + i) * dropout(i));
}

EVERY_VECTOR_WIDTH void drop_rows(const float* x, float* y, uint32_t from, uint32_t to, Dropout dropout) { drop(x, y, from, to, dropout); }
EVERY_VECTOR_WIDTH void drop_rows(const Bfloat16* x, Bfloat16* y, uint32_t from, uint32_t to, Dropout dropout) { drop(x, y, from, to, dropout); }

at::Tensor dropout(const at::Tensor& input, double rate, int64_t key) {
  TORCH_CHECK(input.numel() <= INT32_MAX, "dropout counts elements in 32 bits; ", input.numel(), " are too many");
  const Dropout choice(rate, key);
  const at::Tensor x = input.contiguous();
  at::Tensor y = at::empty_like(x);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    at::parallel_for(0, x.numel(), 1 << 15, [&](int64_t from, int64_t to) { drop_rows(data<T>(x), data<T>(y), static_cast<uint32_t>(from), static_cast<uint32_t>(to), choice); });
  });
  return y;
}

}  // namespace

TORCH_LIBRARY(run_pipeline, library) { library.def("dropout(Tensor x, float rate, int key) -> Tensor"); }
TORCH_LIBRARY_IMPL(run_pipeline, CPU, library) { library.impl("dropout", &dropout); }
