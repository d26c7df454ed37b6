#include "kernels.h"

#if defined(__x86_64__)
#define LANES 16
#define ROWS 8
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,fma")))
#include "kernels.inl"
#endif

namespace mtl {

const Kernels* kernels_avx512() {
#if defined(__x86_64__)
    const bool can_run = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    if (can_run) return &local_kernels;
#endif
    return nullptr;
}

}  // namespace mtl
