// Devices that come and go together: what a design has in the PL, or what is always there.
//
// They are put together with nobody looking, and are on the board's bus from Machine::load() on, until another design
// takes their place. Who still holds them then does no harm: nothing of them acts any more.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/adc.hpp"
#include "model/axi_dma.hpp"
#include "model/combiner.hpp"
#include "model/dac.hpp"
#include "model/iop.hpp"
#include "model/ip.hpp"
#include "model/splitter.hpp"
#include "model/stream_fifo.hpp"
#include "model/zdma.hpp"

namespace gapless {

class Parts {
public:
    // What all of a board share.
    struct World {
        AddressSpace& memory;
        Findings& findings;
    };
    struct Mapping {
        std::uint64_t base = 0, size = 0;
        Device* device = nullptr;
    };

    explicit Parts(World world) : world_(world) {}
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    // ---- assembly ----
    // The host's bus reaches as much of it as 32 bits count.
    void add_memory(AddressSpace::Memory memory);
    AxiDma& add_dma(std::uint64_t base, DmaConfig config);
    Zdma& add_zdma(std::uint64_t base, ZdmaConfig config);
    Dac& add_dac(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes);
    Adc& add_adc(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes);
    Splitter& add_splitter(std::uint64_t base, std::vector<Dac*> dacs);
    Combiner& add_combiner(std::uint64_t base, std::vector<Adc*> adcs);
    StreamFifo& add_fifo(std::uint32_t depth);
    Iop& add_iop(std::uint64_t base, IopConfig config);
    // On the host's bus. `line`: of its interrupt, or -1.
    void add_peripheral(std::uint64_t base, std::uint64_t size, std::shared_ptr<Peripheral> peripheral, int line);
    // Of a user's design, with registers where `size` is not 0.
    Ip& add_ip(std::uint64_t base, std::uint64_t size, std::string name, int line);
    // A pin of the PS: followed while these parts are on the bus.
    void follow(Wire& pin, Wire::Listener listener);
    InterruptLines& interrupts() { return interrupts_; }

    // ---- with the machine's lock held ----
    // They are on the bus: `horizon` is the machine's (see Component::watch).
    void attach(Time& horizon, Time now);
    // They are not any more, and never will be.
    void retire(Time now);
    bool uses(std::uint64_t base, std::uint64_t nbytes) const;
    // Whether one of them drives this interrupt line.
    bool drives(int line) const;
    // The processor that the present access set going.
    Iop* take_stirred() { return std::exchange(stirred_, nullptr); }
    const std::vector<AddressSpace::Memory>& memories() const { return memories_; }
    const std::vector<Mapping>& mappings() const { return mappings_; }
    const std::vector<Component*>& components() const { return components_; }

private:
    template <typename T>
    T& add_device(std::uint64_t base, std::shared_ptr<T> device, std::uint64_t size = 0x1000);
    void add_component(Component& component);

    const World world_;
    InterruptLines interrupts_;
    std::vector<int> lines_;  // that they drive
    std::vector<AddressSpace::Memory> memories_;
    std::vector<std::shared_ptr<Device>> devices_;
    std::vector<std::unique_ptr<StreamFifo>> fifos_;
    std::vector<AxiDma*> dmas_;
    std::vector<Zdma*> zdmas_;
    std::vector<Iop*> iops_;
    std::vector<Component*> components_;
    std::vector<Mapping> mappings_;
    std::vector<std::pair<Wire*, Wire::Listener>> pins_;
    Iop* stirred_ = nullptr;
    Time nobodys_ = never;      // the horizon of what nobody runs
    Time* horizon_ = &nobodys_;
};

}  // namespace gapless
