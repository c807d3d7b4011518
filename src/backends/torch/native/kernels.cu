// What the loops of gelu.cc, dropout.cc and residual-norm.cc compute, for NVIDIA GPUs: one pass over memory where ATen makes several.
// NVRTC compiles this at run time (cuda-kernels.cc), without headers, for the GPU it finds. Each kernel exists for float and for
// bfloat16, and for 16 bytes or one element at a time, which its name's suffix says: _f4, _f1, _b8, _b1.

using u32 = unsigned int;

struct Bfloat16 {
  unsigned short bits;
};

__device__ inline float load(float x) { return x; }
__device__ inline float load(Bfloat16 x) { return __uint_as_float(static_cast<u32>(x.bits) << 16); }
__device__ inline void store(float& at, float value) { at = value; }
/** Rounded to nearest even. */
__device__ inline void store(Bfloat16& at, float value) {
  const u32 bits = __float_as_uint(value);
  at.bits = static_cast<unsigned short>(value != value ? 0x7fc0u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/** Neighbours in a row, which one thread reads and writes at once. */
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack {
  T at[N];
};
template <typename T, int N>
__device__ inline Pack<T, N> pack(const T* x, int index) { return reinterpret_cast<const Pack<T, N>*>(x)[index]; }
template <typename T, int N>
__device__ inline void put(T* x, int index, const Pack<T, N>& values) { reinterpret_cast<Pack<T, N>*>(x)[index] = values; }

/** What element `index` is multiplied by, 0 or `scale`. The numbers are draw32's in src/ops/random.ts. */
struct Dropout {
  u32 key, threshold;
  float scale;
  __device__ inline float operator()(u32 index) const {
    u32 x = (index * 0x9e3779b1u) ^ key;
    x = (x ^ (x >> 16)) * 0x21f0aaadu;
    x = (x ^ (x >> 15)) * 0xd35a2d97u;
    return ((x ^ (x >> 15)) >> 1) >= threshold ? scale : 0.0f;
  }
};

template <typename T, int N>
__device__ void dropout(const T* x, T* y, int packs, Dropout choice) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += gridDim.x * blockDim.x) {
    Pack<T, N> values = pack<T, N>(x, i);
    for (int j = 0; j < N; j++) store(values.at[j], load(values.at[j]) * choice(static_cast<u32>(i) * N + j));
    put<T, N>(y, i, values);
  }
}

__device__ inline float normal_cdf(float x) { return 0.5f * (1.0f + erff(x * 0.707106781f)); }

template <typename T, int N>
__device__ void bias_gelu(const T* x, const float* bias, T* y, int packs, int width) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += gridDim.x * blockDim.x) {
    Pack<T, N> values = pack<T, N>(x, i);
    const float* shift = bias + i % (width / N) * N;
    for (int j = 0; j < N; j++) {
      const float z = load(values.at[j]) + shift[j];
      store(values.at[j], z * normal_cdf(z));
    }
    put<T, N>(y, i, values);
  }
}

/**
 * The rows that a block of 32 × 8 threads sums: block (c, r) has the r-th share of the rows and the c-th 32 packs of columns.
 * What the shares come to is summed in a second step, so that the order never changes.
 */
template <int N>
struct Tile {
  int column, first, last;
  bool inside;
  __device__ inline Tile(int rows, int width) {
    const int share = (rows + gridDim.y - 1) / gridDim.y, start = blockIdx.y * share;
    column = (blockIdx.x * 32 + threadIdx.x) * N;
    inside = column < width;
    first = start + threadIdx.y;
    last = !inside ? 0 : start + share < rows ? start + share : rows;
  }
  /** Write what all eight rows of threads have, to this share's place in `[shares, stride]`. */
  __device__ inline void sum(const float (&mine)[N], float* out, int stride) const {
    __shared__ float all[8][32][N];
    __syncthreads();
    for (int j = 0; j < N; j++) all[threadIdx.y][threadIdx.x][j] = mine[j];
    __syncthreads();
    if (threadIdx.y > 0 || !inside) return;
    for (int j = 0; j < N; j++) {
      float total = 0;
      for (int y = 0; y < 8; y++) total += all[y][threadIdx.x][j];
      out[blockIdx.y * stride + column + j] = total;
    }
  }
};

template <typename T, int N>
__device__ void bias_gelu_backward(const T* dy, const T* x, const float* bias, T* dx, float* sums, int rows, int width) {
  const Tile<N> tile(rows, width);
  float mine[N] = {};
  for (int row = tile.first; row < tile.last; row += 8) {
    const int at = (row * width + tile.column) / N;
    const Pack<T, N> slopes = pack<T, N>(dy, at);
    Pack<T, N> values = pack<T, N>(x, at);
    for (int j = 0; j < N; j++) {
      const float z = load(values.at[j]) + bias[tile.column + j];
      const float slope = load(slopes.at[j]) * (normal_cdf(z) + z * 0.398942280f * expf(-0.5f * z * z));
      store(values.at[j], slope);
      mine[j] += slope;
    }
    put<T, N>(dx, at, values);
  }
  tile.sum(mine, sums, width);
}

__device__ inline float warp_sum(float value) {
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffffu, value, distance);
  return value;
}

/** residual + dropout(x + bias), a pack at a time. */
template <typename T, int N>
struct Residual {
  const T *x, *residual;
  const float* bias;
  Dropout choice;
  __device__ inline void operator()(int start, int i, float (&sum)[N]) const {
    const Pack<T, N> values = pack<T, N>(x, start + i), rest = pack<T, N>(residual, start + i);
    for (int j = 0; j < N; j++) sum[j] = load(rest.at[j]) + (load(values.at[j]) + bias[i * N + j]) * choice(static_cast<u32>(start + i) * N + j);
  }
};

/** Of blocks of 32 × 4 threads, each warp has a row. It is read from the cache again for each step. */
template <typename T, int N>
__device__ void residual_norm(Residual<T, N> values, const float* weight, const float* shift, T* y, T* sum, float* means, float* rstds, int rows, int width, float epsilon) {
  const int row = blockIdx.x * 4 + threadIdx.y, packs = width / N, start = row * packs;
  if (row >= rows) return;
  float total = 0, squares = 0, at[N];
  for (int i = threadIdx.x; i < packs; i += 32) {
    values(start, i, at);
    for (int j = 0; j < N; j++) total += at[j];
  }
  const float mean = warp_sum(total) / width;
  for (int i = threadIdx.x; i < packs; i += 32) {
    values(start, i, at);
    for (int j = 0; j < N; j++) squares += (at[j] - mean) * (at[j] - mean);
  }
  const float rstd = 1.0f / sqrtf(warp_sum(squares) / width + epsilon);
  if (threadIdx.x == 0) {
    means[row] = mean;
    rstds[row] = rstd;
  }
  for (int i = threadIdx.x; i < packs; i += 32) {
    values(start, i, at);
    Pack<T, N> before, after;
    for (int j = 0; j < N; j++) {
      store(before.at[j], at[j]);
      store(after.at[j], (at[j] - mean) * rstd * weight[i * N + j] + shift[i * N + j]);
    }
    put<T, N>(sum, start + i, before);
    put<T, N>(y, start + i, after);
  }
}

template <typename T, int N>
__device__ void residual_norm_backward(const T* dy, const T* sum, const float* means, const float* rstds, const float* weight, T* dx, T* dresidual, int rows, int width, Dropout choice) {
  const int row = blockIdx.x * 4 + threadIdx.y, packs = width / N, start = row * packs;
  if (row >= rows) return;
  const float mean = means[row], rstd = rstds[row];
  float total = 0, dot = 0;
  for (int i = threadIdx.x; i < packs; i += 32) {
    const Pack<T, N> slopes = pack<T, N>(dy, start + i), values = pack<T, N>(sum, start + i);
    for (int j = 0; j < N; j++) {
      const float slope = load(slopes.at[j]) * weight[i * N + j];
      total += slope;
      dot += slope * (load(values.at[j]) - mean) * rstd;
    }
  }
  total = warp_sum(total) / width;
  dot = warp_sum(dot) / width;
  for (int i = threadIdx.x; i < packs; i += 32) {
    const Pack<T, N> slopes = pack<T, N>(dy, start + i), values = pack<T, N>(sum, start + i);
    Pack<T, N> straight, dropped;
    for (int j = 0; j < N; j++) {
      const float slope = (load(slopes.at[j]) * weight[i * N + j] - total - (load(values.at[j]) - mean) * rstd * dot) * rstd;
      store(straight.at[j], slope);
      store(dropped.at[j], slope * choice(static_cast<u32>(start + i) * N + j));
    }
    put<T, N>(dresidual, start + i, straight);
    put<T, N>(dx, start + i, dropped);
  }
}

/** Gradients of the bias, the weight and the shift, `[shares, 3·width]`. */
template <typename T, int N>
__device__ void residual_norm_columns(const T* dy, const T* sum, const float* means, const float* rstds, const T* dx, float* sums, int rows, int width) {
  const Tile<N> tile(rows, width);
  float bias[N] = {}, weight[N] = {}, shift[N] = {};
  for (int row = tile.first; row < tile.last; row += 8) {
    const int at = (row * width + tile.column) / N;
    const Pack<T, N> slopes = pack<T, N>(dy, at), values = pack<T, N>(sum, at), dropped = pack<T, N>(dx, at);
    const float mean = means[row], rstd = rstds[row];
    for (int j = 0; j < N; j++) {
      bias[j] += load(dropped.at[j]);
      weight[j] += load(slopes.at[j]) * (load(values.at[j]) - mean) * rstd;
      shift[j] += load(slopes.at[j]);
    }
  }
  tile.sum(bias, sums, 3 * width);
  tile.sum(weight, sums + width, 3 * width);
  tile.sum(shift, sums + 2 * width, 3 * width);
}

#define KERNELS(T, N, SUFFIX)                                                                                                                                                                             \
  extern "C" __global__ void dropout_##SUFFIX(const T* x, T* y, int packs, u32 key, u32 threshold, float scale) { dropout<T, N>(x, y, packs, {key, threshold, scale}); }                                    \
  extern "C" __global__ void bias_gelu_##SUFFIX(const T* x, const float* bias, T* y, int packs, int width) { bias_gelu<T, N>(x, bias, y, packs, width); }                                                   \
  extern "C" __global__ void bias_gelu_backward_##SUFFIX(const T* dy, const T* x, const float* bias, T* dx, float* sums, int rows, int width) {                                                             \
    bias_gelu_backward<T, N>(dy, x, bias, dx, sums, rows, width);                                                                                                                                           \
  }                                                                                                                                                                                                         \
  extern "C" __global__ void residual_norm_##SUFFIX(const T* x, const float* bias, const T* residual, const float* weight, const float* shift, T* y, T* sum, float* means, float* rstds, int rows, int width, float epsilon, u32 key, u32 threshold, float scale) { \
    residual_norm<T, N>({x, residual, bias, {key, threshold, scale}}, weight, shift, y, sum, means, rstds, rows, width, epsilon);                                                                             \
  }                                                                                                                                                                                                         \
  extern "C" __global__ void residual_norm_backward_##SUFFIX(const T* dy, const T* sum, const float* means, const float* rstds, const float* weight, T* dx, T* dresidual, int rows, int width, u32 key, u32 threshold, float scale) { \
    residual_norm_backward<T, N>(dy, sum, means, rstds, weight, dx, dresidual, rows, width, {key, threshold, scale});                                                                                       \
  }                                                                                                                                                                                                         \
  extern "C" __global__ void residual_norm_columns_##SUFFIX(const T* dy, const T* sum, const float* means, const float* rstds, const T* dx, float* sums, int rows, int width) {                             \
    residual_norm_columns<T, N>(dy, sum, means, rstds, dx, sums, rows, width);                                                                                                                              \
  }

KERNELS(float, 4, f4)
KERNELS(float, 1, f1)
KERNELS(Bfloat16, 8, b8)
KERNELS(Bfloat16, 1, b1)
