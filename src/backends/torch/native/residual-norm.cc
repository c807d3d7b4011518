// The end of each half of a transformer layer, layer_norm(residual + dropout(x + bias)), in one pass forward and one back.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "elements.h"

namespace {

using namespace elements;

template <typename T>
struct Rows {
  const T *x, *residual;
  T *sum, *y;
  const float *bias, *weight, *shift;
  float *mean, *rstd;
  float epsilon;
  Dropout dropout;
};

template <typename T>
IN_LOOP void forward(const Rows<T>& all, int64_t from, int64_t to, int width, float* buffer) {
  const Dropout dropout = all.dropout;
  const float *bias = all.bias, *weight = all.weight, *shift = all.shift;
  for (int64_t row = from; row < to; row++) {
    const int64_t start = row * width;
    const auto index = static_cast<uint32_t>(start);
    const T *x = all.x + start, *residual = all.residual + start;
    T *sum = all.sum + start, *y = all.y + start;
    float total = 0, squares = 0;
#pragma omp simd reduction(+ : total)
    for (int i = 0; i < width; i++) {
      const float value = load(residual + i) + (load(x + i) + bias[i]) * dropout(index + i);
      buffer[i] = value;
      store(sum + i, value);
      total += value;
    }
    const float mean = total / width;
#pragma omp simd reduction(+ : squares)
    for (int i = 0; i < width; i++) squares += (buffer[i] - mean) * (buffer[i] - mean);
    const float rstd = 1.0f / std::sqrt(squares / width + all.epsilon);
    all.mean[row] = mean;
    all.rstd[row] = rstd;
#pragma omp simd
    for (int i = 0; i < width; i++) store(y + i, (buffer[i] - mean) * rstd * weight[i] + shift[i]);
  }
}

template <typename T>
struct GradRows {
  const T *dy, *sum;
  T *dx, *dresidual;
  const float *weight, *mean, *rstd;
  Dropout dropout;
};

/** `sums` is three rows: gradients of the bias, the weight and the shift. */
template <typename T>
IN_LOOP void backward(const GradRows<T>& all, int64_t from, int64_t to, int width, float* sums) {
  const Dropout dropout = all.dropout;
  const float* weight = all.weight;
  float *dbias = sums, *dweight = sums + width, *dshift = sums + 2 * width;
  for (int64_t row = from; row < to; row++) {
    const int64_t start = row * width;
    const auto index = static_cast<uint32_t>(start);
    const T *dy = all.dy + start, *sum = all.sum + start;
    T *dx = all.dx + start, *dresidual = all.dresidual + start;
    const float mean = all.mean[row], rstd = all.rstd[row];
    float total = 0, dot = 0;
#pragma omp simd reduction(+ : total, dot)
    for (int i = 0; i < width; i++) {
      const float slope = load(dy + i), normal = (load(sum + i) - mean) * rstd;
      total += slope * weight[i];
      dot += slope * weight[i] * normal;
      dweight[i] += slope * normal;
      dshift[i] += slope;
    }
    total /= width;
    dot /= width;
#pragma omp simd
    for (int i = 0; i < width; i++) {
      const float normal = (load(sum + i) - mean) * rstd;
      const float slope = (load(dy + i) * weight[i] - total - normal * dot) * rstd;
      const float dropped = slope * dropout(index + i);
      store(dresidual + i, slope);
      store(dx + i, dropped);
      dbias[i] += dropped;
    }
  }
}

EVERY_VECTOR_WIDTH void forward_rows(const Rows<float>& r, int64_t from, int64_t to, int width, float* buffer) { forward(r, from, to, width, buffer); }
EVERY_VECTOR_WIDTH void forward_rows(const Rows<Bfloat16>& r, int64_t from, int64_t to, int width, float* buffer) { forward(r, from, to, width, buffer); }
EVERY_VECTOR_WIDTH void backward_rows(const GradRows<float>& r, int64_t from, int64_t to, int width, float* sums) { backward(r, from, to, width, sums); }
EVERY_VECTOR_WIDTH void backward_rows(const GradRows<Bfloat16>& r, int64_t from, int64_t to, int width, float* sums) { backward(r, from, to, width, sums); }

void check(const at::Tensor& x, const at::Tensor& other, std::initializer_list<at::Tensor> vectors) {
  TORCH_CHECK(x.dim() == 2 && x.sizes() == other.sizes() && x.scalar_type() == other.scalar_type(), "residual_norm takes two matrices of one shape and type");
  TORCH_CHECK(x.numel() <= INT32_MAX, "dropout counts elements in 32 bits; ", x.numel(), " are too many");
  for (const at::Tensor& each : vectors) TORCH_CHECK(each.dim() == 1 && each.size(0) == x.size(1) && each.scalar_type() == at::kFloat, "residual_norm takes bias, weight and shift in float32, one for each column");
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> residual_norm(
    const at::Tensor& x_, const at::Tensor& bias_, const at::Tensor& residual_, const at::Tensor& weight_, const at::Tensor& shift_, double epsilon, double rate, int64_t key) {
  check(x_, residual_, {bias_, weight_, shift_});
  const at::Tensor x = x_.contiguous(), residual = residual_.contiguous(), bias = bias_.contiguous(), weight = weight_.contiguous(), shift = shift_.contiguous();
  const int64_t rows = x.size(0);
  const auto width = static_cast<int>(x.size(1));
  at::Tensor y = at::empty_like(x), sum = at::empty_like(x), mean = at::empty({rows}, bias.options()), rstd = at::empty({rows}, bias.options());
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const Rows<T> all{data<T>(x), data<T>(residual), data<T>(sum), data<T>(y), data<float>(bias), data<float>(weight), data<float>(shift), data<float>(mean), data<float>(rstd), static_cast<float>(epsilon), Dropout(rate, key)};
    at::parallel_for(0, rows, 1 + (1 << 14) / width, [&](int64_t from, int64_t to) {
      std::vector<float> buffer(width);
      forward_rows(all, from, to, width, buffer.data());
    });
  });
  return {y, sum, mean, rstd};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> residual_norm_backward(
    const at::Tensor& dy_, const at::Tensor& sum_, const at::Tensor& mean_, const at::Tensor& rstd_, const at::Tensor& weight_, double rate, int64_t key) {
  check(dy_, sum_, {weight_});
  const at::Tensor dy = dy_.contiguous(), sum = sum_.contiguous(), mean = mean_.contiguous(), rstd = rstd_.contiguous(), weight = weight_.contiguous();
  const int64_t rows = dy.size(0);
  const auto width = static_cast<int>(dy.size(1));
  at::Tensor dx = at::empty_like(dy), dresidual = at::empty_like(dy), dbias = at::empty_like(weight), dweight = at::empty_like(weight), dshift = at::empty_like(weight);
  by_type(dy, [&](auto zero) {
    using T = decltype(zero);
    const GradRows<T> all{data<T>(dy), data<T>(sum), data<T>(dx), data<T>(dresidual), data<float>(weight), data<float>(mean), data<float>(rstd), Dropout(rate, key)};
    const auto sums = column_sums(rows, 3, width, [&](int64_t from, int64_t to, float* part) { backward_rows(all, from, to, width, part); });
    float* const outputs[] = {data<float>(dbias), data<float>(dweight), data<float>(dshift)};
    for (int i = 0; i < 3; i++) std::copy_n(sums.begin() + i * width, width, outputs[i]);
  });
  return {dx, dbias, dresidual, dweight, dshift};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(run_pipeline, library) {
  library.def("residual_norm(Tensor x, Tensor bias, Tensor residual, Tensor weight, Tensor shift, float epsilon, float rate, int key) -> (Tensor y, Tensor sum, Tensor mean, Tensor rstd)");
  library.def("residual_norm_backward(Tensor dy, Tensor sum, Tensor mean, Tensor rstd, Tensor weight, float rate, int key) -> (Tensor dx, Tensor dbias, Tensor dresidual, Tensor dweight, Tensor dshift)");
}
TORCH_LIBRARY_IMPL(run_pipeline, CPU, library) {
  library.impl("residual_norm", &residual_norm);
  library.impl("residual_norm_backward", &residual_norm_backward);
}
