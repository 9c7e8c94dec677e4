// Peripherals, each kind with what one can do to it from outside.
#include "bindings/peripherals.hpp"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include "bindings/bindings.hpp"
#include "model/peripherals/axi_gpio.hpp"
#include "model/peripherals/axi_iic.hpp"
#include "model/peripherals/axi_intc.hpp"
#include "model/peripherals/axi_timer.hpp"
#include "model/peripherals/host_interrupt.hpp"
#include "model/peripherals/ps_gpio.hpp"
#include "model/peripherals/quad_spi.hpp"
#include "model/peripherals/register_block.hpp"
#include "model/peripherals/ssd1306.hpp"
#include "model/peripherals/uart_lite.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

// Of a peripheral of this type.
template <typename Kind>
class HandleOf final : public PeripheralHandle {
public:
    using PeripheralHandle::PeripheralHandle;

    template <typename Call>
    auto look(Call call) const {
        return PeripheralHandle::look([&](Peripheral& peripheral, Time now) { return call(as_kind(peripheral), now); });
    }
    template <typename Call>
    void change(Call call) const {
        PeripheralHandle::change([&](Peripheral& peripheral, Time now) { call(as_kind(peripheral), now); });
    }

private:
    static Kind& as_kind(Peripheral& peripheral) { return static_cast<Kind&>(peripheral); }
};

using Gpio = HandleOf<AxiGpio>;
using Timer = HandleOf<AxiTimer>;
using Intc = HandleOf<AxiIntc>;
using Uart = HandleOf<UartLite>;
using Iic = HandleOf<AxiIic>;
using Spi = HandleOf<QuadSpi>;
using Registers = HandleOf<RegisterBlock>;
using Latch = HandleOf<HostInterrupt>;
using HostGpio = HandleOf<PsGpio>;

template <typename... Kinds>
nb::object handle_of_kind(std::shared_ptr<PeripheralHost> host, std::shared_ptr<Peripheral> peripheral) {
    nb::object handle;
    const auto attempt = [&](auto* kind) {
        using Kind = std::remove_pointer_t<decltype(kind)>;
        if (!handle.is_valid() && dynamic_cast<Kind*>(peripheral.get()) != nullptr)
            handle = nb::cast(HandleOf<Kind>(host, peripheral));
    };
    (attempt(static_cast<Kinds*>(nullptr)), ...);
    return handle.is_valid() ? handle : nb::cast(PeripheralHandle(host, peripheral));
}

void check_address(unsigned address) {
    if (address > 0x7F) throw nb::value_error("an IIC address has 7 bits: 0 to 0x7F");
}

nb::bytes take(const Uart& self) {
    const auto bytes = self.look([](UartLite& uart, Time) { return uart.take(); });
    return nb::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The pin drives the display's data/command line from now on.
void connect_display(const Gpio& self, unsigned pin, std::shared_ptr<Ssd1306> display, unsigned channel) {
    self.change([&](AxiGpio& gpio, Time) {
        if (channel >= AxiGpio::channel_count || pin >= gpio.width(channel))
            throw nb::index_error("the GPIO has no such pin");
        Wire& wire = gpio.pin(channel, pin);
        display->set_data(wire.level());
        wire.connect([display](bool level, Time) { display->set_data(level); });
    });
}

void bind_simple_kinds(nb::module_& m) {
    nb::class_<Gpio, PeripheralHandle>(m, "Gpio")
        .def("set_input",
             [](const Gpio& self, std::uint32_t levels, unsigned channel) {
                 self.change([&](AxiGpio& gpio, Time now) { gpio.set_input(channel, levels, now); });
             },
             "levels"_a, "channel"_a = 0)
        .def("output",
             [](const Gpio& self, unsigned channel) {
                 return self.look([&](AxiGpio& gpio, Time) { return gpio.output(channel); });
             },
             "channel"_a = 0)
        .def("connect_data_line", &connect_display, "pin"_a, "display"_a, "channel"_a = 0);
    nb::class_<Timer, PeripheralHandle>(m, "Timer")
        .def("set_capture",
             [](const Timer& self, bool level, unsigned timer) {
                 self.change([&](AxiTimer& model, Time now) { model.set_capture(timer, level, now); });
             },
             "level"_a, "timer"_a = 0)
        .def_prop_ro("pwm0", [](const Timer& self) {
            return self.look([](AxiTimer& model, Time) { return model.pwm0.level(); });
        });
    nb::class_<Intc, PeripheralHandle>(m, "Intc")
        .def("set_input",
             [](const Intc& self, unsigned input, bool level) {
                 self.change([&](AxiIntc& intc, Time now) { intc.set_input(input, level, now); });
             },
             "input"_a, "level"_a);
    nb::class_<Registers, PeripheralHandle>(m, "Registers")
        .def("set",
             [](const Registers& self, std::size_t word, std::uint32_t value) {
                 self.change([&](RegisterBlock& block, Time) { block.set(word, value); });
             },
             "word"_a, "value"_a);
    nb::class_<Latch, PeripheralHandle>(m, "HostInterrupt")
        .def("set_acknowledge",
             [](const Latch& self, bool level) {
                 self.change([&](HostInterrupt& latch, Time now) { latch.set_acknowledge(level, now); });
             },
             "level"_a);
    nb::class_<HostGpio, PeripheralHandle>(m, "PsGpio")
        .def_prop_ro("first_emio_pin",
                     [](const HostGpio& self) {
                         return self.look([](PsGpio& gpio, Time) { return gpio.first_emio_pin(); });
                     })
        .def_prop_ro("pin_count",
                     [](const HostGpio& self) {
                         return self.look([](PsGpio& gpio, Time) { return gpio.pin_count(); });
                     })
        .def("output",
             [](const HostGpio& self, unsigned pin) {
                 return self.look([&](PsGpio& gpio, Time) { return gpio.output(pin).level(); });
             },
             "pin"_a)
        .def("set_input",
             [](const HostGpio& self, unsigned pin, bool level) {
                 self.change([&](PsGpio& gpio, Time) { gpio.set_input(pin, level); });
             },
             "pin"_a, "level"_a);
}

void bind_serial_kinds(nb::module_& m) {
    nb::class_<Uart, PeripheralHandle>(m, "Uart")
        .def("put",
             [](const Uart& self, nb::bytes bytes) {
                 const auto* data = static_cast<const std::uint8_t*>(bytes.data());
                 self.change([&](UartLite& uart, Time now) { uart.put(data, bytes.size(), now); });
             },
             "data"_a)
        .def("take", &take);
    nb::class_<Iic, PeripheralHandle>(m, "Iic")
        .def("attach",
             [](const Iic& self, unsigned address, std::shared_ptr<IicTarget> target) {
                 check_address(address);
                 self.change([&](AxiIic& iic, Time) {
                     iic.attach(static_cast<std::uint8_t>(address), std::move(target));
                 });
             },
             "address"_a, "target"_a.none());
    nb::class_<Spi, PeripheralHandle>(m, "Spi")
        .def("attach",
             [](const Spi& self, std::shared_ptr<SpiTarget> target, unsigned slave) {
                 self.change([&](QuadSpi& spi, Time) {
                     if (slave >= spi.slaves()) throw nb::index_error("the SPI master has no such slave select line");
                     spi.attach(slave, std::move(target));
                 });
             },
             "target"_a.none(), "slave"_a = 0);
}

}  // namespace

nb::object peripheral_handle(std::shared_ptr<PeripheralHost> host, std::shared_ptr<Peripheral> peripheral) {
    return handle_of_kind<AxiGpio, AxiTimer, AxiIntc, UartLite, AxiIic, QuadSpi, RegisterBlock, HostInterrupt, PsGpio>(
        std::move(host), std::move(peripheral));
}

void bind_peripherals(nb::module_& m) {
    nb::class_<PeripheralHandle>(m, "Peripheral")
        .def_prop_ro("interrupt", [](const PeripheralHandle& self) {
            return self.look([](Peripheral& peripheral, Time) { return peripheral.interrupt.level(); });
        });
    bind_simple_kinds(m);
    bind_serial_kinds(m);
}

}  // namespace gapless
