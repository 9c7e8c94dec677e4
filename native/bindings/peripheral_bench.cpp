// One peripheral alone, with a clock that the test moves.
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "bindings/bindings.hpp"
#include "bindings/peripherals.hpp"
#include "model/peripherals/axi_intc.hpp"
#include "model/peripherals/make_peripheral.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

class OnePeripheral final : public PeripheralHost {
public:
    OnePeripheral(const std::string& kind, const std::map<std::string, double>& parameters)
        : peripheral_(make_peripheral(kind, parameters)) {
        peripheral_->interrupt.connect([this](bool level, Time now) {
            if (level) edges_.push_back(now);
        });
    }

    std::unique_lock<std::mutex> lock() override { return std::unique_lock(mutex_); }
    Time now() const override { return now_; }
    void changed(Peripheral&) override { run_until(now_); }

    std::uint32_t read(std::uint32_t offset) {
        const std::uint32_t value = peripheral_->read(offset, now_);
        run_until(now_);
        return value;
    }
    void write(std::uint32_t offset, std::uint32_t value) {
        peripheral_->write(offset, value, now_);
        run_until(now_);
    }
    void reset() {
        peripheral_->reset(now_);
        run_until(now_);
    }
    void advance(Time picoseconds) {
        if (picoseconds < 0) throw nb::value_error("time does not go back");
        run_until(now_ + picoseconds);
    }
    bool steady(std::uint32_t offset) const { return peripheral_->steady(offset); }
    std::optional<Time> due() const {
        return peripheral_->due() == never ? std::nullopt : std::optional(peripheral_->due());
    }
    bool interrupt() const { return peripheral_->interrupt.level(); }
    const std::vector<Time>& edges() const { return edges_; }
    std::shared_ptr<Peripheral> peripheral() const { return peripheral_; }

    // The interrupt of this peripheral drives an input of that controller, and is no longer in edges().
    void drive(std::shared_ptr<OnePeripheral> controller, unsigned input) {
        auto* intc = dynamic_cast<AxiIntc*>(controller->peripheral_.get());
        if (intc == nullptr) throw nb::value_error("the controller is the bench of an axi-intc");
        intc->connect(input, peripheral_->interrupt);
        driven_.push_back(std::move(controller));
    }

private:
    void run_until(Time end) {
        while (peripheral_->due() <= end) {
            now_ = peripheral_->due();
            peripheral_->step(now_);
        }
        now_ = end;
    }

    std::mutex mutex_;
    std::shared_ptr<Peripheral> peripheral_;
    Time now_ = 0;
    std::vector<Time> edges_;
    std::vector<std::shared_ptr<OnePeripheral>> driven_;  // kept, because the wire holds no more than their address
};

}  // namespace

void bind_peripheral_bench(nb::module_& m) {
    nb::class_<OnePeripheral>(m, "PeripheralBench")
        .def(nb::init<const std::string&, const std::map<std::string, double>&>(), "kind"_a,
             "parameters"_a = std::map<std::string, double>())
        .def("read", &OnePeripheral::read, "offset"_a)
        .def("write", &OnePeripheral::write, "offset"_a, "value"_a)
        .def("reset", &OnePeripheral::reset)
        .def("advance", &OnePeripheral::advance, "picoseconds"_a)
        .def("steady", &OnePeripheral::steady, "offset"_a)
        .def("drive", &OnePeripheral::drive, "controller"_a, "input"_a)
        .def_prop_ro("now", &OnePeripheral::now)
        .def_prop_ro("due", &OnePeripheral::due)
        .def_prop_ro("interrupt", &OnePeripheral::interrupt)
        .def_prop_ro("edges", &OnePeripheral::edges, nb::rv_policy::copy)
        .def_prop_ro("peripheral", [](std::shared_ptr<OnePeripheral> self) {
            auto peripheral = self->peripheral();
            return peripheral_handle(std::move(self), std::move(peripheral));
        });
}

}  // namespace gapless
