#define LANES 4
#if defined(__aarch64__)
#define ROWS 8
#else
#define ROWS 4
#endif
#define TARGET
#include "kernels.inl"

namespace mtl {

const Kernels* kernels_plain() { return &local_kernels; }

}  // namespace mtl
