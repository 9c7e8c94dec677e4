#include "samples/kernels.hpp"

namespace gapless {

extern const Kernels kernels_baseline;
#ifdef GAPLESS_X86_VARIANTS
extern const Kernels kernels_v3;
extern const Kernels kernels_v4;
#endif

std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> list{&kernels_baseline};
#ifdef GAPLESS_X86_VARIANTS
    // By feature, not by level: GCC 11 does not know the levels' names here. No processor has these without
    // the rest of its level (LZCNT, MOVBE, F16C). The operating system's part (XSAVE) is asked, too.
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
          __builtin_cpu_supports("fma")))
        return list;
    list.push_back(&kernels_v3);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        list.push_back(&kernels_v4);
#endif
    return list;
}

}  // namespace gapless
