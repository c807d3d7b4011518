// Attention with keyed dropout, one tile of scores at a time: nothing of size length × length is written to memory or
// kept. What is kept is a logarithm per row, from which the backward pass computes the probabilities again.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "elements.h"

/** Of the BLAS that libtorch brings along; column by column, as Fortran has it. Weak, since a build may hide it. */
extern "C" __attribute__((weak)) void sgemm_(const char* flip_a, const char* flip_b, const int* m, const int* n, const int* k, const float* alpha, const float* a, const int* lda, const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace {

using namespace elements;

/** A matrix by rows, `stride` floats apart. */
template <typename T>
struct Matrix {
  T* at;
  int rows, columns, stride;
  Matrix<T> slice(int first, int count) const { return {at + static_cast<int64_t>(first) * stride, count, columns, stride}; }
};
using Floats = Matrix<float>;

/** c = alpha · a · b + beta · c, either of a and b transposed. By columns, that is cᵀ = bᵀ · aᵀ. */
void multiply(bool flip_a, Floats a, bool flip_b, Floats b, float alpha, float beta, Floats c) {
  const int inner = flip_a ? a.rows : a.columns;
  sgemm_(flip_b ? "T" : "N", flip_a ? "T" : "N", &c.columns, &c.rows, &inner, &alpha, b.at, &b.stride, a.at, &a.stride, &beta, c.at, &c.stride);
}

/** Scores of a row, with their bias if there is one, become probabilities that dropout has seen. Returns the logarithm of Σ e^score. */
IN_LOOP float softmax(float* scores, const float* bias, int length, const Dropout* dropout, uint32_t index) {
  float most = -INFINITY, total = 0;
  if (bias != nullptr) {
#pragma omp simd
    for (int j = 0; j < length; j++) scores[j] += bias[j];
  }
#pragma omp simd reduction(max : most)
  for (int j = 0; j < length; j++) most = scores[j] > most ? scores[j] : most;
#pragma omp simd reduction(+ : total)
  for (int j = 0; j < length; j++) total += scores[j] = exp_negative(scores[j] - most);
  const float scale = 1.0f / total;
  if (dropout != nullptr) {
    const Dropout choice = *dropout;
#pragma omp simd
    for (int j = 0; j < length; j++) scores[j] *= scale * choice(index + j);
  } else {
#pragma omp simd
    for (int j = 0; j < length; j++) scores[j] *= scale;
  }
  return most + std::log(total);
}

/** Scores of a row become probabilities that dropout has seen, and `slopes`, their gradient, becomes that of the unscaled scores. */
IN_LOOP void softmax_backward(float* scores, float* slopes, float* p, const float* bias, float log_sum, float scale, int length, const Dropout* dropout, uint32_t index) {
  float dot = 0;
  if (bias != nullptr) {
#pragma omp simd
    for (int j = 0; j < length; j++) scores[j] += bias[j];
  }
  if (dropout != nullptr) {
    const Dropout choice = *dropout;
#pragma omp simd reduction(+ : dot)
    for (int j = 0; j < length; j++) {
      const float kept = choice(index + j);
      p[j] = exp_negative(scores[j] - log_sum);
      scores[j] = p[j] * kept;
      slopes[j] *= kept;
      dot += p[j] * slopes[j];
    }
  } else {
#pragma omp simd reduction(+ : dot)
    for (int j = 0; j < length; j++) {
      scores[j] = p[j] = exp_negative(scores[j] - log_sum);
      dot += p[j] * slopes[j];
    }
  }
#pragma omp simd
  for (int j = 0; j < length; j++) slopes[j] = p[j] * (slopes[j] - dot) * scale;
}

EVERY_VECTOR_WIDTH void softmax_rows(Floats scores, const float* bias, const Dropout* dropout, uint32_t index, float* log_sums) {
  for (int i = 0; i < scores.rows; i++) log_sums[i] = softmax(scores.at + static_cast<int64_t>(i) * scores.stride, bias, scores.columns, dropout, index + i * scores.columns);
}

EVERY_VECTOR_WIDTH void softmax_backward_rows(Floats scores, Floats slopes, float* buffer, const float* bias, const float* log_sums, float scale, const Dropout* dropout, uint32_t index) {
  for (int i = 0; i < scores.rows; i++)
    softmax_backward(scores.at + static_cast<int64_t>(i) * scores.stride, slopes.at + static_cast<int64_t>(i) * slopes.stride, buffer, bias, log_sums[i], scale, scores.columns, dropout, index + i * scores.columns);
}

template <typename To, typename From>
IN_LOOP void convert(Matrix<From> from, Matrix<To> to) {
  for (int row = 0; row < from.rows; row++) {
    const From* source = from.at + static_cast<int64_t>(row) * from.stride;
    To* target = to.at + static_cast<int64_t>(row) * to.stride;
#pragma omp simd
    for (int i = 0; i < from.columns; i++) store(target + i, load(source + i));
  }
}
EVERY_VECTOR_WIDTH void widen(Matrix<Bfloat16> from, Floats to) { convert(from, to); }
EVERY_VECTOR_WIDTH void narrow(Floats from, Matrix<Bfloat16> to) { convert(from, to); }

/** Where floats go that become a part of an activation: there at once, or in a buffer of which `put` makes it. */
Floats room_for(Floats x, std::vector<float>&) { return x; }
Floats room_for(Matrix<Bfloat16> x, std::vector<float>& buffer) {
  buffer.resize(static_cast<size_t>(x.rows) * x.columns);
  return {buffer.data(), x.rows, x.columns, x.columns};
}
void put(Floats, Floats) {}
void put(Floats x, Matrix<Bfloat16> to) { narrow(x, to); }

/** A part of an activation as floats: itself or a copy. */
Floats floats_of(Floats x, std::vector<float>&) { return x; }
Floats floats_of(Matrix<Bfloat16> x, std::vector<float>& buffer) {
  const Floats copy = room_for(x, buffer);
  widen(x, copy);
  return copy;
}

/** What both passes are given: `[batch·length, 3·heads·width]`, the padding bias if there is any, and dropout. */
struct Problem {
  at::Tensor projections, bias;
  int batch, length, heads, width;
  Dropout dropout;
  const Dropout* drops;

  Problem(const at::Tensor& projections_, const std::optional<at::Tensor>& bias_, int64_t batch_, int64_t heads_, double rate, int64_t key)
      : projections(projections_.contiguous()), batch(static_cast<int>(batch_)), heads(static_cast<int>(heads_)), dropout(rate, key), drops(rate > 0 ? &dropout : nullptr) {
    TORCH_CHECK(projections.dim() == 2 && batch > 0 && heads > 0 && projections.size(0) % batch == 0 && projections.size(1) % (3 * heads) == 0, "attention takes projections [batch·length, 3·heads·width]");
    length = static_cast<int>(projections.size(0) / batch);
    width = static_cast<int>(projections.size(1) / 3 / heads);
    if (!bias_.has_value()) return;
    bias = bias_->contiguous();
    TORCH_CHECK(bias.numel() == static_cast<int64_t>(batch) * length && bias.scalar_type() == at::kFloat, "attention takes a bias [batch, 1, length] in float32");
  }
  Problem(const Problem&) = delete;

  /** So many queries at once that a tile of their scores stays in the second-level cache. */
  int tile() const { return std::min(length, std::max(16, (1 << 16) / length)); }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(width)); }
  const float* bias_of(int sequence) const { return bias.defined() ? data<float>(bias) + static_cast<int64_t>(sequence) * length : nullptr; }
  /** Part 0, 1 or 2 (query, key, value) of `parts` in one head of one sequence of a matrix of all tokens. */
  template <typename T>
  Matrix<T> head(const at::Tensor& x, int sequence, int head, int part) const {
    const int stride = static_cast<int>(x.size(1));
    return {data<T>(x) + static_cast<int64_t>(sequence) * length * stride + (part * heads + head) * width, length, width, stride};
  }
  /** Call `work(from, to)` for ranges of all heads of all sequences, in parallel. */
  template <typename Work>
  void each(Work work) const {
    at::parallel_for(0, static_cast<int64_t>(batch) * heads, 1, [&](int64_t from, int64_t to) { work(static_cast<int>(from), static_cast<int>(to)); });
  }
  uint32_t index(int sequence_head, int row) const { return (static_cast<uint32_t>(sequence_head) * length + row) * length; }
};

std::tuple<at::Tensor, at::Tensor> attention(const at::Tensor& projections, const std::optional<at::Tensor>& bias, int64_t batch, int64_t heads, double rate, int64_t key) {
  const Problem p(projections, bias, batch, heads, rate, key);
  const at::Tensor out = at::empty({p.projections.size(0), static_cast<int64_t>(p.heads) * p.width}, p.projections.options());
  const at::Tensor log_sums = at::empty({static_cast<int64_t>(p.batch) * p.heads, p.length}, p.projections.options().dtype(at::kFloat));
  by_type(p.projections, [&](auto zero) {
    using T = decltype(zero);
    p.each([&](int from, int to) {
      std::vector<float> tile(static_cast<size_t>(p.tile()) * p.length), q_buffer, k_buffer, v_buffer, o_buffer;
      for (int at = from; at < to; at++) {
        const int sequence = at / p.heads, head = at % p.heads;
        const Floats q = floats_of(p.head<T>(p.projections, sequence, head, 0), q_buffer), k = floats_of(p.head<T>(p.projections, sequence, head, 1), k_buffer), v = floats_of(p.head<T>(p.projections, sequence, head, 2), v_buffer);
        const Matrix<T> target = p.head<T>(out, sequence, head, 0);
        const Floats o = room_for(target, o_buffer);
        for (int first = 0; first < p.length; first += p.tile()) {
          const int rows = std::min(p.tile(), p.length - first);
          const Floats scores{tile.data(), rows, p.length, p.length};
          multiply(false, q.slice(first, rows), true, k, p.scale(), 0, scores);
          softmax_rows(scores, p.bias_of(sequence), p.drops, p.index(at, first), data<float>(log_sums) + static_cast<int64_t>(at) * p.length + first);
          multiply(false, scores, false, v, 1, 0, o.slice(first, rows));
        }
        put(o, target);
      }
    });
  });
  return {out, log_sums};
}

at::Tensor attention_backward(const at::Tensor& dy_, const at::Tensor& projections, const at::Tensor& log_sums_, const std::optional<at::Tensor>& bias, int64_t batch, int64_t heads, double rate, int64_t key) {
  const Problem p(projections, bias, batch, heads, rate, key);
  const at::Tensor dy = dy_.contiguous(), log_sums = log_sums_.contiguous();
  TORCH_CHECK(dy.scalar_type() == p.projections.scalar_type() && dy.dim() == 2 && dy.size(0) == p.projections.size(0) && 3 * dy.size(1) == p.projections.size(1), "attention_backward takes dy of the result's shape and type");
  const at::Tensor gradient = at::empty_like(p.projections);
  by_type(p.projections, [&](auto zero) {
    using T = decltype(zero);
    p.each([&](int from, int to) {
      std::vector<float> tile(static_cast<size_t>(p.tile()) * p.length), slope_tile(tile.size()), row(p.length);
      std::vector<float> inputs[4], outputs[3];
      for (int at = from; at < to; at++) {
        const int sequence = at / p.heads, head = at % p.heads;
        const Floats q = floats_of(p.head<T>(p.projections, sequence, head, 0), inputs[0]), k = floats_of(p.head<T>(p.projections, sequence, head, 1), inputs[1]), v = floats_of(p.head<T>(p.projections, sequence, head, 2), inputs[2]);
        const Floats slopes_out = floats_of(p.head<T>(dy, sequence, head, 0), inputs[3]);
        Matrix<T> targets[3];
        Floats d[3];
        for (int part = 0; part < 3; part++) d[part] = room_for(targets[part] = p.head<T>(gradient, sequence, head, part), outputs[part]);
        for (int first = 0; first < p.length; first += p.tile()) {
          const int count = std::min(p.tile(), p.length - first);
          const Floats scores{tile.data(), count, p.length, p.length}, slopes{slope_tile.data(), count, p.length, p.length};
          const Floats query = q.slice(first, count), dout = slopes_out.slice(first, count);
          const float beta = first == 0 ? 0 : 1;
          multiply(false, query, true, k, p.scale(), 0, scores);
          multiply(false, dout, true, v, 1, 0, slopes);
          softmax_backward_rows(scores, slopes, row.data(), p.bias_of(sequence), data<float>(log_sums) + static_cast<int64_t>(at) * p.length + first, p.scale(), p.drops, p.index(at, first));
          multiply(false, slopes, false, k, 1, 0, d[0].slice(first, count));
          multiply(true, slopes, false, query, 1, beta, d[1]);
          multiply(true, scores, false, dout, 1, beta, d[2]);
        }
        for (int part = 0; part < 3; part++) put(d[part], targets[part]);
      }
    });
  });
  return gradient;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(run_pipeline, library) {
  if (sgemm_ == nullptr) return;
  library.def("attention(Tensor projections, Tensor? bias, int batch, int heads, float rate, int key) -> (Tensor out, Tensor log_sums)");
  library.def("attention_backward(Tensor dy, Tensor projections, Tensor log_sums, Tensor? bias, int batch, int heads, float rate, int key) -> Tensor");
}
TORCH_LIBRARY_IMPL(run_pipeline, CPU, library) {
  if (sgemm_ == nullptr) return;
  library.impl("attention", &attention);
  library.impl("attention_backward", &attention_backward);
}
