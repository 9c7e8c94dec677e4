// Floats into int16: scaled by 32767, rounded to nearest with ties to even, saturated.
namespace gapless {
namespace {

// Adding it to a double moves the units to the last bit, where the addition rounds them; subtracting it
// again leaves the integer. For magnitudes below 2**51, and without an instruction SSE2 does not have.
constexpr double rounder = 6755399441055744.0;  // 1.5 * 2**52

inline std::int16_t nearest(double value) {
    return static_cast<std::int16_t>(static_cast<std::int32_t>((value + rounder) - rounder));
}

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
inline std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// The sum of two independent uniform numbers in [-1/2, 1/2): the two halves of the hash.
inline double triangular(std::uint64_t hash) {
    const double low = static_cast<std::int32_t>(static_cast<std::uint32_t>(hash));
    const double high = static_cast<std::int32_t>(static_cast<std::uint32_t>(hash >> 32));
    return (low + high) * 0x1p-32;
}

// Step by step through a buffer that stays in the nearest cache: loops this simple are vectorised by every
// compiler for every machine, and the whole in one loop is not.
constexpr std::size_t stage = 512;

template <class Float>
bool scale(double* __restrict steps, const Float* __restrict values, std::size_t count) {
    int nans = 0;
    for (std::size_t i = 0; i < count; ++i) nans |= values[i] != values[i];
    for (std::size_t i = 0; i < count; ++i) steps[i] = static_cast<double>(values[i]) * 32767.0;
    return nans == 0;
}

void add_dither(double* steps, std::size_t count, std::uint64_t key, std::uint64_t start) {
    for (std::size_t i = 0; i < count; ++i) steps[i] += triangular(mix(key + (start + i) * 0x9e3779b97f4a7c15u));
}

void saturate(std::int16_t* __restrict out, double* __restrict steps, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const double low = steps[i] > -32768.0 ? steps[i] : -32768.0;  // NaN is not above
        steps[i] = low < 32767.0 ? low : 32767.0;
    }
    for (std::size_t i = 0; i < count; ++i) out[i] = nearest(steps[i]);
}

template <class Float>
bool quantise(std::int16_t* out, const Float* values, std::size_t count) {
    double steps[stage];
    bool valid = true;
    for (std::size_t done = 0; done < count; done += stage) {
        const std::size_t length = count - done < stage ? count - done : stage;
        valid &= scale(steps, values + done, length);
        saturate(out + done, steps, length);
    }
    return valid;
}

template <class Float>
bool dither(std::int16_t* out, const Float* values, std::size_t count, std::uint64_t key, std::uint64_t start) {
    double steps[stage];
    bool valid = true;
    for (std::size_t done = 0; done < count; done += stage) {
        const std::size_t length = count - done < stage ? count - done : stage;
        valid &= scale(steps, values + done, length);
        add_dither(steps, length, key, start + done);
        saturate(out + done, steps, length);
    }
    return valid;
}

}  // namespace
}  // namespace gapless
