#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include "bindings/bindings.hpp"
#include "stream/file_writer.hpp"
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
    PyJob(std::shared_ptr<RegisterBus> bus, Job::Loop loop, Scheduling scheduling = {})
        : job(std::make_unique<Job>(std::move(bus), std::move(loop), scheduling)) {}
    PyJob(PyJob&&) = default;
    ~PyJob() {
        nb::gil_scoped_release release;
        job.reset();
    }
    std::unique_ptr<Job> job;
};

// A queue as Python holds it; the same as for PyJob holds when the last one lets go.
struct PyQueue {
    PyQueue(const PyBus& user, std::uint64_t base, std::uint32_t stride, std::uint32_t count, std::uint64_t limit)
        : bus(user.bus), queue(std::make_shared<BlockQueue>(bus, base, stride, count, limit)) {}
    PyQueue(PyQueue&&) = default;
    ~PyQueue() {
        nb::gil_scoped_release release;
        queue.reset();
        bus.reset();
    }
    std::shared_ptr<RegisterBus> bus;  // the user's
    std::shared_ptr<BlockQueue> queue;
};

// What is to be moved, as a loop of its own thread has it.
struct PlanWork {
    Plan plan;
    template <typename Run>
    LoopResult run(RegisterBus&, Run run) const {
        PlanFeed feed(plan);
        return run(feed);
    }
};
struct QueueWork {
    std::shared_ptr<BlockQueue> queue;
    template <typename Run>
    LoopResult run(RegisterBus& bus, Run run) const {
        queue->begin();
        const LoopResult result = run(*queue);
        // One that was cancelled may go on as another job, or whoever cancelled it says that it does not.
        if (result.outcome != Outcome::cancelled) {
            try {
                queue->end(bus);
            } catch (const Cancelled&) {  // in this moment: whoever did it does the same
            }
        }
        return result;
    }
};
PlanWork work_of(const Plan& plan) { return {plan}; }
QueueWork work_of(const PyQueue& queue) { return {queue.queue}; }

using RingBytes = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <typename Moved>
PyJob start_direct(PyBus& bus, const ChannelPort& port, const Moved& moved, const LoopOptions& options,
                   const Scheduling& scheduling) {
    return PyJob(
        bus.bus,
        [port, work = work_of(moved), options](RegisterBus& own, std::atomic<std::uint64_t>& progress) {
            return work.run(own, [&](Feed& feed) { return run_direct(own, port, feed, options, progress); });
        },
        scheduling);
}

template <typename Moved>
PyJob start_ring(PyBus& bus, const ChannelPort& port, const RingBytes& memory, std::uint64_t base, const Moved& moved,
                 std::uint32_t control, const LoopOptions& options, const Scheduling& scheduling, Access access) {
    if (memory.size() < 64 || memory.size() % 64 != 0)
        throw nb::value_error("a ring is a whole number of 64-byte descriptors");
    const Ring ring{memory.data(), base, static_cast<std::uint32_t>(memory.size() / 64), access};
    return PyJob(
        bus.bus,
        [port, ring, work = work_of(moved), control, options](RegisterBus& own, std::atomic<std::uint64_t>& progress) {
            return work.run(own, [&](Feed& feed) { return run_ring(own, port, ring, feed, control, options, progress); });
        },
        scheduling);
}

template <typename Moved>
void bind_starts(nb::module_& m) {
    m.def("start_direct", &start_direct<Moved>, "bus"_a, "port"_a, "moved"_a, "options"_a, "scheduling"_a = Scheduling{},
          Release());
    m.def("start_ring", &start_ring<Moved>, "bus"_a, "port"_a, "memory"_a, "base"_a, "moved"_a, "control"_a, "options"_a,
          "scheduling"_a = Scheduling{}, "access"_a = Access::plain, Release(), nb::keep_alive<0, 3>());
}

const char* name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::done: return "done";
        case Outcome::dma_error: return "dma-error";
        case Outcome::timeout: return "timeout";
        case Outcome::cancelled: return "cancelled";
        case Outcome::bus_fault: return "bus-fault";
        case Outcome::io_error: return "io-error";
    }
    return "";
}

const char* name_of(BlockQueue::Taken::State state) {
    switch (state) {
        case BlockQueue::Taken::State::block: return "block";
        case BlockQueue::Taken::State::nothing: return "nothing";
        case BlockQueue::Taken::State::ended: return "ended";
    }
    return "";
}

}  // namespace

void bind_stream(nb::module_& m) {
    nb::enum_<Access>(m, "Access")
        .value("PLAIN", Access::plain)
        .value("CACHED", Access::cached)
        .value("DEVICE", Access::device);

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
        .def_ro("message", &LoopResult::message)
        .def_prop_ro("rearm_longest", [](const LoopResult& self) { return to_seconds(self.rearm_longest); });

    nb::class_<PyJob>(m, "Job")
        .def("wait", [](PyJob& self, double seconds) { return self.job->wait(seconds); }, "seconds"_a, Release())
        .def("stop_waiting", [](PyJob& self) { self.job->stop_waiting(); }, Release())
        .def("cancel", [](PyJob& self) { self.job->cancel(); }, Release())
        .def_prop_ro("ended", [](PyJob& self) { return self.job->ended(); }, Release())
        .def_prop_ro("bytes", [](PyJob& self) { return self.job->bytes(); })
        .def_prop_ro("refused", [](PyJob& self) { return self.job->refused(); }, Release())
        .def_prop_ro("result", [](PyJob& self) { return self.job->result(); }, Release());

    nb::class_<Scheduling>(m, "Scheduling")
        .def("__init__",
             [](Scheduling* self, int priority, int cpu) { new (self) Scheduling{priority, cpu}; }, "priority"_a = 0,
             "cpu"_a = -1);

    nb::class_<PyQueue>(m, "BlockQueue")
        .def(nb::init<const PyBus&, std::uint64_t, std::uint32_t, std::uint32_t, std::uint64_t>(), "bus"_a, "base"_a,
             "stride"_a, "count"_a, "limit"_a)
        .def("give",
             [](PyQueue& self, std::uint32_t block, std::uint32_t nbytes) { self.queue->give(*self.bus, block, nbytes); },
             "block"_a, "nbytes"_a, Release())
        .def("take",
             [](PyQueue& self, double timeout) {
                 const BlockQueue::Taken taken = self.queue->take(*self.bus, to_time(timeout));
                 return std::make_tuple(name_of(taken.state), taken.block, taken.nbytes, taken.number);
             },
             "timeout"_a, Release())
        .def("close", [](PyQueue& self) { self.queue->close(*self.bus); }, Release())
        .def("end", [](PyQueue& self) { self.queue->end(*self.bus); }, Release())
        .def("retire", [](PyQueue& self) { self.queue->retire(); }, Release())
        .def("settle", [](PyQueue& self, std::uint64_t pieces) { self.queue->settle(pieces); }, "pieces"_a, Release())
        .def_prop_ro("given", [](PyQueue& self) { return self.queue->given(); })
        .def_prop_ro("done", [](PyQueue& self) { return self.queue->done(); })
        .def_prop_ro("marks", [](PyQueue& self) {
            const BlockQueue::Marks marks = self.queue->marks();
            return std::make_tuple(marks.low, marks.high, marks.late);
        });

    bind_starts<Plan>(m);
    bind_starts<PyQueue>(m);

    m.def("start_writer",
          [](PyBus& bus, const PyQueue& queue, const RingBytes& memory, std::uint32_t stride, std::uint32_t block_bytes,
             int descriptor, double busy, Access access) {
              const FileTarget target{descriptor, memory.data(), stride, block_bytes, to_time(busy), access};
              return PyJob(bus.bus, [shared = queue.queue, target](RegisterBus& own, std::atomic<std::uint64_t>& progress) {
                  return run_writer(own, *shared, target, progress);
              });
          },
          "bus"_a, "queue"_a, "memory"_a, "stride"_a, "block_bytes"_a, "descriptor"_a, "busy"_a,
          "access"_a = Access::plain, Release(), nb::keep_alive<0, 3>());
}

}  // namespace gapless
