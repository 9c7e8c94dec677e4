#include "linux/interrupt_sources.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "linux/device_access.hpp"
#include "register_bus.hpp"

namespace gapless {

namespace {

BusFault uio_fault(const std::string& what, int error) {
    return BusFault("the UIO device of an interrupt line: " + what + ": " + std::strerror(error));
}

}  // namespace

InterruptSource::~InterruptSource() {
    if (descriptor >= 0) ::close(descriptor);
}

bool InterruptSource::up() const { return (read_register(status) & mask) != 0; }

void InterruptSource::arm() const {
    std::int32_t count = 0;
    for (;;) {
        const ssize_t got = ::read(descriptor, &count, sizeof count);
        if (got == 0) throw uio_fault("read", EPIPE);
        if (got < 0 && errno == EAGAIN) break;
        if (got < 0 && errno != EINTR) throw uio_fault("read", errno);
    }
    const std::int32_t unmask = 1;
    while (::write(descriptor, &unmask, sizeof unmask) < 0)
        if (errno != EINTR) throw uio_fault("unmasking the interrupt", errno);
}

void InterruptSources::add_uio(unsigned number, int descriptor) {
    const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (own < 0) throw std::system_error(errno, std::generic_category(), "the UIO device's descriptor");
    auto line = std::make_unique<InterruptSource>(own);
    const int flags = ::fcntl(own, F_GETFL);
    // The count is thrown away without waiting for one.
    if (flags < 0 || ::fcntl(own, F_SETFL, flags | O_NONBLOCK) < 0)
        throw std::system_error(errno, std::generic_category(), "the UIO device's descriptor");
    add(number, std::move(line));
}

void InterruptSources::add_polled(unsigned number, const volatile std::uint32_t* status, std::uint32_t mask) {
    add(number, std::make_unique<InterruptSource>(status, mask));
}

void InterruptSources::add(unsigned number, std::unique_ptr<InterruptSource> line) {
    const std::lock_guard lock(mutex_);
    if (!lines_.emplace(number, std::move(line)).second)
        throw std::invalid_argument("interrupt line " + std::to_string(number) + " is given twice");
}

const InterruptSource& InterruptSources::at(unsigned number) const {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(number);
    if (found != lines_.end()) return *found->second;
    std::string list;
    for (const auto& [known, line] : lines_) list += (list.empty() ? "" : ", ") + std::to_string(known);
    throw BusFault("no interrupt line " + std::to_string(number) + ": there is " + (list.empty() ? "none" : list));
}

}  // namespace gapless
