// What a DAC converts, handed to Python.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "model/callout.hpp"

namespace gapless {

namespace nb = nanobind;

// Hands what a DAC converts to Python in large pieces. Called with the machine's lock held and the
// interpreter released; whoever holds the interpreter never waits for that lock (see PyBus), so it can be
// taken here.
class Tap {
public:
    // `board`: the machine that it is on.
    Tap(nb::object callback, const void* board) : callback_(std::move(callback)), board_(board) {
        buffer_.reserve(piece);
    }

    void add(const std::uint8_t* data, std::size_t nbytes) {
        buffer_.insert(buffer_.end(), data, data + nbytes);
        if (buffer_.size() >= piece) flush();
    }
    void flush() {
        if (buffer_.empty()) return;
        nb::gil_scoped_acquire acquire;
        const Callout callout(board_);
        // A collection in here could let go of a bus or a buffer, which take the lock that is held.
        const bool collecting = PyGC_Disable() != 0;
        try {
            const nb::object view = nb::steal(PyMemoryView_FromMemory(
                reinterpret_cast<char*>(buffer_.data()), static_cast<Py_ssize_t>(buffer_.size()), PyBUF_READ));
            callback_(view);
            view.attr("release")();
        } catch (nb::python_error& error) {
            // Ctrl-C came while the main thread was in here: it is for the program, not for the tap.
            if (error.matches(PyExc_KeyboardInterrupt))
                PyErr_SetInterrupt();
            else
                error.discard_as_unraisable("the tap of a DAC");
        }
        if (collecting) PyGC_Enable();
        buffer_.clear();
    }
    ~Tap() {
        nb::gil_scoped_acquire acquire;
        callback_.reset();
    }

private:
    static constexpr std::size_t piece = 1 << 20;
    std::vector<std::uint8_t> buffer_;
    nb::object callback_;
    const void* board_;
};

}  // namespace gapless
