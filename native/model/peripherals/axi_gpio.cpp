#include "model/peripherals/axi_gpio.hpp"

namespace gapless {

namespace {

constexpr std::uint32_t interrupt_base = 0x11C;  // GIER; IP ISR is at 0x120, IP IER at 0x128

}  // namespace

AxiGpio::AxiGpio(const std::array<AxiGpioChannel, channel_count>& channels) {
    for (unsigned i = 0; i < channel_count; ++i) {
        channels_[i].config = channels[i];
        channels_[i].mask = static_cast<std::uint32_t>((std::uint64_t{1} << channels[i].width) - 1);
    }
    reset(0);
}

void AxiGpio::reset(Time now) {
    for (Channel& channel : channels_) {
        const AxiGpioChannel& config = channel.config;
        channel.data = config.data & channel.mask;
        channel.tristate = config.all_inputs ? channel.mask : config.all_outputs ? 0 : config.tristate & channel.mask;
        drive(channel, now);
    }
    interrupts_.reset(now);
}

// GPIO_DATA, GPIO_TRI, GPIO2_DATA and GPIO2_TRI are at 0x0, 0x4, 0x8 and 0xC (PG144, "Register Space").
std::uint32_t AxiGpio::read(std::uint32_t offset, Time) {
    if (offset >= interrupt_base) return interrupts_.read(offset - interrupt_base);
    if (offset >= 8 * channel_count) return 0;
    const Channel& channel = channels_[offset / 8];
    if (offset % 8 != 0) return channel.tristate;
    return (channel.input & channel.tristate) | channel.driven();
}

void AxiGpio::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (offset >= interrupt_base) return interrupts_.write(offset - interrupt_base, value, now);
    if (offset >= 8 * channel_count) return;
    Channel& channel = channels_[offset / 8];
    if (offset % 8 == 0)
        channel.data = value & channel.mask;
    else if (!channel.config.all_inputs && !channel.config.all_outputs)
        channel.tristate = value & channel.mask;
    drive(channel, now);
}

void AxiGpio::set_input(unsigned index, std::uint32_t levels, Time now) {
    Channel& channel = channels_.at(index);
    levels &= channel.mask;
    const bool changed = ((levels ^ channel.input) & channel.tristate) != 0;
    channel.input = levels;
    if (changed) interrupts_.raise(1u << index, now);
}

void AxiGpio::drive(Channel& channel, Time now) {
    const std::uint32_t levels = channel.driven();
    for (unsigned bit = 0; bit < channel.config.width; ++bit) channel.pins[bit].drive((levels >> bit & 1) != 0, now);
}

}  // namespace gapless
