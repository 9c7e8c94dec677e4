#include "linux/mmio_bus.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "linux/device_access.hpp"

namespace gapless {

namespace {

constexpr Time nanosecond = 1'000, microsecond = 1'000 * nanosecond;
// A polled line is looked at without a pause for so long: a transfer that is nearly done is not worth a sleep.
constexpr Time spinning = 5 * microsecond;
constexpr Time shortest_pause = 20 * microsecond, longest_pause = 200 * microsecond;

// In nanoseconds: a machine that has been up for long has no Time since it was started.
std::int64_t monotonic() {
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC, &at);
    return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

// Until a descriptor has something or `left` has passed (`never`: for as long as it takes).
void poll_for(pollfd* descriptors, nfds_t count, Time left) {
    const Time nanoseconds = (std::max<Time>(left, 0) + nanosecond - 1) / nanosecond;
    for (nfds_t i = 0; i < count; ++i) descriptors[i].revents = 0;
    timespec span{};
    span.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
    span.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
    if (::ppoll(descriptors, count, left == never ? nullptr : &span, nullptr) < 0 && errno != EINTR)
        throw BusFault(std::string("poll for an interrupt: ") + std::strerror(errno));
}

}  // namespace

MmioBus::MmioBus() : MmioBus(std::make_shared<MmioBoard>(), monotonic()) {}

void MmioBus::add_window(std::uint64_t base, std::uint64_t size, void* host, std::shared_ptr<void> owner) {
    board_->windows.add(base, size, host, std::move(owner));
}

void MmioBus::add_uio_line(unsigned number, int descriptor) { board_->lines.add_uio(number, descriptor); }

void MmioBus::add_polled_line(unsigned number, std::uint64_t address, std::uint32_t mask) {
    board_->lines.add_polled(number, board_->windows.at(address), mask);
}

// ---- registers -------------------------------------------------------------------------------------

std::uint32_t MmioBus::read32(std::uint64_t address) {
    check_cancelled();
    return read_register(board_->windows.at(address));
}

void MmioBus::write32(std::uint64_t address, std::uint32_t value) {
    check_cancelled();
    write_register(board_->windows.at(address), value);
}

bool MmioBus::try_read32(std::uint64_t address, std::uint32_t& value) {
    const volatile std::uint32_t* const found = board_->windows.find(address);
    if (found == nullptr || cancelled_) return false;
    value = read_register(found);
    return true;
}

bool MmioBus::try_write32(std::uint64_t address, std::uint32_t value) {
    volatile std::uint32_t* const found = board_->windows.find(address);
    if (found == nullptr || cancelled_) return false;
    write_register(found, value);
    return true;
}

// ---- time ------------------------------------------------------------------------------------------

Time MmioBus::now() { return (monotonic() - origin_) * nanosecond; }

Time MmioBus::deadline_after(Time timeout) {
    const Time present = now();
    return timeout < never - present ? present + std::max<Time>(timeout, 0) : never;
}

void MmioBus::sleep_until(Time time) {
    check_cancelled();
    const Time present = now();
    if (time > present) wait({}, time - present);
}

// ---- waiting ---------------------------------------------------------------------------------------

void MmioBus::set_signal(unsigned signal, bool level) {
    check_cancelled();
    board_->wakeups.set_signal(signal, level);
}

void MmioBus::cancel() {
    cancelled_ = true;
    board_->wakeups.wake(this);
}

bool MmioBus::wait(Awaited awaited, Time timeout) {
    const Time deadline = deadline_after(timeout);
    const InterruptSource* line =
        awaited.interrupt < 0 ? nullptr : &board_->lines.at(static_cast<unsigned>(awaited.interrupt));
    // Before the first look: what changes after it wakes this wait.
    const Wakeups::Wait wait(board_->wakeups, this, awaited.signal);
    return line != nullptr && line->polled() ? wait_for_polled(*line, wait, awaited.signal, deadline)
                                             : wait_for_uio(line, wait, awaited.signal, deadline);
}

// Without a line, only for the signal.
bool MmioBus::wait_for_uio(const InterruptSource* line, const Wakeups::Wait& wait, int signal, Time deadline) {
    check_cancelled();
    if (line != nullptr) line->arm();
    pollfd descriptors[2] = {{wait.descriptor, POLLIN, 0}, {line == nullptr ? -1 : line->descriptor, POLLIN, 0}};
    for (;;) {
        check_cancelled();
        if (board_->wakeups.is_up(signal)) return true;
        // The time is taken before the look at the line: one that rises in the last moment is not missed.
        const Time present = deadline == never ? 0 : now();
        poll_for(descriptors, 2, deadline == never ? never : deadline - present);
        if ((descriptors[1].revents & POLLIN) != 0) {
            barrier_after_read();
            check_cancelled();
            return true;
        }
        if ((descriptors[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
            throw BusFault("the UIO device of an interrupt line reports an error to poll(): it has no interrupt, "
                           "or it is gone");
        if (descriptors[0].revents != 0)
            wait.clear();
        else if (present >= deadline)
            return false;
    }
}

bool MmioBus::wait_for_polled(const InterruptSource& line, const Wakeups::Wait& wait, int signal, Time deadline) {
    const Time spun = now() + spinning;
    Time pause = shortest_pause;
    for (;;) {
        check_cancelled();
        if (board_->wakeups.is_up(signal)) return true;
        const Time present = now();
        if (line.up()) return true;
        if (present >= deadline) return false;
        if (present < spun) {
            relax();
            continue;
        }
        pollfd woken{wait.descriptor, POLLIN, 0};
        poll_for(&woken, 1, std::min(pause, deadline - present));
        if (woken.revents != 0) wait.clear();
        pause = std::min(2 * pause, longest_pause);
    }
}

std::shared_ptr<RegisterBus> MmioBus::fork(const std::string&) {
    return std::shared_ptr<RegisterBus>(new MmioBus(board_, origin_));
}

}  // namespace gapless
