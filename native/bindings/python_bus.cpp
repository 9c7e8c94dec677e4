// A register bus of one's own, written in Python, for transports that the native core does not know.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "bindings/bindings.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

using Clock = std::chrono::steady_clock;

// What all the buses of one object share: the object, and the signals from thread to thread.
struct Shared {
    explicit Shared(nb::object object) : target(std::move(object)) {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() {
        const nb::gil_scoped_acquire acquire;
        target.reset();
    }

    nb::object target;
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t taken = 0, levels = 0;  // a bit for each signal
};

// In real time. The interpreter is taken for each access, and let go while nothing but a signal is waited for.
class PythonBus final : public RegisterBus {
public:
    // `own`: it runs in a thread of the native core, where no Python exception can be passed on.
    PythonBus(std::shared_ptr<Shared> shared, bool own) : shared_(std::move(shared)), own_(own) {}

    std::uint32_t read32(std::uint64_t address) override {
        return call([&] { return nb::cast<std::uint32_t>(shared_->target.attr("read32")(address)); });
    }
    void write32(std::uint64_t address, std::uint32_t value) override {
        call([&] { return shared_->target.attr("write32")(address, value), 0; });
    }

    bool wait(Awaited awaited, Time timeout) override {
        const auto deadline = Clock::now() + picoseconds(timeout);
        for (;;) {
            check();
            const Time left = timeout == never ? slice : std::min(slice, remaining(deadline));
            if (awaited.interrupt < 0) {
                if (wait_signal(awaited.signal, left)) return true;
            } else {
                if (awaited.signal >= 0 && wait_signal(awaited.signal, 0)) return true;
                // Asked in slices: a signal may come, or the bus be cancelled.
                if (call([&] {
                        return nb::cast<bool>(shared_->target.attr("wait_interrupt")(
                            awaited.interrupt, to_seconds(std::max<Time>(left, 0))));
                    }))
                    return true;
            }
            if (timeout != never && Clock::now() >= deadline) return false;
        }
    }

    Time now() override {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count() *
               Time{1000};
    }
    void sleep_until(Time time) override {
        const auto deadline = Clock::now() + picoseconds(time - now());
        std::unique_lock lock(shared_->mutex);
        while (!cancelled_ && shared_->changed.wait_until(lock, deadline) != std::cv_status::timeout) {
        }
        lock.unlock();
        check();
    }
    void spend(Time) override {}  // real time passes by itself

    unsigned add_signal() override {
        const std::lock_guard lock(shared_->mutex);
        for (unsigned signal = 0; signal < 64; ++signal) {
            const std::uint64_t bit = std::uint64_t{1} << signal;
            if ((shared_->taken & bit) != 0) continue;
            shared_->taken |= bit;
            shared_->levels &= ~bit;
            return signal;
        }
        throw std::runtime_error("all 64 signals of the board are taken: close a stream first");
    }
    void remove_signal(unsigned signal) override {
        const std::lock_guard lock(shared_->mutex);
        shared_->taken &= ~(std::uint64_t{1} << signal);
    }
    void set_signal(unsigned signal, bool level) override {
        check();
        const std::lock_guard lock(shared_->mutex);
        const std::uint64_t bit = std::uint64_t{1} << signal;
        shared_->levels = level ? shared_->levels | bit : shared_->levels & ~bit;
        shared_->changed.notify_all();
    }
    bool take_turn() override { return !cancelled_; }

    std::shared_ptr<RegisterBus> fork(const std::string&) override {
        return std::make_shared<PythonBus>(shared_, true);
    }
    void park() override {}
    void resume(Time) override {}
    void catch_up(Time) override {}
    void cancel() override {
        const std::lock_guard lock(shared_->mutex);
        cancelled_ = true;
        shared_->changed.notify_all();
    }

private:
    static constexpr Time slice = picoseconds_per_second / 100;

    static std::chrono::nanoseconds picoseconds(Time time) {
        constexpr Time longest = 1'000'000 * picoseconds_per_second;
        return std::chrono::nanoseconds(std::clamp<Time>(time, 0, longest) / 1000);
    }
    static Time remaining(Clock::time_point deadline) {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - Clock::now()).count() * Time{1000};
    }

    void check() const {
        if (cancelled_) throw Cancelled();
    }

    bool wait_signal(int signal, Time timeout) {
        std::unique_lock lock(shared_->mutex);
        const auto up = [&] { return (shared_->levels >> signal & 1) != 0; };
        shared_->changed.wait_for(lock, picoseconds(timeout), [&] { return up() || cancelled_; });
        return up();
    }

    template <typename Call>
    auto call(Call body) -> decltype(body()) {
        check();
        const nb::gil_scoped_acquire acquire;
        try {
            return body();
        } catch (nb::python_error& error) {
            if (!own_) throw;
            throw BusFault(error.what());
        } catch (const nb::cast_error&) {
            throw BusFault("read32() gives an int of 32 bits, and wait_interrupt() a bool");
        }
    }

    std::shared_ptr<Shared> shared_;
    const bool own_;
    std::atomic<bool> cancelled_{false};
};

}  // namespace

void bind_python_bus(nb::module_& m) {
    m.def("python_bus",
          [](nb::object target) {
              return PyBus(std::make_shared<PythonBus>(std::make_shared<Shared>(std::move(target)), false));
          },
          "target"_a);
}

}  // namespace gapless
