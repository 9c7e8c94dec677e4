// What a ZDMA channel moves, and when it ends (UG1085, "DMA Controller").
#include "model/zdma.hpp"

#include <algorithm>
#include <cstring>

namespace gapless {

namespace {

constexpr std::uint32_t size_mask = 0x3FFFFFFF, linked = 1u << 1, tells = 1u << 2, command_shift = 3;
constexpr std::uint32_t command_pause = 1, command_stop = 2;
constexpr std::uint32_t incrementing = 1, read_burst_shift = 26, write_burst_shift = 12;
constexpr std::uint64_t address_mask = (std::uint64_t{1} << 49) - 1;

std::uint64_t load64(const std::uint8_t* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace

// ---- start and end ---------------------------------------------------------------------------------

void Zdma::control_written(Time now) {
    const bool enabled = (reg(ctrl2) & 1) != 0;
    if (state_ == State::paused) {
        if ((reg(ctrl0) & go_on) == 0) return;
        reg(ctrl0) &= ~static_cast<std::uint32_t>(go_on);
        if (enabled)
            resume(now);
        else
            end(State::idle, 0);
    } else if (enabled && state_ != State::busy) {
        start(now);
    } else if (!enabled && state_ == State::busy && chunk_ == 0) {
        end(State::idle, 0);  // else when the bursts under way are done
    }
}

void Zdma::start(Time now) {
    state_ = State::busy;
    mode_ = Mode::copy;
    if ((reg(ctrl0) & rate_control) != 0) unsupported("rate control", now);
    if ((reg(fci) & 1) != 0) unsupported("flow control", now);
    if (!simple()) {
        if (!load(destination_, wide(dst_start), dst_current, dst_descriptor_error, now)) return;
        if (!load(source_, wide(src_start), src_current, src_descriptor_error, now)) return;
        begin_chunk(now);
        return;
    }
    const std::uint32_t mode = reg(ctrl0) >> 4 & 3;
    if (mode != 0) mode_ = mode == write_only ? Mode::write_only : Mode::read_only;
    const std::uint32_t attributes = reg(data_attr);
    if ((attributes >> read_burst_shift & 3) != incrementing || (attributes >> write_burst_shift & 3) != incrementing)
        unsupported("bursts to one address", now);
    source_ = {wide(src_word0), reg(src_word0 + 8), reg(src_word0 + 12), 0, 0};
    destination_ = {wide(dst_word0), reg(dst_word0 + 8), reg(dst_word0 + 12), 0, 0};
    // Only one of the two sizes counts.
    if (mode_ == Mode::write_only) source_.left = destination_.left;
    else destination_.left = source_.left;
    if (mode_ != Mode::write_only) check_piece(source_, "read", now);
    if (mode_ != Mode::read_only) check_piece(destination_, "write", now);
    begin_chunk(now);
}

void Zdma::resume(Time now) {
    state_ = State::busy;
    if ((reg(ctrl0) & go_on_from_start) != 0) {
        if (!load(destination_, wide(dst_start), dst_current, dst_descriptor_error, now)) return;
        if (!load(source_, wide(src_start), src_current, src_descriptor_error, now)) return;
    } else if (!load(source_, source_.next, src_current, src_descriptor_error, now)) {
        return;
    }
    begin_chunk(now);
}

void Zdma::end(State state, std::uint32_t events) {
    state_ = state;
    chunk_ = 0;
    source_.left = destination_.left = 0;
    reg(ctrl2) = 0;
    set_due(never);
    raise(events);
}

// ---- descriptors -----------------------------------------------------------------------------------

bool Zdma::load(Side& side, std::uint64_t at, std::uint32_t current, Event error, Time now) {
    at &= address_mask;
    set_wide(current, at);
    side = Side{};
    // A linear descriptor has 16 bytes and the next one behind it; a linked one has 32. Both are aligned to
    // their size, and which it is stands in it.
    if (at % (descriptor_bytes / 2) != 0 || world_.memory.respond(at, descriptor_bytes / 2) != Response::okay) {
        end(State::failed, error | done);
        return false;
    }
    const std::uint8_t* words = world_.memory.translate(at);
    side.at = at;
    side.address = load64(words) & address_mask;
    side.left = load64(words + 8) & size_mask;
    side.control = static_cast<std::uint32_t>(load64(words + 8) >> 32);
    side.next = at + descriptor_bytes / 2;
    if ((side.control & linked) != 0) {
        if (at % descriptor_bytes != 0 || world_.memory.respond(at, descriptor_bytes) != Response::okay) {
            end(State::failed, error | done);
            return false;
        }
        side.next = load64(words + 16) & address_mask;
    }
    if (!world_.memory.in_one_buffer(at, (side.control & linked) != 0 ? descriptor_bytes : descriptor_bytes / 2))
        world_.findings.add(now, "descriptor-outside-buffer",
                            config_.name + ": descriptor fetched from " + hex(at) + ", where no buffer is allocated", at);
    check_piece(side, &side == &source_ ? "read" : "write", now);
    return true;
}

void Zdma::check_piece(const Side& side, const char* what, Time now) {
    if (side.left == 0 || world_.memory.in_one_buffer(side.address, side.left)) return;
    const auto buffer = world_.memory.buffer_at(side.address);
    std::string text = config_.name + ": " + what + " of " + std::to_string(side.left) + " bytes at " + hex(side.address);
    if (buffer)
        text += " runs past the end of its buffer at " + hex(buffer->first + buffer->second);
    else
        text += " goes where no buffer is allocated";
    world_.findings.add(now, buffer ? "past-buffer-end" : "unallocated-memory", std::move(text), side.address);
}

void Zdma::unsupported(const char* what, Time now) {
    world_.findings.add(now, "not-modelled", config_.name + ": " + what + " was asked for and is not modelled", 0);
}

// A list that has come to memory with no descriptors in it, or goes round with nothing to move.
void Zdma::lost(const Side& side, Event error, Time now) {
    world_.findings.add(now, "descriptors-without-data",
                        config_.name + ": a list of descriptors of no bytes, at " + hex(side.at), side.at);
    end(State::failed, error | done);
}

bool Zdma::uses(std::uint64_t base, std::uint64_t nbytes) const {
    if (state_ != State::busy) return false;
    const auto overlaps = [&](const Side& side) {
        return side.left != 0 && side.address < base + nbytes && base < side.address + side.left;
    };
    return overlaps(source_) || overlaps(destination_);
}

// ---- data ------------------------------------------------------------------------------------------

bool Zdma::reach(std::uint64_t address, Event error) {
    if (world_.memory.respond(address, chunk_) == Response::okay) return true;
    end(State::failed, error | done);
    return false;
}

// Sends the next bursts on their way; the bytes are moved when they are through.
void Zdma::begin_chunk(Time now) {
    for (unsigned empty = 0; source_.left == 0; ++empty) {
        if (empty > empty_limit) return lost(source_, src_descriptor_error, now);
        source_done(now);
        if (state_ != State::busy) return;
    }
    for (unsigned empty = 0; mode_ != Mode::read_only && destination_.left == 0; ++empty) {
        if (empty > empty_limit) return lost(destination_, dst_descriptor_error, now);
        // The lists do not cover the same bytes when this is the last one, and then hardware reads on.
        if (!load(destination_, destination_.next, dst_current, dst_descriptor_error, now)) return;
    }
    chunk_ = std::min(source_.left, chunk_limit);
    Time ends = now;
    if (mode_ != Mode::read_only) chunk_ = std::min(chunk_, destination_.left);
    const auto serve = [&](std::uint64_t address) {
        Port* port = config_.ports[static_cast<std::size_t>(world_.memory.kind(address))];
        ends = std::max(ends, port->serve(now, static_cast<std::uint32_t>(chunk_)).end);
    };
    if (mode_ != Mode::write_only) serve(source_.address);
    if (mode_ != Mode::read_only) serve(destination_.address);
    set_due(ends);
}

void Zdma::end_chunk() {
    if (mode_ != Mode::write_only && !reach(source_.address, read_error)) return;
    if (mode_ != Mode::read_only && !reach(destination_.address, write_error)) return;
    if (mode_ == Mode::copy) {
        std::memmove(world_.memory.translate(destination_.address), world_.memory.translate(source_.address), chunk_);
    } else if (mode_ == Mode::write_only) {
        std::uint8_t* to = world_.memory.translate(destination_.address);
        const auto* pattern = reinterpret_cast<const std::uint8_t*>(&reg(wr_only));
        for (std::uint64_t i = 0; i < chunk_; ++i) to[i] = pattern[i % config_.bus_bytes];
    }
    const std::uint32_t before = reg(total_byte);
    reg(total_byte) += static_cast<std::uint32_t>(chunk_);
    if (reg(total_byte) < before) reg(isr) |= byte_overflow;
    source_.address += chunk_;
    source_.left -= chunk_;
    if (mode_ != Mode::read_only) {
        destination_.address += chunk_;
        destination_.left -= chunk_;
        if (destination_.left == 0 && (destination_.control & tells) != 0)
            count_done(dst_acct, dst_done, dst_acct_overflow);
    }
    chunk_ = 0;
}

void Zdma::source_done(Time now) {
    if ((source_.control & tells) != 0) count_done(src_acct, src_done, src_acct_overflow);
    const std::uint32_t command = source_.control >> command_shift & 3;
    if (simple() || command == command_stop) {
        end(State::idle, done);
    } else if (command == command_pause) {
        state_ = State::paused;
        set_due(never);
        raise(paused_event);
    } else {
        load(source_, source_.next, src_current, src_descriptor_error, now);
    }
}

// The account says of how many descriptors the interrupt tells; it has 8 bits.
void Zdma::count_done(std::uint32_t account, Event event, Event overflow) {
    reg(account) = (reg(account) + 1) & 0xFF;
    raise(reg(account) == 0 ? event | overflow : event);
}

void Zdma::step(Time now) {
    set_due(never);
    end_chunk();
    if (state_ != State::busy) return;
    if ((reg(ctrl2) & 1) == 0)
        end(State::idle, 0);
    else
        begin_chunk(now);
}

}  // namespace gapless
