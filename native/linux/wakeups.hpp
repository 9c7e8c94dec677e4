// Signals from one thread of control to another, and what wakes a wait on a real system.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace gapless {

// A wait is woken through an eventfd of its own, which poll() takes beside the descriptor of an interrupt: one of a
// whole bus would be emptied by one of two threads that wait on it.
class Wakeups {
public:
    ~Wakeups();

    unsigned add_signal();
    void remove_signal(unsigned signal);
    void set_signal(unsigned signal, bool level);
    bool is_up(int signal) const;
    // Wakes every wait of `bus`.
    void wake(const void* bus);

    // From here on until the end a rise of `signal` (-1: none) and wake(bus) make `descriptor` readable.
    class Wait {
    public:
        Wait(Wakeups& wakeups, const void* bus, int signal);
        ~Wait();
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        // Empties it; what it was woken for is to be looked at after that.
        void clear() const;

        const int descriptor;

    private:
        friend class Wakeups;
        Wakeups& wakeups_;
        const void* const bus_;
        const int signal_;
        std::list<Wait*>::iterator place_;
    };

private:
    int take_descriptor();

    mutable std::mutex mutex_;
    std::uint64_t taken_ = 0, levels_ = 0;  // signals, a bit each
    std::list<Wait*> waits_;
    std::vector<int> spare_;  // eventfds, empty
    std::size_t made_ = 0;    // eventfds in all
};

}  // namespace gapless
