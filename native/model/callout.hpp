// A thread that is in code from outside the core (a model of IP, a tap, a target in Python), called by the models at
// one moment of virtual time. It holds their lock: what would take that lock again is refused, for it would never get it.
#pragma once

#include "register_bus.hpp"

namespace gapless {

class Callout {
public:
    // `board`: whose lock it holds, where that is known.
    explicit Callout(const void* board = nullptr) : outer_(current_) { current_ = {true, board}; }
    Callout(const Callout&) = delete;
    Callout& operator=(const Callout&) = delete;
    ~Callout() { current_ = outer_; }

    static bool inside() { return current_.inside; }
    static bool inside(const void* board) { return current_.inside && current_.board == board; }
    static void refuse() {
        if (inside())
            throw BusFault(
                "a callback of the virtual board used the board: it is called at one moment of virtual time, in which "
                "nobody else acts; use what it was given, or do it later from the program");
    }

private:
    struct Place {
        bool inside;
        const void* board;
    };
    static inline thread_local Place current_{false, nullptr};
    const Place outer_;
};

}  // namespace gapless
