// One channel of an AXI DMA (PG021): its registers, interrupts, descriptor fetch and completion. What
// differs between the directions, moving the data, is left to Mm2sChannel and S2mmChannel.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "model/address_space.hpp"
#include "model/component.hpp"
#include "model/findings.hpp"
#include "model/port.hpp"
#include "model/stream.hpp"

namespace gapless {

struct DmaConfig {
    std::string name;
    bool scatter_gather = true;
    unsigned length_width = 26;   // bits
    unsigned address_width = 40;  // bits
    std::uint32_t data_bytes = 32;
    bool realignment = false;  // DRE
    std::uint32_t memory_bytes = 0;  // of the memory side, where it is wider: buffers are aligned to it
    double clock = 300e6;      // Hz, of the stream and of the scatter-gather engine
    int mm2s_interrupt = -1;
    int s2mm_interrupt = -1;
    std::array<Port*, 4> ports{};  // by kind of memory
    // The (base, size) ranges that the design lets it see; empty: all memory.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> reach;

    std::uint32_t alignment() const { return std::max(data_bytes, memory_bytes); }
};

// What the channels of all instances share.
struct DmaWorld {
    AddressSpace& memory;
    InterruptLines& interrupts;
    Findings& findings;
};

class DmaChannel : public Component {
public:
    DmaChannel(const DmaConfig& config, DmaWorld world, int interrupt, const char* name);

    std::uint32_t read(std::uint32_t offset, Time now);
    void write(std::uint32_t offset, std::uint32_t value, Time now);
    void reset(Time now);

    void step(Time now) final;
    void wake(Time now) final;

    bool halted() const { return halted_; }
    // Whether a descriptor being worked on, or fetched and waiting, overlaps the range.
    bool uses(std::uint64_t base, std::uint64_t nbytes) const;
    // Faults: hold the stream still; do not raise the interrupt line.
    void set_stalled(bool stalled, Time now);
    void set_interrupt_lost(bool lost) { interrupt_lost_ = lost; }

    // Register offsets within the channel (PG021, "Register Space"); S2MM's are 0x30 higher.
    enum Offset : std::uint32_t {
        dmacr = 0x00, dmasr = 0x04, curdesc = 0x08, curdesc_msb = 0x0C, taildesc = 0x10, taildesc_msb = 0x14,
        address = 0x18, address_msb = 0x1C, length = 0x28,
    };
    enum Control : std::uint32_t {
        run = 1u << 0, control_reserved = 1u << 1, soft_reset = 1u << 2, keyhole = 1u << 3, cyclic = 1u << 4,
        ioc_enable = 1u << 12, delay_enable = 1u << 13, error_enable = 1u << 14,
    };
    enum Status : std::uint32_t {
        status_halted = 1u << 0, idle = 1u << 1, sg_included = 1u << 3, internal_error = 1u << 4,
        slave_error = 1u << 5, decode_error = 1u << 6, sg_internal_error = 1u << 8, sg_slave_error = 1u << 9,
        sg_decode_error = 1u << 10, ioc_irq = 1u << 12, delay_irq = 1u << 13, error_irq = 1u << 14,
    };
    static constexpr std::uint32_t control_at_reset = 0x00010002;

protected:
    struct Transfer {  // a descriptor, or a direct-mode transfer
        std::uint64_t descriptor = 0;
        std::uint64_t address = 0;
        std::uint32_t length = 0;
        std::uint32_t moved = 0;
        bool first_of_packet = false, last_of_packet = false;
    };
    struct Completion {
        Time time;
        Transfer transfer;
    };
    static constexpr std::uint32_t descriptor_bytes = 64, status_offset = 0x1C;
    static constexpr std::uint32_t start_of_frame = 1u << 27, end_of_frame = 1u << 26, descriptor_complete = 1u << 31;
    static constexpr std::uint32_t burst_limit = 4096;   // AXI4: a burst never crosses a 4 KiB boundary
    static constexpr std::size_t outstanding_limit = 4;  // bursts read ahead of the stream

    // Move the next burst of `active_`; sets `move_due_`.
    virtual void move(Time now) = 0;
    // The channel was told to stop: may the transfer be dropped now, rather than completed?
    virtual bool may_abandon() const = 0;
    // Clocks between the start of a transfer and its data, after `fetch` where there is one.
    virtual std::uint32_t start_clocks() const = 0;
    virtual std::uint32_t packet_clocks() const = 0;
    virtual std::uint32_t completion_flags(const Transfer& transfer) const = 0;
    virtual void forget_stream() = 0;

    std::uint32_t next_burst(std::uint32_t limit) const;
    Port::Slot serve(Time now, std::uint32_t nbytes);
    // Looks where the burst goes; raises the channel's error and answers false when nowhere.
    bool reach(std::uint32_t nbytes);
    // What memory answers, or the interconnect for a range that it does not lead to.
    Response respond(std::uint64_t at, std::uint64_t nbytes) const;
    void finish(Time when);
    void fail(std::uint32_t status_bit);
    // A new packet restarts the delay timer.
    void packet_started() { delay_due_ = never; }
    Time clocks(std::uint32_t count) const { return static_cast<Time>(count * clock_period_); }

    const DmaConfig& config_;
    DmaWorld world_;
    const std::string name_;

    bool active_valid_ = false;
    Transfer active_;
    Time move_due_ = never;
    Cause late_cause_ = Cause::late;  // why the converter ran dry, if it did, before the next burst
    std::deque<Time> outstanding_;    // when the bursts under way end
    Time ready_ = 0;                  // when the next burst may start
    bool stalled_ = false;

private:
    void start_transfer(const Transfer& transfer, Time when);
    void write_control(std::uint32_t value, Time now);
    void write_tail(std::uint32_t value, bool upper, Time now);
    void write_length(std::uint32_t value, Time now);
    std::uint32_t kept_length(std::uint32_t value, const char* what, std::uint64_t where, Time now);
    void stop();
    void kick_fetch(Time when);
    void fetch(Time now);
    // `pipelined`: right behind the transfer before, with no start-up of its own.
    void begin_next(Time now, bool pipelined);
    void complete(const Completion& completion);
    void packet_done(Time now);
    void settle_state();
    void update_due();
    void update_line();
    void check_buffer(const Transfer& transfer, Time now);
    std::uint32_t status_word() const;
    std::uint64_t address_mask() const;
    bool cyclic_mode() const { return config_.scatter_gather && (control_ & cyclic) != 0; }

    const int interrupt_;
    const double clock_period_;  // picoseconds
    Port stream_;                // the engine's own data path

    std::uint32_t control_ = control_at_reset;
    std::uint32_t errors_ = 0, irqs_ = 0;
    bool halted_ = true, idle_ = false, stopping_ = false;
    bool interrupt_lost_ = false;
    std::uint64_t current_ = 0, tail_ = 0, address_ = 0;
    std::uint32_t length_ = 0;
    unsigned threshold_left_ = 1;
    Time reset_until_ = 0;

    bool at_tail_ = true;           // the fetch has reached the tail
    bool fetch_fresh_ = true;       // next fetch starts from CURDESC
    std::uint64_t next_fetch_ = 0, last_fetched_ = 0;
    Time fetch_due_ = never, delay_due_ = never;
    std::deque<Transfer> fetched_;
    std::deque<Completion> completions_;
    bool packet_open_ = false;
};

class Mm2sChannel final : public DmaChannel {
public:
    Mm2sChannel(const DmaConfig& config, DmaWorld world);
    void connect(StreamSink* sink) { sink_ = sink; }

private:
    void move(Time now) override;
    bool may_abandon() const override { return blocked_; }
    std::uint32_t start_clocks() const override { return 6; }   // data read to stream valid
    std::uint32_t packet_clocks() const override { return 6; }  // 99.76 % of 10,000-byte packets
    std::uint32_t completion_flags(const Transfer&) const override { return 0; }
    void forget_stream() override { blocked_ = false; }

    StreamSink* sink_ = nullptr;
    bool blocked_ = false;  // the stream takes nothing
};

class S2mmChannel final : public DmaChannel {
public:
    S2mmChannel(const DmaConfig& config, DmaWorld world);
    void connect(StreamSource* source) { source_ = source; }

private:
    void move(Time now) override;
    bool may_abandon() const override { return starved_; }
    std::uint32_t start_clocks() const override { return 39; }    // stream valid to first write
    std::uint32_t packet_clocks() const override { return 849; }  // 74.64 % of 10,000-byte packets
    std::uint32_t completion_flags(const Transfer& transfer) const override {
        return (transfer.first_of_packet ? start_of_frame : 0u) | (transfer.last_of_packet ? end_of_frame : 0u);
    }
    void forget_stream() override {
        starved_ = false;
        in_packet_ = false;
    }

    StreamSource* source_ = nullptr;
    bool starved_ = false;    // the stream has nothing to give
    bool in_packet_ = false;  // data was taken since the last TLAST
};

}  // namespace gapless
