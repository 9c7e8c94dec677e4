// User-defined IP, as the models of it that are written in Python see it.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/machine.hpp"
#include "bindings/python_ip.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

// It keeps neither the board nor what is in its PL: they keep the IP, which keeps the model, which keeps this.
class IpHandle {
public:
    IpHandle(const PyParts& parts, Ip& ip) : machine_(parts.machine), parts_(parts.parts), ip_(ip) {}

    // In a callback of this board the lock is held already, else it is taken. Cancelled: the board is gone.
    template <typename Call>
    auto enter(Call call) const {
        if (Callout::inside()) return use(call);
        const nb::gil_scoped_release release;
        return use(call);
    }

private:
    template <typename Call>
    auto use(Call call) const {
        const auto machine = machine_.lock();
        const auto parts = parts_.lock();
        if (machine == nullptr || parts == nullptr) throw Cancelled();
        const auto lock = machine->lock_also_in_callback();
        return call(ip_, *machine);
    }

    std::weak_ptr<Machine> machine_;
    std::weak_ptr<Parts> parts_;
    Ip& ip_;  // while they are there
};

IpHandle add_ip(PyParts& self, std::uint64_t base, std::uint64_t size, std::string name, int line) {
    check_line(line);
    return {self, self.parts->add_ip(base, size, std::move(name), line)};
}

// Ports have the numbers 0, 1, ... in the order in which they are connected, inputs and outputs each.
void connect_input(PyParts& self, const IpHandle& handle, std::size_t dma) {
    Mm2sChannel& channel = self.dmas.at(dma)->mm2s();
    handle.enter([&](Ip& ip, Machine&) { channel.connect(&ip.add_input()); });
}

void connect_output(PyParts& self, const IpHandle& handle, std::size_t dma) {
    S2mmChannel& channel = self.dmas.at(dma)->s2mm();
    handle.enter([&](Ip& ip, Machine&) { channel.connect(&ip.add_output()); });
}

// To the nearest picosecond: a model's times come out as it says them.
Time nearest(double seconds) { return to_time(seconds + 0.5e-12); }

void bind(const IpHandle& self, nb::object model, bool reads, bool writes) {
    std::shared_ptr<IpBehaviour> before;
    self.enter([&](Ip& ip, Machine& machine) {
        before = ip.unbind();
        ip.bind(std::make_shared<PythonIp>(std::move(model), &machine), reads, writes);
    });
}

void unbind(const IpHandle& self) {
    std::shared_ptr<IpBehaviour> before;
    self.enter([&](Ip& ip, Machine&) { before = ip.unbind(); });
}

using Samples = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void send(const IpHandle& self, std::size_t output, Samples data, bool last, double delay) {
    IpPiece piece{std::vector<std::uint8_t>(data.data(), data.data() + data.size()), last};
    self.enter([&](Ip& ip, Machine& machine) {
        const Time now = machine.now();
        ip.output(output).send(std::move(piece), now + nearest(delay), now);
    });
}

}  // namespace

void bind_ip_models(nb::module_& m, nb::class_<PyParts>& parts) {
    parts.def("add_ip", &add_ip, "base"_a, "size"_a, "name"_a, "line"_a)
        .def("connect_ip_input", &connect_input, "ip"_a, "dma"_a)
        .def("connect_ip_output", &connect_output, "ip"_a, "dma"_a);
    nb::class_<IpHandle>(m, "IpHandle")
        .def("bind", &bind, "model"_a, "reads"_a, "writes"_a)
        .def("unbind", &unbind)
        .def("time",
             [](const IpHandle& self) {
                 return self.enter([](Ip&, Machine& board) { return to_seconds(board.now()); });
             })
        .def("word",
             [](const IpHandle& self, std::uint32_t offset) {
                 return self.enter([&](Ip& ip, Machine&) { return ip.word(offset); });
             },
             "offset"_a)
        .def("set_word",
             [](const IpHandle& self, std::uint32_t offset, std::uint32_t value) {
                 self.enter([&](Ip& ip, Machine&) { ip.set_word(offset, value); });
             },
             "offset"_a, "value"_a)
        .def("set_interrupt",
             [](const IpHandle& self, bool level) {
                 self.enter([&](Ip& ip, Machine& board) { ip.interrupt.drive(level, board.now()); });
             },
             "level"_a)
        .def("interrupt",
             [](const IpHandle& self) { return self.enter([](Ip& ip, Machine&) { return ip.interrupt.level(); }); })
        .def("start_timer",
             [](const IpHandle& self, double delay) {
                 return self.enter([&](Ip& ip, Machine& board) { return ip.start_timer(board.now() + nearest(delay)); });
             },
             "delay"_a)
        .def("set_input_rate",
             [](const IpHandle& self, std::size_t input, double rate) {
                 self.enter([&](Ip& ip, Machine&) { ip.input(input).set_rate(rate); });
             },
             "input"_a, "rate"_a)
        .def("set_chunk",
             [](const IpHandle& self, std::size_t input, std::size_t nbytes) {
                 self.enter([&](Ip& ip, Machine&) { ip.input(input).set_chunk(nbytes); });
             },
             "input"_a, "nbytes"_a)
        .def("set_longest",
             [](const IpHandle& self, std::size_t input, std::size_t nbytes) {
                 self.enter([&](Ip& ip, Machine&) { ip.input(input).set_longest(nbytes); });
             },
             "input"_a, "nbytes"_a)
        .def("set_ready",
             [](const IpHandle& self, std::size_t input, bool ready) {
                 self.enter([&](Ip& ip, Machine& board) { ip.input(input).set_ready(ready, board.now()); });
             },
             "input"_a, "ready"_a)
        .def("set_output_rate",
             [](const IpHandle& self, std::size_t output, double rate) {
                 self.enter([&](Ip& ip, Machine&) { ip.output(output).set_rate(rate); });
             },
             "output"_a, "rate"_a)
        .def("set_depth",
             [](const IpHandle& self, std::size_t output, std::size_t nbytes) {
                 self.enter([&](Ip& ip, Machine& board) { ip.output(output).set_depth(nbytes, board.now()); });
             },
             "output"_a, "nbytes"_a)
        .def("pending",
             [](const IpHandle& self, std::size_t output) {
                 return self.enter([&](Ip& ip, Machine&) { return ip.output(output).pending(); });
             },
             "output"_a)
        .def("send", &send, "output"_a, "data"_a, "last"_a, "delay"_a);
}

}  // namespace gapless
