#include "stream/file_writer.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "memory/cache.hpp"
#include "memory/device_copy.hpp"

namespace gapless {

LoopResult run_writer(RegisterBus& bus, BlockQueue& queue, const FileTarget& target,
                      std::atomic<std::uint64_t>& progress) {
    return guarded([&](LoopResult& result) {
        std::vector<std::uint8_t> copy;
        for (;;) {
            const BlockQueue::Taken taken = queue.take(bus, never);
            if (taken.state == BlockQueue::Taken::State::ended) return;
            if (taken.state != BlockQueue::Taken::State::block) continue;
            bus.spend(target.busy);
            const std::uint8_t* data = target.host + std::uint64_t{taken.block} * target.stride;
            if (target.access == Access::cached) cache_clean_invalidate(data, taken.nbytes);
            if (target.access == Access::device) {  // the kernel would copy as it does from any memory
                copy.resize(target.block_bytes);
                device_read(copy.data(), data, taken.nbytes);
                data = copy.data();
            }
            std::uint32_t left = taken.nbytes;
            while (left > 0) {
                const ssize_t written = ::write(target.descriptor, data, left);
                if (written < 0 && errno == EINTR) continue;
                if (written <= 0) {
                    result.outcome = Outcome::io_error;
                    result.status = static_cast<std::uint32_t>(written < 0 ? errno : ENOSPC);
                    result.message = std::strerror(static_cast<int>(result.status));
                    return;
                }
                data += written;
                left -= static_cast<std::uint32_t>(written);
                result.bytes += static_cast<std::uint64_t>(written);
                progress.store(result.bytes, std::memory_order_relaxed);
            }
            ++result.transfers;
            queue.give(bus, taken.block, target.block_bytes);
        }
    });
}

}  // namespace gapless
