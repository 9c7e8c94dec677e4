#include "samples/tones.hpp"

#include <algorithm>
#include <cmath>

namespace gapless {
namespace {

// Within half a turn of 0, where doubles are finest.
double radians(Turns turns) {
    constexpr double per_turn = 6.283185307179586476925286766559;
    return static_cast<double>(static_cast<std::int64_t>(static_cast<std::uint64_t>(turns >> 64))) *
           (per_turn * 0x1p-64);
}

struct Angle {
    double x, y;  // scale * sine and scale * cosine
};

Angle angle(const Tone& tone, std::uint64_t index) {
    const double phase = radians(tone.phase + tone.step * index);
    return {tone.scale * std::sin(phase), tone.scale * std::cos(phase)};
}

}  // namespace

Tones::Tones(const std::vector<Tone>& tones) {
    for (const Tone& tone : tones) {
        Table table{tone, std::vector<double>(block), std::vector<double>(block)};
        for (std::size_t i = 0; i < block; ++i) {
            table.cosine[i] = std::cos(radians(tone.step * i));
            table.sine[i] = std::sin(radians(tone.step * i));
        }
        tables_.push_back(std::move(table));
    }
}

template <class Part>
void Tones::each_block(std::uint64_t start, std::size_t count, const Part& part) {
    for (std::size_t done = 0; done < count;) {
        const std::size_t skip = (start + done) % block;
        const std::size_t length = std::min(block - skip, count - done);
        part(done, start + done - skip, skip, length);
        done += length;
    }
}

void Tones::sum(const Kernels& kernels, double* out, std::uint64_t first, std::size_t skip, std::size_t count) const {
    auto operation = kernels.turn;
    for (const Table& table : tables_) {
        const Angle at = angle(table.tone, first);
        operation(out, table.cosine.data() + skip, table.sine.data() + skip, at.x, at.y, count);
        operation = kernels.turn_add;
    }
}

void Tones::fill(const Kernels& kernels, std::int16_t* out, std::uint64_t start, std::size_t count) const {
    if (tables_.size() == 1) {
        const Table& table = tables_.front();
        each_block(start, count, [&](std::size_t done, std::uint64_t first, std::size_t skip, std::size_t length) {
            const Angle at = angle(table.tone, first);
            kernels.turn_round(out + done, table.cosine.data() + skip, table.sine.data() + skip, at.x, at.y, length);
        });
        return;
    }
    double values[block] = {};
    each_block(start, count, [&](std::size_t done, std::uint64_t first, std::size_t skip, std::size_t length) {
        sum(kernels, values, first, skip, length);
        kernels.round(out + done, values, length);
    });
}

void Tones::fill(const Kernels& kernels, double* out, std::uint64_t start, std::size_t count) const {
    each_block(start, count, [&](std::size_t done, std::uint64_t first, std::size_t skip, std::size_t length) {
        sum(kernels, out + done, first, skip, length);
    });
}

void Tones::fill(const Kernels& kernels, float* out, std::uint64_t start, std::size_t count) const {
    double values[block] = {};
    each_block(start, count, [&](std::size_t done, std::uint64_t first, std::size_t skip, std::size_t length) {
        sum(kernels, values, first, skip, length);
        std::transform(values, values + length, out + done, [](double value) { return static_cast<float>(value); });
    });
}

}  // namespace gapless
