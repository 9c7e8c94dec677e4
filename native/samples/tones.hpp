#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "samples/kernels.hpp"

namespace gapless {

// Turns as a fraction of 2**128: wraps where the circle does.
__extension__ using Turns = unsigned __int128;

struct Tone {
    Turns step;   // for each sample
    Turns phase;  // of sample 0
    double scale;
};

// A sum of sines: sample n is the sum of scale * sin(2 pi (phase + n step)). The phase of every block of
// `block` samples is computed from its index, so a sample is the same whatever stretch it is asked in.
class Tones {
public:
    static constexpr std::size_t block = 1024;

    explicit Tones(const std::vector<Tone>& tones);

    // Samples start .. start + count; for int16 the scales add up to at most 32767.
    void fill(const Kernels& kernels, std::int16_t* out, std::uint64_t start, std::size_t count) const;
    void fill(const Kernels& kernels, double* out, std::uint64_t start, std::size_t count) const;
    void fill(const Kernels& kernels, float* out, std::uint64_t start, std::size_t count) const;

private:
    struct Table {
        Tone tone;
        std::vector<double> cosine, sine;  // of the first block, from phase 0
    };

    // The part [skip, skip + count) of the block that begins with sample `first`.
    void sum(const Kernels& kernels, double* out, std::uint64_t first, std::size_t skip, std::size_t count) const;

    template <class Part>
    static void each_block(std::uint64_t start, std::size_t count, const Part& part);

    std::vector<Table> tables_;
};

}  // namespace gapless
