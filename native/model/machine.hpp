// The virtual board's clock, bus and actors.
//
// Time moves only when software touches the bus or waits. Every actor (a streaming loop, the interpreter)
// has a time of its own; the one furthest behind goes first, and the models are brought to its time before
// it touches a register. So two loops in two host threads give the same result whatever the host's
// scheduler does, and nothing polls in real time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "model/adc.hpp"
#include "model/axi_dma.hpp"
#include "model/callout.hpp"
#include "model/combiner.hpp"
#include "model/cpu_clock.hpp"
#include "model/dac.hpp"
#include "model/iop.hpp"
#include "model/ip.hpp"
#include "model/splitter.hpp"
#include "model/stream_fifo.hpp"
#include "model/wall_clock.hpp"
#include "model/zdma.hpp"
#include "register_bus.hpp"

namespace gapless {

struct AccessCost {
    Time read = 200'000;   // 200 ns
    Time write = 100'000;  // 100 ns
};

class Machine : public std::enable_shared_from_this<Machine> {
public:
    // `slowdown` above 0: the CPU time that software spends between two accesses passes, too, so many times over.
    explicit Machine(AccessCost cost, double slowdown = 0);

    // ---- assembly, before the first access ----
    Port& add_port(double bandwidth);
    AxiDma& add_dma(std::uint64_t base, DmaConfig config);
    Zdma& add_zdma(std::uint64_t base, ZdmaConfig config);
    Dac& add_dac(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes);
    Adc& add_adc(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes);
    Splitter& add_splitter(std::uint64_t base, std::vector<Dac*> dacs);
    Combiner& add_combiner(std::uint64_t base, std::vector<Adc*> adcs);
    StreamFifo& add_fifo(std::uint32_t depth);
    Iop& add_iop(std::uint64_t base, IopConfig config);
    // On the host's bus. `line`: of its interrupt, or -1.
    void add_peripheral(std::uint64_t base, std::shared_ptr<Peripheral> peripheral, int line,
                        std::uint64_t size = 0x1000);
    std::shared_ptr<Ip> add_ip(std::uint64_t base, std::uint64_t size, std::string name, int line);
    InterruptLines& interrupts() { return interrupts_; }

    AddressSpace& memory() { return memory_; }
    // For everything that looks at or changes the models from outside a bus access. BusFault for who has it already.
    std::unique_lock<std::mutex> lock() {
        Callout::refuse();
        return std::unique_lock(mutex_);
    }
    // For what a callback of this board, which has it, may do as well.
    std::unique_lock<std::mutex> lock_also_in_callback() {
        return Callout::inside(this) ? std::unique_lock<std::mutex>() : lock();
    }
    const Findings& findings() const { return findings_; }
    Time now() const { return now_; }
    // A buffer was given back: an engine that still uses it is a finding.
    void released(std::uint64_t base, std::uint64_t nbytes);

    std::shared_ptr<RegisterBus> bus();  // a new actor, at the present time

    // From now on time passes, too, while software does something off the bus: as much as on the wall. Not while
    // several threads of control are under way: streaming loops bring time with them. For programs that wait by
    // sleeping; the same run is no longer the same twice.
    void follow_wall_clock();
    void stop_wall_clock() { wall_clock_.reset(); }

private:
    friend class VirtualBus;

    struct Actor {
        enum class State { running, requesting, waiting, parked };
        std::uint64_t id = 0;
        State state = State::running;
        Time time = 0;
        Awaited awaited;
        const Iop* iop = nullptr;  // that is to settle
        Time deadline = never;
        std::atomic<bool> cancelled{false};
        Time key() const { return state == State::waiting ? deadline : time; }
    };
    using Lock = std::unique_lock<std::mutex>;

    template <typename T>
    T& add_device(std::uint64_t base, std::shared_ptr<T> device, std::uint64_t size = 0x1000);
    void add_component(Component& component);
    std::shared_ptr<Actor> add_actor(Time time);
    void remove_actor(const Actor& actor);
    bool is_first(const Actor& actor) const;
    Time first_of_others(const Actor& actor) const;
    void take_turn(Lock& lock, Actor& actor);
    bool wait(Lock& lock, Actor& actor, Awaited awaited, Time deadline);
    void let_settle(Lock& lock, Actor& actor);
    bool is_up(const Actor& actor) const;
    bool advance(Time until, const Actor& driver);
    void pass(Time elapsed);
    bool wake_waiting();
    unsigned add_signal();
    // Wakes the threads that wait for their turn, if there are any.
    void notify() {
        if (sleepers_ > 0) turn_.notify_all();
    }
    void sleep(Lock& lock);
    Device& decode(std::uint64_t address, std::uint32_t& offset);
    Time until_others(const Component& next, Time until) const;

    struct Mapping {
        std::uint64_t base, size;
        Device* device;
    };

    const AccessCost cost_;
    const CpuClock cpu_clock_;
    std::mutex mutex_;
    std::condition_variable turn_;
    unsigned sleepers_ = 0;
    Time now_ = 0;
    Time horizon_ = never;  // no component is due before
    std::uint64_t next_id_ = 0;
    std::vector<std::shared_ptr<Actor>> actors_;

    AddressSpace memory_;
    InterruptLines interrupts_, signals_;
    std::uint64_t signals_taken_ = 0;  // a bit each
    Findings findings_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<std::shared_ptr<Device>> devices_;
    std::vector<std::unique_ptr<StreamFifo>> fifos_;
    std::vector<AxiDma*> dmas_;
    std::vector<Zdma*> zdmas_;
    Iop* stirred_ = nullptr;  // by the present access
    std::vector<Component*> components_;
    std::vector<Mapping> mappings_;
    std::size_t last_decoded_ = 0;  // software comes back to the same device
    std::unique_ptr<WallClock> wall_clock_;  // the last, so that it ends first
};

}  // namespace gapless
