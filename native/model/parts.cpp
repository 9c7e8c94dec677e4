#include "model/parts.hpp"

#include <algorithm>

#include "model/bus_memory.hpp"

namespace gapless {

// ---- assembly --------------------------------------------------------------------------------------

template <typename T>
T& Parts::add_device(std::uint64_t base, std::shared_ptr<T> device, std::uint64_t size) {
    T& reference = *device;
    devices_.push_back(std::move(device));
    mappings_.push_back({base, size, &reference});
    return reference;
}

void Parts::add_memory(AddressSpace::Memory memory) {
    const std::uint64_t size = std::min(memory.size, std::uint64_t{1} << 32);
    add_device(memory.base, std::make_shared<BusMemory>(memory.data, memory.owner), size);
    memories_.push_back(std::move(memory));
}

void Parts::add_component(Component& component) {
    component.watch(*horizon_);
    components_.push_back(&component);
}

AxiDma& Parts::add_dma(std::uint64_t base, DmaConfig config) {
    lines_.insert(lines_.end(), {config.mm2s_interrupt, config.s2mm_interrupt});
    const DmaWorld world{world_.memory, interrupts_, world_.findings};
    AxiDma& dma = add_device(base, std::make_shared<AxiDma>(std::move(config), world));
    dmas_.push_back(&dma);
    add_component(dma.mm2s());
    add_component(dma.s2mm());
    return dma;
}

Zdma& Parts::add_zdma(std::uint64_t base, ZdmaConfig config) {
    lines_.push_back(config.interrupt);
    const DmaWorld world{world_.memory, interrupts_, world_.findings};
    Zdma& zdma = add_device(base, std::make_shared<Zdma>(std::move(config), world));
    zdmas_.push_back(&zdma);
    add_component(zdma);
    return zdma;
}

Dac& Parts::add_dac(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
    return add_device(base, std::make_shared<Dac>(samples_per_beat, fifo_bytes));
}

Adc& Parts::add_adc(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
    return add_device(base, std::make_shared<Adc>(samples_per_beat, fifo_bytes));
}

Splitter& Parts::add_splitter(std::uint64_t base, std::vector<Dac*> dacs) {
    return add_device(base, std::make_shared<Splitter>(std::move(dacs)));
}

Combiner& Parts::add_combiner(std::uint64_t base, std::vector<Adc*> adcs) {
    return add_device(base, std::make_shared<Combiner>(std::move(adcs)));
}

StreamFifo& Parts::add_fifo(std::uint32_t depth) {
    fifos_.push_back(std::make_unique<StreamFifo>(depth));
    return *fifos_.back();
}

Iop& Parts::add_iop(std::uint64_t base, IopConfig config) {
    const std::uint64_t size = config.local_bytes;
    const IopWorld world{world_.memory, world_.findings, interrupts_, stirred_};
    Iop& iop = add_device(base, std::make_shared<Iop>(std::move(config), world), size);
    iops_.push_back(&iop);
    add_component(iop);
    return iop;
}

void Parts::add_peripheral(std::uint64_t base, std::uint64_t size, std::shared_ptr<Peripheral> peripheral, int line) {
    Peripheral& added = add_device(base, std::move(peripheral), size);
    add_component(added);
    if (line < 0) return;
    lines_.push_back(line);
    added.interrupt.connect([this, line](bool level, Time) { interrupts_.set(line, level); });
}

Ip& Parts::add_ip(std::uint64_t base, std::uint64_t size, std::string name, int line) {
    const auto ip = std::make_shared<Ip>(std::move(name), base, world_.findings);
    add_peripheral(base, size, ip, line);
    return *ip;
}

void Parts::follow(Wire& pin, Wire::Listener listener) {
    if (horizon_ != &nobodys_) pin.connect(listener);
    pins_.emplace_back(&pin, std::move(listener));
}

// ---- on the bus ------------------------------------------------------------------------------------

void Parts::attach(Time& horizon, Time now) {
    horizon_ = &horizon;
    for (Component* component : components_) component->watch(horizon);
    for (const auto& [pin, listener] : pins_) {
        pin->connect(listener);
        if (pin->level()) listener(true, now);
    }
}

void Parts::retire(Time now) {
    horizon_ = &nobodys_;
    for (Component* component : components_) component->watch(nobodys_);
    for (const auto& [pin, listener] : pins_) pin->connect({});
    for (Iop* iop : iops_) iop->hold(true, now);  // who looks at it from outside must not set it going
}

bool Parts::uses(std::uint64_t base, std::uint64_t nbytes) const {
    return std::any_of(dmas_.begin(), dmas_.end(), [&](AxiDma* dma) {
               return dma->mm2s().uses(base, nbytes) || dma->s2mm().uses(base, nbytes);
           }) ||
           std::any_of(zdmas_.begin(), zdmas_.end(), [&](const Zdma* zdma) { return zdma->uses(base, nbytes); });
}

bool Parts::drives(int line) const { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); }

}  // namespace gapless
