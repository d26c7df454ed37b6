#include "kernels.h"

#if defined(__x86_64__)
#define LANES 8
#define ROWS 4
#define TARGET __attribute__((target("avx2,fma")))
#include "kernels.inl"
#endif

namespace mtl {

const Kernels* kernels_avx2() {
#if defined(__x86_64__)
    const bool can_run = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (can_run) return &local_kernels;
#endif
    return nullptr;
}

}  // namespace mtl
