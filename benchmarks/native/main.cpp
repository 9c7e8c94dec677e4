// Register access and direct-mode re-arming, ours and a C loop in turn, on the model of a ZCU111. Prints JSON.
//
// Usage: gapless_bench [TRANSFERS [NBYTES [ROUNDS]]]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include "c_loop.h"
#include "model/machine.hpp"
#include "stopwatch.hpp"
#include "stream/loops.hpp"

namespace gapless {
namespace {

constexpr std::uint64_t first_dma = 0xA000'0000, first_converter = 0xA010'0000, memory_base = 0x10'0000'0000;
constexpr std::uint64_t direct_dma = first_dma + 0x1'0000;  // of DAC 0: two instances for each converter
constexpr unsigned direct_line = 1;
constexpr std::uint32_t dmacr = 0x00, dmasr = 0x04, source_address = 0x18;
constexpr std::uint32_t run_with_interrupts = 0x0001'5001;  // threshold 1, errors and IOC, RS
constexpr std::uint64_t rate_millihertz = 2'048'000'000'000;
constexpr std::uint32_t accesses = 100'000, pieces = 4;

// The parts of gapless's virtual ZCU111, in its order: as many devices to look through, as many models to step.
struct Board {
    explicit Board(std::uint64_t nbytes) : bytes(std::make_shared<std::vector<std::uint8_t>>(nbytes)) {
        machine->memory().add_memory({memory_base, nbytes, bytes->data(), bytes, 2, false});
        Parts& parts = *machine->fixed();
        std::vector<Port*> hp;
        for (int i = 0; i < 3; ++i) hp.push_back(&machine->port(machine->add_port(4.8e9)));
        Port& pl = machine->port(machine->add_port(19.2e9));
        std::vector<AxiDma*> dmas;
        for (unsigned line = 0; line < 12; ++line) {  // the last four are those of the pairs: not connected
            const bool transmit = line / 2 % 2 == 0;
            DmaConfig config;
            config.name = "dma";
            config.scatter_gather = line % 2 == 0;
            config.data_bytes = 64;
            (transmit ? config.mm2s_interrupt : config.s2mm_interrupt) = static_cast<int>(line);
            config.ports = {hp[0], hp[0], &pl, hp[0]};
            dmas.push_back(&parts.add_dma(first_dma + 0x1'0000ull * line, std::move(config)));
        }
        for (unsigned i = 0; i < 4; ++i) {
            const std::uint64_t base = first_converter + 0x1'0000ull * i;
            if (i % 2 == 0) {
                Dac& dac = parts.add_dac(base, 16, 1 << 20);
                for (unsigned k : {2 * i, 2 * i + 1}) dmas[k]->mm2s().connect(&dac);
            } else {
                Adc& adc = parts.add_adc(base, 8, 1 << 20);
                for (unsigned k : {2 * i, 2 * i + 1}) dmas[k]->s2mm().connect(&adc);
            }
        }
        bus = machine->bus();
        bus->write32(first_converter + Converter::rate, static_cast<std::uint32_t>(rate_millihertz));
        bus->write32(first_converter + Converter::rate + 4, static_cast<std::uint32_t>(rate_millihertz >> 32));
        bus->write32(first_converter + Converter::control, Converter::enable | Converter::clear);
        bus->write32(direct_dma + dmacr, run_with_interrupts);
    }

    std::shared_ptr<Machine> machine = std::make_shared<Machine>(AccessCost{});
    std::shared_ptr<std::vector<std::uint8_t>> bytes;
    std::shared_ptr<RegisterBus> bus;
};

template <typename Bus>
c_bus table(Bus& bus) {
    return {&bus, [](void* self, std::uint64_t address) { return static_cast<Bus*>(self)->read32(address); },
            [](void* self, std::uint64_t address, std::uint32_t value) {
                static_cast<Bus*>(self)->write32(address, value);
            }};
}

template <typename Call>
double seconds(Call call) {
    const auto began = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Pair {
    double ours, c;
};

std::vector<c_piece> list(const Plan& plan) {
    std::vector<c_piece> pieces_of_plan;
    for (const Segment& segment : plan.pass) pieces_of_plan.push_back({segment.address, segment.length});
    return pieces_of_plan;
}

void send_ours(RegisterBus& bus, const Plan& plan) {
    std::atomic<std::uint64_t> progress{0};
    PlanFeed feed(plan);
    const LoopResult result = run_direct(bus, {direct_dma, direct_line, true, false}, feed, {}, progress);
    if (result.outcome != Outcome::done || result.transfers != plan.size())
        throw std::runtime_error("run_direct did not send everything");
}

void send_c(const c_bus& functions, const std::vector<c_piece>& sent, std::uint64_t repeat) {
    const std::int64_t nbytes = c_send(&functions, direct_dma, sent.data(), sent.size(), repeat);
    if (nbytes != static_cast<std::int64_t>(sent.size() * repeat * sent[0].nbytes))
        throw std::runtime_error("the C loop did not send everything");
}

// Both loops send the same pieces through the same stopwatch, in turn; the median of the rounds.
Pair rearm(RegisterBus& bus, const Plan& plan, unsigned rounds) {
    Stopwatch watch(bus, direct_dma);
    const c_bus functions = table(watch);
    const std::vector<c_piece> sent = list(plan);
    std::vector<double> ours, theirs;
    for (unsigned round = 0; round <= rounds; ++round) {  // the first is not counted
        watch.begin(plan.size());
        send_ours(watch, plan);
        if (round > 0) ours.push_back(watch.typical());
        watch.begin(plan.size());
        send_c(functions, sent, plan.repeat);
        if (round > 0) theirs.push_back(watch.typical());
    }
    return {median(ours), median(theirs)};
}

// Whole turns of both loops, LENGTH to LENGTH, on registers that are plain memory.
Pair plain_turn(Plan plan, unsigned rounds) {
    PlainRegisters registers(direct_dma);
    const c_bus functions = table(registers);
    const std::vector<c_piece> sent = list(plan);
    plan.repeat *= 100;
    std::vector<double> ours, theirs;
    for (unsigned round = 0; round <= rounds; ++round) {
        const double our_time = seconds([&] { send_ours(registers, plan); });
        const double their_time = seconds([&] { send_c(functions, sent, plan.repeat); });
        if (round == 0) continue;
        ours.push_back(our_time / static_cast<double>(plan.size()));
        theirs.push_back(their_time / static_cast<double>(plan.size()));
    }
    return {median(ours), median(theirs)};
}

int run(std::uint64_t transfers, std::uint32_t nbytes, unsigned rounds) {
    Board board(static_cast<std::uint64_t>(pieces) * nbytes);
    Plan plan;
    for (std::uint32_t i = 0; i < pieces; ++i) plan.pass.push_back({memory_base + std::uint64_t{i} * nbytes, nbytes});
    plan.repeat = transfers / pieces;

    const c_bus functions = table(*board.bus);
    std::vector<double> reads, writes;
    for (unsigned round = 0; round <= rounds; ++round) {
        const double read = seconds([&] { c_reads(&functions, direct_dma + dmasr, accesses); });
        const double write = seconds([&] { c_writes(&functions, direct_dma + source_address, 64, accesses); });
        if (round == 0) continue;
        reads.push_back(read / accesses);
        writes.push_back(write / accesses);
    }
    const Pair virtual_board = rearm(*board.bus, plan, rounds);
    const Pair plain = plain_turn(plan, rounds);
    std::printf("{\"read\": %.4g, \"write\": %.4g, \"rearm_ours\": %.4g, \"rearm_c\": %.4g, "
                "\"plain_turn_ours\": %.4g, \"plain_turn_c\": %.4g}\n",
                median(reads), median(writes), virtual_board.ours, virtual_board.c, plain.ours, plain.c);
    return 0;
}

}  // namespace
}  // namespace gapless

int main(int count, char** arguments) {
    const auto number = [&](int index, unsigned long otherwise) {
        return count > index ? std::strtoul(arguments[index], nullptr, 0) : otherwise;
    };
    try {
        return gapless::run(number(1, 4000), static_cast<std::uint32_t>(number(2, 1 << 16)),
                            static_cast<unsigned>(number(3, 5)));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gapless_bench: %s\n", error.what());
        return 1;
    }
}
