#include "linux/wakeups.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace gapless {

namespace {

constexpr unsigned signal_count = 64;

std::uint64_t bit(unsigned signal) { return std::uint64_t{1} << signal; }

void raise_event(int descriptor) {
    const std::uint64_t one = 1;
    // Cannot block or fail: nobody adds 2**64 ones between two waits.
    [[maybe_unused]] const ssize_t written = ::write(descriptor, &one, sizeof one);
}

}  // namespace

Wakeups::~Wakeups() {
    for (const int descriptor : spare_) ::close(descriptor);
}

unsigned Wakeups::add_signal() {
    const std::lock_guard lock(mutex_);
    for (unsigned signal = 0; signal < signal_count; ++signal) {
        if ((taken_ & bit(signal)) != 0) continue;
        taken_ |= bit(signal);
        levels_ &= ~bit(signal);
        return signal;
    }
    throw std::runtime_error("all 64 signals of the board are taken: close a stream first");
}

void Wakeups::remove_signal(unsigned signal) {
    const std::lock_guard lock(mutex_);
    taken_ &= ~bit(signal);
}

void Wakeups::set_signal(unsigned signal, bool level) {
    const std::lock_guard lock(mutex_);
    if (!level) {
        levels_ &= ~bit(signal);
        return;
    }
    levels_ |= bit(signal);
    for (const Wait* wait : waits_)
        if (wait->signal_ == static_cast<int>(signal)) raise_event(wait->descriptor);
}

bool Wakeups::is_up(int signal) const {
    if (signal < 0) return false;
    const std::lock_guard lock(mutex_);
    return (levels_ & bit(static_cast<unsigned>(signal))) != 0;
}

void Wakeups::wake(const void* bus) {
    const std::lock_guard lock(mutex_);
    for (const Wait* wait : waits_)
        if (wait->bus_ == bus) raise_event(wait->descriptor);
}

int Wakeups::take_descriptor() {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
        const int descriptor = spare_.back();
        spare_.pop_back();
        return descriptor;
    }
    const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd, to wait on");
    spare_.reserve(++made_);  // giving it back cannot fail
    return descriptor;
}

Wakeups::Wait::Wait(Wakeups& wakeups, const void* bus, int signal)
    : descriptor(wakeups.take_descriptor()), wakeups_(wakeups), bus_(bus), signal_(signal) {
    const std::lock_guard lock(wakeups_.mutex_);
    place_ = wakeups_.waits_.insert(wakeups_.waits_.end(), this);
}

void Wakeups::Wait::clear() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(descriptor, &count, sizeof count);
}

Wakeups::Wait::~Wait() {
    const std::lock_guard lock(wakeups_.mutex_);
    wakeups_.waits_.erase(place_);
    clear();  // for the next
    wakeups_.spare_.push_back(descriptor);
}

}  // namespace gapless
