// Kernels of our own for a GPU: compiled by NVRTC, launched by the driver. Both are found at run time, so that no CUDA toolkit
// is needed to build this.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace bridge {

struct Driver;

/** An argument of a kernel; what it is read as is the kernel's business. */
union KernelArgument {
  void* pointer;
  int32_t integer;
  float real;
};

class CudaKernels {
 public:
  /** Compile for the first GPU that this process sees. `library` has NVRTC and the driver, itself or in what it needs. Throws what the compiler says. */
  CudaKernels(const std::string& library, const std::string& source);
  ~CudaKernels();

  /** Compute capability of the GPU, times ten. */
  int capability() const { return capability_; }

  /** Queue a kernel in the default stream, where libtorch queues too. */
  void launch(const std::string& name, const unsigned (&grid)[2], const unsigned (&block)[2], std::vector<KernelArgument>& arguments);

 private:
  std::unique_ptr<Driver> driver_;
  int capability_ = 0;
  void* module_ = nullptr;
  std::unordered_map<std::string, void*> functions_;
};

}  // namespace bridge
