#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gapless {

// The sample kernels as one compilation for one instruction set made them (kernels/kernels.cpp is compiled
// several times). All variants give the same bits. Inputs and outputs never overlap.
struct Kernels {
    const char* name;

    // `count` is 2, 4 or 8; samples alternate: channel 0, channel 1, ..
    void (*interleave)(std::int16_t* stream, const std::int16_t* const* channels, std::size_t count, std::size_t frames);
    void (*deinterleave)(std::int16_t* const* channels, const std::int16_t* stream, std::size_t count,
                         std::size_t frames);

    // `count` samples, a multiple of 4; 3 words for every 4 of them.
    void (*pack12)(std::uint16_t* words, const std::int16_t* samples, std::size_t count);
    void (*unpack12)(std::int16_t* samples, const std::uint16_t* words, std::size_t count);
    void (*align14)(std::int16_t* out, const std::int16_t* values, std::size_t count);
    void (*unalign14)(std::int16_t* out, const std::int16_t* samples, std::size_t count);

    // True when no value is NaN; where one is, the sample is -32768.
    bool (*quantise32)(std::int16_t* out, const float* values, std::size_t count);
    bool (*quantise64)(std::int16_t* out, const double* values, std::size_t count);
    // The same with TPDF dither, which depends on `key` and the sample's index, `start` for the first, alone.
    bool (*dither32)(std::int16_t* out, const float* values, std::size_t count, std::uint64_t key, std::uint64_t start);
    bool (*dither64)(std::int16_t* out, const double* values, std::size_t count, std::uint64_t key, std::uint64_t start);

    // out[i] (+)= x * cosine[i] + y * sine[i]: a sine whose phase has been moved.
    void (*turn)(double* out, const double* cosine, const double* sine, double x, double y, std::size_t count);
    void (*turn_add)(double* out, const double* cosine, const double* sine, double x, double y, std::size_t count);
    void (*turn_round)(std::int16_t* out, const double* cosine, const double* sine, double x, double y,
                       std::size_t count);
    // To the nearest, ties to even. The values are within int16.
    void (*round)(std::int16_t* out, const double* values, std::size_t count);

    // first, first + 1, ..: wraps from 32767 to -32768.
    void (*counter)(std::int16_t* out, std::size_t count, std::int16_t first);
    // The first index from 1 on whose sample is not `step` above the one before (it may wrap), or `count`.
    std::size_t (*step_break)(const std::int16_t* samples, std::size_t count, std::int16_t step);
};

// The variants this machine can run, the best one last.
std::vector<const Kernels*> available_kernels();

}  // namespace gapless
