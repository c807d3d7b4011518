// A GPU made of threads, to run src/backends/torch/native/kernels.cu where there is none: the same source, compiled for the
// CPU (-DKERNELS_CU), behind those functions of NVRTC and the CUDA driver that the bridge calls. Its memory is the host's.
// With -DREAL_NVRTC the driver alone is made up, and NVRTC is what this is linked with.
#include <barrier>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

struct Index {
  unsigned x, y, z;
};
static thread_local Index blockIdx, threadIdx;
static Index blockDim, gridDim;

static std::unique_ptr<std::barrier<>> block_barrier;
static std::vector<std::unique_ptr<std::barrier<>>> warp_barriers;
static float exchanged[32][32];

static void __syncthreads() { block_barrier->arrive_and_wait(); }
/** Of blocks that are 32 threads wide, so that a row of them is a warp. */
static float __shfl_xor_sync(unsigned, float value, int distance) {
  std::barrier<>& warp = *warp_barriers[threadIdx.y];
  exchanged[threadIdx.y][threadIdx.x] = value;
  warp.arrive_and_wait();
  const float other = exchanged[threadIdx.y][threadIdx.x ^ distance];
  warp.arrive_and_wait();
  return other;
}
static float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
static unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
#define __device__
#define __global__
#define __shared__ static
#include KERNELS_CU

struct Kernel {
  std::function<void(void**)> run;
  /** Whether its threads wait for one another. */
  bool waits;
};

template <typename... Args, size_t... I>
static std::function<void(void**)> unpacking(void (*kernel)(Args...), std::index_sequence<I...>) {
  return [kernel](void** arguments) { kernel(*static_cast<std::remove_const_t<Args>*>(arguments[I])...); };
}
template <typename... Args>
static std::function<void(void**)> unpacking(void (*kernel)(Args...)) { return unpacking(kernel, std::index_sequence_for<Args...>()); }

#define KERNEL(name, suffix, waits) {#name "_" #suffix, {unpacking(name##_##suffix), waits}}
#define EVERY(suffix)                                                                                                        \
  KERNEL(dropout, suffix, false), KERNEL(bias_gelu, suffix, false), KERNEL(bias_gelu_backward, suffix, true),                \
      KERNEL(residual_norm, suffix, true), KERNEL(residual_norm_backward, suffix, true), KERNEL(residual_norm_columns, suffix, true)
static std::map<std::string, Kernel> kernels{EVERY(f4), EVERY(f1), EVERY(b8), EVERY(b1)};

extern "C" {
#ifdef REAL_NVRTC
static bool is_code(const void* image) { return std::memcmp(image, "\x7f" "ELF", 4) == 0; }
#else
static const char code[] = "compiled already";
static bool is_code(const void* image) { return std::strcmp(static_cast<const char*>(image), code) == 0; }
int nvrtcCreateProgram(void** program, const char* source, const char*, int, const char* const*, const char* const*) {
  *program = new std::string(source);
  return 0;
}
int nvrtcCompileProgram(void*, int count, const char* const* options) { return count == 2 && std::string(options[0]) == "--gpu-architecture=sm_90" ? 0 : 6; }
int nvrtcGetProgramLogSize(void*, size_t* size) {
  *size = sizeof "not for this GPU";
  return 0;
}
int nvrtcGetProgramLog(void*, char* log) {
  std::strcpy(log, "not for this GPU");
  return 0;
}
int nvrtcGetCUBINSize(void*, size_t* size) {
  *size = sizeof code;
  return 0;
}
int nvrtcGetCUBIN(void*, char* into) {
  std::memcpy(into, code, sizeof code);
  return 0;
}
int nvrtcDestroyProgram(void** program) {
  delete static_cast<std::string*>(*program);
  return 0;
}
#endif
int cuDeviceGetAttribute(int* value, int attribute, int) {
  const char* const wanted = std::getenv("FAKE_CUDA_CAPABILITY");
  const int capability = wanted == nullptr ? 90 : std::atoi(wanted);
  *value = attribute == 75 ? capability / 10 : capability % 10;
  return 0;
}
int cuModuleLoadData(void** module, const void* image) {
  *module = &kernels;
  return is_code(image) ? 0 : 200;
}
int cuModuleGetFunction(void** function, void*, const char* name) {
  const auto found = kernels.find(name);
  if (found == kernels.end()) return 500;
  *function = &found->second;
  return 0;
}
int cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned, void* stream, void** arguments, void**) {
  if (grid_x * grid_y * grid_z == 0 || block_x * block_y * block_z > 1024 || stream != nullptr) return 1;
  gridDim = {grid_x, grid_y, grid_z};
  blockDim = {block_x, block_y, block_z};
  block_barrier = std::make_unique<std::barrier<>>(block_x * block_y);
  warp_barriers.clear();
  for (unsigned i = 0; i < block_y; i++) warp_barriers.push_back(std::make_unique<std::barrier<>>(32));
  const Kernel& kernel = *static_cast<Kernel*>(function);
  const auto blocks = [&](unsigned x, unsigned y, auto between) {
    threadIdx = {x, y, 0};
    for (unsigned block = 0; block < grid_x * grid_y; block++) {
      blockIdx = {block % grid_x, block / grid_x, 0};
      kernel.run(arguments);
      between();
    }
  };
  std::barrier<> end_of_block(block_x * block_y);
  std::vector<std::jthread> threads;
  for (unsigned y = 0; y < block_y; y++)
    for (unsigned x = 0; x < block_x; x++) {
      if (kernel.waits) threads.emplace_back(blocks, x, y, [&] { end_of_block.arrive_and_wait(); });
      else blocks(x, y, [] {});
    }
  return 0;
}
}
