#include "model/address_space.hpp"

#include <cstdio>
#include <string>

namespace gapless {

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llX", static_cast<unsigned long long>(value));
    return text;
}

void AddressSpace::add_memory(Memory memory) {
    memories_.insert(memories_.end() - static_cast<std::ptrdiff_t>(loaded_), std::move(memory));
}

void AddressSpace::load(const std::vector<Memory>& memories) {
    memories_.resize(memories_.size() - loaded_);
    memories_.insert(memories_.end(), memories.begin(), memories.end());
    loaded_ = memories.size();
    ++generation_;
}

void AddressSpace::add_slave_error(std::uint64_t base, std::uint64_t size) {
    slave_errors_.emplace_back(base, size);
    ++generation_;
}

const AddressSpace::Memory* AddressSpace::find(std::uint64_t address) const {
    for (const auto& memory : memories_)
        if (address - memory.base < memory.size) return &memory;
    return nullptr;
}

Response AddressSpace::respond(std::uint64_t address, std::uint64_t nbytes) const {
    const Memory* memory = find(address);
    if (memory == nullptr || nbytes > memory->size - (address - memory->base)) return Response::decode_error;
    for (const auto& [base, size] : slave_errors_)
        if (address < base + size && base < address + nbytes) return Response::slave_error;
    return Response::okay;
}

std::uint8_t* AddressSpace::translate(std::uint64_t address) const {
    const Memory* memory = find(address);
    return memory == nullptr ? nullptr : memory->data + (address - memory->base);
}

int AddressSpace::kind(std::uint64_t address) const {
    const Memory* memory = find(address);
    return memory == nullptr ? 0 : memory->kind;
}

std::uint64_t AddressSpace::contiguous(std::uint64_t address) const {
    const Memory* memory = find(address);
    return memory == nullptr ? 0 : memory->size - (address - memory->base);
}

bool AddressSpace::guarded(std::uint64_t address) const {
    const Memory* memory = find(address);
    return memory != nullptr && memory->guarded;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> AddressSpace::buffer_at(std::uint64_t address) const {
    auto after = buffers_.upper_bound(address);
    if (after == buffers_.begin()) return std::nullopt;
    const auto& [base, size] = *std::prev(after);
    if (address - base >= size) return std::nullopt;
    return std::make_pair(base, size);
}

bool AddressSpace::in_one_buffer(std::uint64_t address, std::uint64_t nbytes) const {
    const Memory* memory = find(address);
    if (memory == nullptr || !memory->guarded) return true;
    const auto buffer = buffer_at(address);
    return buffer && nbytes <= buffer->second - (address - buffer->first);
}

}  // namespace gapless
