#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include "bindings/bindings.hpp"
#include "stream/job.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using Release = nb::call_guard<nb::gil_scoped_release>;

namespace gapless {
namespace {

// Pieces as rows of (address, length).
using Pieces = nb::ndarray<const std::uint64_t, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;

std::vector<Segment> segments(const Pieces& pieces) {
    std::vector<Segment> list;
    list.reserve(pieces.shape(0));
    for (std::size_t i = 0; i < pieces.shape(0); ++i) {
        const std::uint64_t* row = pieces.data() + 2 * i;
        if (row[1] == 0 || row[1] > UINT32_MAX) throw nb::value_error("a piece is 1 to 2**32 - 1 bytes long");
        list.push_back({row[0], static_cast<std::uint32_t>(row[1])});
    }
    return list;
}

// A job as Python holds it: joining its thread must not hold the interpreter, which a tap may need.
struct PyJob {
    PyJob(std::shared_ptr<RegisterBus> bus, Job::Loop loop) : job(std::make_unique<Job>(std::move(bus), std::move(loop))) {}
    PyJob(PyJob&&) = default;
    ~PyJob() {
        nb::gil_scoped_release release;
        job.reset();
    }
    std::unique_ptr<Job> job;
};

const char* name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::done: return "done";
        case Outcome::dma_error: return "dma-error";
        case Outcome::timeout: return "timeout";
        case Outcome::cancelled: return "cancelled";
        case Outcome::bus_fault: return "bus-fault";
    }
    return "";
}

}  // namespace

void bind_stream(nb::module_& m) {
    nb::class_<Plan>(m, "Plan")
        .def("__init__",
             [](Plan* self, const Pieces& pass, std::uint64_t repeat, const Pieces& rest, bool one_packet) {
                 new (self) Plan();
                 self->pass = segments(pass);
                 self->repeat = repeat;
                 self->rest = segments(rest);
                 self->one_packet = one_packet;
             },
             "pass_"_a, "repeat"_a, "rest"_a, "one_packet"_a)
        .def("after", &Plan::after, "pieces"_a)
        .def_prop_ro("size", &Plan::size);

    nb::class_<ChannelPort>(m, "ChannelPort")
        .def("__init__",
             [](ChannelPort* self, std::uint64_t registers, unsigned interrupt, bool wide, bool receive) {
                 new (self) ChannelPort{registers, interrupt, wide, receive};
             },
             "registers"_a, "interrupt"_a, "wide"_a, "receive"_a);

    nb::class_<LoopOptions>(m, "LoopOptions")
        .def("__init__",
             [](LoopOptions* self, double timeout, double software_delay, double start_latency, double poll) {
                 new (self) LoopOptions{to_time(timeout), to_time(software_delay), to_time(start_latency), to_time(poll)};
             },
             "timeout"_a, "software_delay"_a, "start_latency"_a, "poll"_a);

    nb::class_<LoopResult>(m, "LoopResult")
        .def_prop_ro("outcome", [](const LoopResult& self) { return name_of(self.outcome); })
        .def_ro("status", &LoopResult::status)
        .def_ro("transfers", &LoopResult::transfers)
        .def_ro("bytes", &LoopResult::bytes)
        .def_ro("address", &LoopResult::address)
        .def_ro("message", &LoopResult::message);

    nb::class_<PyJob>(m, "Job")
        .def("wait", [](PyJob& self, double seconds) { return self.job->wait(seconds); }, "seconds"_a, Release())
        .def("cancel", [](PyJob& self) { self.job->cancel(); }, Release())
        .def_prop_ro("ended", [](PyJob& self) { return self.job->ended(); }, Release())
        .def_prop_ro("bytes", [](PyJob& self) { return self.job->bytes(); })
        .def_prop_ro("result", [](PyJob& self) { return self.job->result(); }, Release());

    m.def("start_direct",
          [](PyBus& bus, const ChannelPort& port, const Plan& plan, const LoopOptions& options) {
              return PyJob(bus.bus, [port, plan, options](RegisterBus& own, std::atomic<std::uint64_t>& progress) {
                  return run_direct(own, port, plan, options, progress);
              });
          },
          "bus"_a, "port"_a, "plan"_a, "options"_a, Release());

    using RingBytes = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
    m.def("start_ring",
          [](PyBus& bus, const ChannelPort& port, const RingBytes& memory, std::uint64_t base, const Plan& plan,
             std::uint32_t control, const LoopOptions& options) {
              if (memory.size() < 64 || memory.size() % 64 != 0)
                  throw nb::value_error("a ring is a whole number of 64-byte descriptors");
              const Ring ring{memory.data(), base, static_cast<std::uint32_t>(memory.size() / 64)};
              return PyJob(bus.bus,
                           [port, ring, plan, control, options](RegisterBus& own, std::atomic<std::uint64_t>& progress) {
                               return run_ring(own, port, ring, plan, control, options, progress);
                           });
          },
          "bus"_a, "port"_a, "memory"_a, "base"_a, "plan"_a, "control"_a, "options"_a, Release(),
          nb::keep_alive<0, 3>());
}

}  // namespace gapless
