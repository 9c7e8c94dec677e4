// Received blocks into a file, as fast as the system takes them.
#pragma once

#include "stream/block_queue.hpp"
#include "stream/loops.hpp"

namespace gapless {

struct FileTarget {
    int descriptor = -1;
    const std::uint8_t* host = nullptr;  // of block 0
    std::uint32_t stride = 0;
    std::uint32_t block_bytes = 0;
    // Bus time that a block is away for, while it is written: on a virtual board engine and writer then work at
    // the same time, as they do on a real one.
    Time busy = 0;
    Access access = Access::plain;
};

// Until the queue has ended, or the file takes no more: then the outcome is io_error, `status` the system's
// error number, and `bytes` what the file has.
LoopResult run_writer(RegisterBus& bus, BlockQueue& queue, const FileTarget& target,
                      std::atomic<std::uint64_t>& progress);

}  // namespace gapless
