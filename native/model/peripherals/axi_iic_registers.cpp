// The registers of AXI IIC.
#include "model/peripherals/axi_iic.hpp"
#include "model/peripherals/axi_iic_bits.hpp"

namespace gapless {

using namespace iic;

std::uint32_t AxiIic::status() const {
    const auto flag = [](bool set, std::uint32_t bit) { return set ? bit : 0; };
    return flag(busy(), bus_busy) | flag(transmit_.full(), transmit_full) | flag(transmit_.empty(), transmit_empty) |
           flag(receive_.full(), receive_full) | flag(receive_.empty(), receive_empty);
}

std::uint32_t AxiIic::read(std::uint32_t offset, Time now) {
    if (offset >= interrupts && InterruptBlock::contains(offset - interrupts))
        return interrupts_.read(offset - interrupts);
    if (offset >= timing && offset < end) return timing_[(offset - timing) / 4];
    switch (offset) {
        case cr: return control_;
        case sr: return status();
        case rx_fifo: {
            const std::uint8_t byte = receive_.pop();
            proceed(now);
            latch(now);
            return byte;
        }
        case adr: return own_address_;
        case tx_fifo_ocy: return transmit_.occupancy();
        case rx_fifo_ocy: return receive_.occupancy();
        case ten_adr: return ten_bit_address_;
        case rx_fifo_pirq: return threshold_;
        case gpo: return outputs_;
        default: return 0;
    }
}

void AxiIic::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (offset >= interrupts && InterruptBlock::contains(offset - interrupts)) {
        interrupts_.write(offset - interrupts, value, now);
    } else if (offset >= timing && offset < end) {
        timing_[(offset - timing) / 4] = value;
    } else {
        switch (offset) {
            case softr:
                if ((value & 0xF) == reset_key) reset(now);
                break;
            case cr: write_control(value); break;
            case tx_fifo:
                if ((control_ & transmit_reset) == 0) transmit_.push(static_cast<std::uint16_t>(value & word_bits));
                break;
            case adr: own_address_ = value & 0xFE; break;
            case ten_adr: ten_bit_address_ = value & 0x7; break;
            case rx_fifo_pirq: threshold_ = value & 0xF; break;
            case gpo: outputs_ = value; break;
            default: break;
        }
        proceed(now);
    }
    latch(now);
}

void AxiIic::write_control(std::uint32_t value) {
    control_ = value & control_bits;
    if ((control_ & transmit_reset) != 0) transmit_.clear();
    if ((control_ & enable) == 0) abandon();
}

bool AxiIic::steady(std::uint32_t offset) const { return offset != rx_fifo || receive_.empty(); }

void AxiIic::reset(Time now) {
    abandon();
    transmit_.clear();
    receive_.clear();
    control_ = threshold_ = own_address_ = ten_bit_address_ = outputs_ = 0;
    timing_ = {};
    interrupts_.reset(now);
    latch(now);
}

}  // namespace gapless
