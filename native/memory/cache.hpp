// Cache maintenance from user space, where devices do not look into the CPU's caches.
#pragma once

#include <cstddef>

namespace gapless {

// By virtual address, to the point of coherency, whole lines (DDI 0487, "A64 cache maintenance instructions"; Linux
// on arm64 lets EL0 use `dc cvac` and `dc civac`, arch/arm64/kernel/cpufeature.c, SCTLR_EL1.UCI). Both do nothing on
// a machine whose devices are coherent by construction, such as x86-64.

// Write back what the CPU wrote, so that devices see it.
void cache_clean(const void* data, std::size_t nbytes);
// Write back and drop, so that the CPU sees what devices wrote. (`dc ivac`, without the writing back, is the
// kernel's.)
void cache_clean_invalidate(const void* data, std::size_t nbytes);

// False where both do nothing.
bool cache_needs_maintenance();

}  // namespace gapless
