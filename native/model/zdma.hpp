// A channel of the PS's own DMA controllers, GDMA or ADMA (UG1085, "DMA Controller"; UG1087, "ZDMA Module"):
// memory to memory, by registers or by lists of descriptors.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "model/dma_channel.hpp"

namespace gapless {

struct ZdmaConfig {
    std::string name;
    unsigned bus_bytes = 16;  // 16 for GDMA, 8 for ADMA
    int interrupt = -1;
    std::array<Port*, 4> ports{};  // by kind of memory
};

class Zdma final : public Device, public Component {
public:
    Zdma(ZdmaConfig config, DmaWorld world) : config_(std::move(config)), world_(world) {}

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    void step(Time now) override;
    void wake(Time) override {}

    // Whether a descriptor being worked on overlaps the range.
    bool uses(std::uint64_t base, std::uint64_t nbytes) const;
    // A fault: do not raise the interrupt line.
    void set_interrupt_lost(bool lost) { interrupt_lost_ = lost; }

private:
    enum Offset : std::uint32_t {
        err_ctrl = 0x000, isr = 0x100, imr = 0x104, ien = 0x108, ids = 0x10C, ctrl0 = 0x110, ctrl1 = 0x114, fci = 0x118,
        status = 0x11C, data_attr = 0x120, dscr_attr = 0x124, src_word0 = 0x128, dst_word0 = 0x138, wr_only = 0x148,
        src_start = 0x158, dst_start = 0x160, src_payload = 0x168, dst_payload = 0x170, src_current = 0x178,
        dst_current = 0x180, total_byte = 0x188, rate_ctrl = 0x18C, src_acct = 0x190, dst_acct = 0x194, dbg0 = 0x198,
        dbg1 = 0x19C, ctrl2 = 0x200,
    };
    enum Event : std::uint32_t {
        invalid_access = 1u << 0, src_done = 1u << 1, dst_done = 1u << 2, byte_overflow = 1u << 3,
        src_acct_overflow = 1u << 4, dst_acct_overflow = 1u << 5, src_descriptor_error = 1u << 6,
        dst_descriptor_error = 1u << 7, read_error = 1u << 8, write_error = 1u << 9, done = 1u << 10,
        paused_event = 1u << 11, every_event = 0xFFF,
    };
    enum Control : std::uint32_t {
        go_on = 1u << 1, go_on_from_start = 1u << 2, rate_control = 1u << 3, write_only = 1, read_only = 2,
        from_lists = 1u << 6,
    };
    enum class State : std::uint32_t { idle = 0, paused = 1, busy = 2, failed = 3 };
    enum class Mode { copy, write_only, read_only };

    // What is left of one side's present descriptor.
    struct Side {
        std::uint64_t address = 0, left = 0;
        std::uint32_t control = 0;
        std::uint64_t at = 0;    // of the descriptor, in a list
        std::uint64_t next = 0;  // what it points to
    };

    bool simple() const { return (registers_[ctrl0 / 4] & from_lists) == 0; }
    std::uint32_t& reg(std::uint32_t offset) { return registers_[offset / 4]; }
    std::uint64_t wide(std::uint32_t offset) const {
        return std::uint64_t{registers_[offset / 4 + 1]} << 32 | registers_[offset / 4];
    }
    void set_wide(std::uint32_t offset, std::uint64_t value);
    void control_written(Time now);
    void start(Time now);
    void resume(Time now);
    bool load(Side& side, std::uint64_t at, std::uint32_t current, Event error, Time now);
    void check_piece(const Side& side, const char* what, Time now);
    void begin_chunk(Time now);
    void end_chunk();
    bool reach(std::uint64_t address, Event error);
    void source_done(Time now);
    void count_done(std::uint32_t account, Event event, Event overflow);
    void end(State state, std::uint32_t events);
    void raise(std::uint32_t events);
    void update_line();
    void lost(const Side& side, Event error, Time now);
    void unsupported(const char* what, Time now);

    static constexpr std::uint32_t descriptor_bytes = 32;
    static constexpr std::uint64_t chunk_limit = 64 << 10;
    static constexpr unsigned empty_limit = 4096;  // descriptors of no bytes, one after the other

    const ZdmaConfig config_;
    DmaWorld world_;
    // Zero after a reset, but for these.
    std::array<std::uint32_t, 0x204 / 4> registers_ = [] {
        std::array<std::uint32_t, 0x204 / 4> values{};
        values[imr / 4] = every_event;
        values[ctrl0 / 4] = 0x80;
        values[ctrl1 / 4] = 0x3FF;
        values[data_attr / 4] = 0x0483D20F;
        return values;
    }();
    State state_ = State::idle;
    Mode mode_ = Mode::copy;
    Side source_, destination_;
    std::uint64_t chunk_ = 0;  // bytes under way
    bool interrupt_lost_ = false;
};

}  // namespace gapless
