// GELU of a dense layer's product and bias: erf and its gradient in one pass each, the bias's gradient with it.
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "elements.h"

namespace {

using namespace elements;

/** 1 - Φ(|x|) of the normal distribution by Abramowitz and Stegun 7.1.26, |error| ≤ 7.5e-8, and e^(-x²/2). */
struct Tail {
  float beyond, gauss;
  IN_LOOP explicit Tail(float x) {
    const float z = std::fabs(x) * 0.707106781f;
    const float t = 1.0f / (1.0f + 0.3275911f * z);
    gauss = exp_negative(-z * z);
    beyond = 0.5f * ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * gauss;
  }
  IN_LOOP float cdf(float x) const { return x > 0 ? 1.0f - beyond : beyond; }
};

template <typename T>
IN_LOOP void forward(const T* x, const float* bias, T* y, int64_t rows, int width) {
  for (int64_t row = 0; row < rows; row++, x += width, y += width) {
#pragma omp simd
    for (int i = 0; i < width; i++) {
      const float value = load(x + i) + bias[i];
      store(y + i, value * Tail(value).cdf(value));
    }
  }
}

template <typename T>
IN_LOOP void backward(const T* dy, const T* x, const float* bias, T* dx, float* sums, int64_t rows, int width) {
  for (int64_t row = 0; row < rows; row++, dy += width, x += width, dx += width) {
#pragma omp simd
    for (int i = 0; i < width; i++) {
      const float value = load(x + i) + bias[i];
      const Tail tail(value);
      const float slope = load(dy + i) * (tail.cdf(value) + value * 0.398942280f * tail.gauss);
      store(dx + i, slope);
      sums[i] += slope;
    }
  }
}

EVERY_VECTOR_WIDTH void forward_rows(const float* x, const float* bias, float* y, int64_t rows, int width) { forward(x, bias, y, rows, width); }
EVERY_VECTOR_WIDTH void forward_rows(const Bfloat16* x, const float* bias, Bfloat16* y, int64_t rows, int width) { forward(x, bias, y, rows, width); }
EVERY_VECTOR_WIDTH void backward_rows(const float* dy, const float* x, const float* bias, float* dx, float* sums, int64_t rows, int width) { backward(dy, x, bias, dx, sums, rows, width); }
EVERY_VECTOR_WIDTH void backward_rows(const Bfloat16* dy, const Bfloat16* x, const float* bias, Bfloat16* dx, float* sums, int64_t rows, int width) { backward(dy, x, bias, dx, sums, rows, width); }

void check(const at::Tensor& x, const at::Tensor& bias) {
  TORCH_CHECK(x.dim() == 2 && bias.dim() == 1 && x.size(1) == bias.size(0), "bias_gelu takes x [n, width] and bias [width]");
  TORCH_CHECK(bias.scalar_type() == at::kFloat, "the bias is float32");
}

at::Tensor bias_gelu(const at::Tensor& input, const at::Tensor& bias_) {
  check(input, bias_);
  const at::Tensor x = input.contiguous(), bias = bias_.contiguous();
  at::Tensor y = at::empty_like(x);
  const auto width = static_cast<int>(x.size(1));
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    at::parallel_for(0, x.size(0), 1 + (1 << 14) / width, [&](int64_t from, int64_t to) { forward_rows(data<T>(x) + from * width, data<float>(bias), data<T>(y) + from * width, to - from, width); });
  });
  return y;
}

std::tuple<at::Tensor, at::Tensor> bias_gelu_backward(const at::Tensor& dy_, const at::Tensor& input, const at::Tensor& bias_) {
  check(input, bias_);
  TORCH_CHECK(dy_.sizes() == input.sizes() && dy_.scalar_type() == input.scalar_type(), "bias_gelu_backward takes dy of x's shape and type");
  const at::Tensor dy = dy_.contiguous(), x = input.contiguous(), bias = bias_.contiguous();
  at::Tensor dx = at::empty_like(x), dbias = at::empty_like(bias);
  const auto width = static_cast<int>(x.size(1));
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const auto sums = column_sums(x.size(0), 1, width, [&](int64_t from, int64_t to, float* part) {
      backward_rows(data<T>(dy) + from * width, data<T>(x) + from * width, data<float>(bias), data<T>(dx) + from * width, part, to - from, width);
    });
    std::copy(sums.begin(), sums.end(), data<float>(dbias));
  });
  return {dx, dbias};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(run_pipeline, library) {
  library.def("bias_gelu(Tensor x, Tensor bias) -> Tensor");
  library.def("bias_gelu_backward(Tensor dy, Tensor x, Tensor bias) -> (Tensor dx, Tensor dbias)");
}
TORCH_LIBRARY_IMPL(run_pipeline, CPU, library) {
  library.impl("bias_gelu", &bias_gelu);
  library.impl("bias_gelu_backward", &bias_gelu_backward);
}
