// The behaviour of an IP, written in Python.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <string>
#include <utility>

#include "bindings/array_of.hpp"
#include "bindings/bindings.hpp"
#include "model/callout.hpp"
#include "model/ip.hpp"

namespace gapless {

// Asks an object that answers with None, an int (of answer_read) or a str: what went wrong. As for targets, whoever
// holds the interpreter never waits for the lock that is held, so the interpreter can be taken here.
class PythonIp final : public IpBehaviour {
public:
    // `board`: the machine that it is on.
    PythonIp(nanobind::object model, const void* board) : model_(std::move(model)), board_(board) {}
    PythonIp(const PythonIp&) = delete;
    PythonIp& operator=(const PythonIp&) = delete;
    ~PythonIp() override {
        const nanobind::gil_scoped_acquire acquire;
        model_.reset();
    }

    std::optional<std::uint32_t> read(std::uint32_t offset, Time now) override {
        std::optional<std::uint32_t> value;
        ask([&] { return model_.attr("answer_read")(offset, to_seconds(now)); },
            [&](nanobind::handle answer) { value = nanobind::cast<std::uint32_t>(answer); });
        return value;
    }
    void write(std::uint32_t offset, std::uint32_t value, Time now) override {
        ask([&] { return model_.attr("answer_write")(offset, value, to_seconds(now)); });
    }
    void receive(std::size_t input, IpPiece piece, Time) override {
        ask([&] {
            const std::size_t nbytes = piece.data.size();
            return model_.attr("answer_receive")(input, array_of(std::move(piece.data), {nbytes}), piece.last);
        });
    }
    void timer(std::uint64_t timer, Time) override {
        ask([&] { return model_.attr("answer_timer")(timer); });
    }

private:
    template <typename Call>
    void ask(Call call) {
        ask(call, [](nanobind::handle) {});
    }

    template <typename Call, typename Use>
    void ask(Call call, Use use) {
        std::string wrong;
        if (!nanobind::is_alive()) throw BusFault("the interpreter, and the models in it, are at their end");
        {
            const nanobind::gil_scoped_acquire acquire;
            const Callout callout(board_);
            // A collection in here could let go of a bus of another board, which takes a lock.
            const bool collecting = PyGC_Disable() != 0;
            wrong = answer(call, use);
            if (collecting) PyGC_Enable();
        }
        if (!wrong.empty()) throw BusFault(wrong);
    }

    // What went wrong, or nothing.
    template <typename Call, typename Use>
    static std::string answer(Call call, Use use) {
        try {
            const nanobind::object given = call();
            if (nanobind::isinstance<nanobind::str>(given)) return nanobind::cast<nanobind::str>(given).c_str();
            if (!given.is_none()) use(given);
        } catch (nanobind::python_error& error) {
            // Ctrl-C came while the main thread was in here: it is for the program, too.
            if (!error.matches(PyExc_KeyboardInterrupt)) return error.what();
            PyErr_SetInterrupt();
            return "KeyboardInterrupt in a callback of a model, which is left half done";
        } catch (const nanobind::cast_error&) {
            return "a model gave what is no register's value";
        }
        return {};
    }

    nanobind::object model_;
    const void* board_;
};

}  // namespace gapless
