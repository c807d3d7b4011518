#include "cuda-kernels.h"

#include <dlfcn.h>

#include <stdexcept>

namespace bridge {

/** Of the C interfaces of NVRTC and the CUDA driver, what is called here; both are stable. */
struct Driver {
  int (*nvrtcCreateProgram)(void** program, const char* source, const char* name, int headers, const char* const* texts, const char* const* names);
  int (*nvrtcCompileProgram)(void* program, int count, const char* const* options);
  int (*nvrtcGetProgramLogSize)(void* program, size_t* size);
  int (*nvrtcGetProgramLog)(void* program, char* log);
  int (*nvrtcGetCUBINSize)(void* program, size_t* size);
  int (*nvrtcGetCUBIN)(void* program, char* code);
  int (*nvrtcDestroyProgram)(void** program);
  int (*cuDeviceGetAttribute)(int* value, int attribute, int device);
  int (*cuModuleLoadData)(void** module, const void* code);
  int (*cuModuleGetFunction)(void** function, void* module, const char* name);
  int (*cuLaunchKernel)(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared, void* stream, void** arguments, void** extra);

  explicit Driver(const std::string& library) {
    void* const handle = dlopen(library.c_str(), RTLD_NOW);
    if (handle == nullptr) throw std::runtime_error(dlerror());
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(handle, name));
      if (function == nullptr) throw std::runtime_error(library + " has no " + name);
    };
#define FIND(name) find(name, #name)
    FIND(nvrtcCreateProgram), FIND(nvrtcCompileProgram), FIND(nvrtcGetProgramLogSize), FIND(nvrtcGetProgramLog), FIND(nvrtcGetCUBINSize), FIND(nvrtcGetCUBIN), FIND(nvrtcDestroyProgram);
    FIND(cuDeviceGetAttribute), FIND(cuModuleLoadData), FIND(cuModuleGetFunction), FIND(cuLaunchKernel);
#undef FIND
  }
};

namespace {

void check(int result, const char* what) {
  if (result != 0) throw std::runtime_error(std::string(what) + " answered " + std::to_string(result));
}

/** CUdevice_attribute's numbers of the two halves of a compute capability. */
constexpr int major_attribute = 75, minor_attribute = 76;

}  // namespace

CudaKernels::CudaKernels(const std::string& library, const std::string& source) : driver_(std::make_unique<Driver>(library)) {
  const Driver& driver = *driver_;
  int major = 0, minor = 0;
  check(driver.cuDeviceGetAttribute(&major, major_attribute, 0), "cuDeviceGetAttribute");
  check(driver.cuDeviceGetAttribute(&minor, minor_attribute, 0), "cuDeviceGetAttribute");
  capability_ = 10 * major + minor;
  const std::string architecture = "--gpu-architecture=sm_" + std::to_string(capability_);
  const char* const options[] = {architecture.c_str(), "--std=c++17"};

  void* program = nullptr;
  check(driver.nvrtcCreateProgram(&program, source.c_str(), "kernels.cu", 0, nullptr, nullptr), "nvrtcCreateProgram");
  const std::unique_ptr<void*, int (*)(void**)> destroyed(&program, driver.nvrtcDestroyProgram);
  size_t size = 0;
  if (driver.nvrtcCompileProgram(program, 2, options) != 0) {
    check(driver.nvrtcGetProgramLogSize(program, &size), "nvrtcGetProgramLogSize");
    std::string log(size, '\0');
    check(driver.nvrtcGetProgramLog(program, log.data()), "nvrtcGetProgramLog");
    throw std::runtime_error(architecture + ": " + log.c_str());
  }
  check(driver.nvrtcGetCUBINSize(program, &size), "nvrtcGetCUBINSize");
  std::string code(size, '\0');
  check(driver.nvrtcGetCUBIN(program, code.data()), "nvrtcGetCUBIN");
  check(driver.cuModuleLoadData(&module_, code.data()), "cuModuleLoadData");
}

CudaKernels::~CudaKernels() = default;

void CudaKernels::launch(const std::string& name, const unsigned (&grid)[2], const unsigned (&block)[2], std::vector<KernelArgument>& arguments) {
  void*& function = functions_[name];
  if (function == nullptr) check(driver_->cuModuleGetFunction(&function, module_, name.c_str()), "cuModuleGetFunction");
  std::vector<void*> places;
  for (KernelArgument& argument : arguments) places.push_back(&argument);
  check(driver_->cuLaunchKernel(function, grid[0], grid[1], 1, block[0], block[1], 1, 0, nullptr, places.data(), nullptr), "cuLaunchKernel");
}

}  // namespace bridge
