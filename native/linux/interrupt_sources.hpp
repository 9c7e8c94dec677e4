// How a program on Linux learns of an interrupt: from the kernel by a UIO device, or by looking at a register.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace gapless {

struct InterruptSource {
    explicit InterruptSource(int uio) : descriptor(uio) {}
    InterruptSource(const volatile std::uint32_t* at, std::uint32_t bits) : status(at), mask(bits) {}
    ~InterruptSource();
    InterruptSource(const InterruptSource&) = delete;
    InterruptSource& operator=(const InterruptSource&) = delete;

    bool polled() const { return status != nullptr; }
    bool up() const;  // of a polled line

    // Of a UIO line: from here on its descriptor is readable when the line is up, or was since.
    //
    // The kernel's handler counts the interrupt and masks it (drivers/uio/uio_pdrv_genirq.c). A count that is there
    // may be of an interrupt that was dealt with long ago, so it is thrown away, and then the line is unmasked:
    // if it is up, or is still up, the interrupt comes again at once, because it is one of level. Nobody reads the
    // count but here, where the unmasking follows: several threads may wait for one line.
    void arm() const;

    const int descriptor = -1;                       // of a UIO line; ours
    const volatile std::uint32_t* const status = nullptr;  // of a polled line: up when a bit of `mask` is set
    const std::uint32_t mask = 0;
};

// Lines are added and never taken away.
class InterruptSources {
public:
    // `descriptor` of an open /dev/uioN, which is duplicated. std::invalid_argument for a number that is taken,
    // std::system_error where the descriptor cannot be used.
    void add_uio(unsigned number, int descriptor);
    void add_polled(unsigned number, const volatile std::uint32_t* status, std::uint32_t mask);
    // BusFault, which says what lines there are, for one that is unknown.
    const InterruptSource& at(unsigned number) const;

private:
    void add(unsigned number, std::unique_ptr<InterruptSource> line);

    mutable std::mutex mutex_;
    std::map<unsigned, std::unique_ptr<InterruptSource>> lines_;
};

}  // namespace gapless
