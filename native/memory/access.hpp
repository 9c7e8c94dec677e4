// How native code gets at memory that it shares with devices.
#pragma once

namespace gapless {

enum class Access {
    plain,   // as any memory: CPU and devices see the same bytes
    cached,  // the CPU's caches hide what devices write, and from devices what the CPU wrote: see cache.hpp
    device,  // aligned accesses only: see device_copy.hpp
};

}  // namespace gapless
