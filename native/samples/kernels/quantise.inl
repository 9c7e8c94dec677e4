// Floats into int16: scaled by 32767, rounded to nearest with ties to even, saturated.
namespace gapless {
namespace {

// Adding it to a double moves the units to the last bit, where the addition rounds them; subtracting it
// again leaves the integer. For magnitudes below 2**51, and without an instruction SSE2 does not have.
constexpr double rounder = 6755399441055744.0;  // 1.5 * 2**52

inline std::int16_t nearest(double value) {
    return static_cast<std::int16_t>(static_cast<std::int32_t>((value + rounder) - rounder));
}

inline std::int16_t saturate(double value) {
    const double low = value < -32768.0 ? -32768.0 : value;
    const double held = low > 32767.0 ? 32767.0 : low;
    return nearest(held == held ? held : 0.0);
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

template <class Float>
bool quantise(std::int16_t* __restrict out, const Float* __restrict values, std::size_t count) {
    std::int64_t nans = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]);
        nans += value != value;
        out[i] = saturate(value * 32767.0);
    }
    return nans == 0;
}

template <class Float>
bool dither(std::int16_t* __restrict out, const Float* __restrict values, std::size_t count, std::uint64_t key,
            std::uint64_t start) {
    std::int64_t nans = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(values[i]);
        nans += value != value;
        out[i] = saturate(value * 32767.0 + triangular(mix(key + (start + i) * 0x9e3779b97f4a7c15u)));
    }
    return nans == 0;
}

}  // namespace
}  // namespace gapless
