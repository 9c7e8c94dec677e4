// 12-bit samples, 4 in 3 words, and 14-bit samples at the top of a word.
namespace gapless {
namespace {

// 4 samples fill 48 bits, so 16 samples fill 3 words of 64 bits exactly: the unit of both loops.
inline std::uint64_t load64(const void* from) {
    std::uint64_t value;
    __builtin_memcpy(&value, from, 8);
    return value;
}

inline void store64(void* to, std::uint64_t value) { __builtin_memcpy(to, &value, 8); }

// The upper 12 bits of each 16 pushed together: pairs into 24 bits, then the two pairs into 48.
inline std::uint64_t squeeze(std::uint64_t four) {
    const std::uint64_t pairs = ((four >> 4) & 0x00000fff00000fffu) | ((four >> 8) & 0x00fff00000fff000u);
    return (pairs & 0xffffffu) | ((pairs >> 8) & 0xffffff000000u);
}

inline std::uint64_t spread(std::uint64_t packed) {
    const std::uint64_t pairs = (packed & 0xffffffu) | ((packed & 0xffffff000000u) << 8);
    return ((pairs & 0x00000fff00000fffu) << 4) | ((pairs & 0x00fff00000fff000u) << 8);
}

void pack12(std::uint16_t* __restrict words, const std::int16_t* __restrict samples, std::size_t count) {
    const std::size_t groups = count / 16;
    for (std::size_t i = 0; i < groups; ++i) {
        const std::int16_t* in = samples + 16 * i;
        std::uint16_t* out = words + 12 * i;
        const std::uint64_t a = squeeze(load64(in)), b = squeeze(load64(in + 4));
        const std::uint64_t c = squeeze(load64(in + 8)), d = squeeze(load64(in + 12));
        store64(out, a | b << 48);
        store64(out + 4, b >> 16 | c << 32);
        store64(out + 8, c >> 32 | d << 16);
    }
    for (std::size_t i = 4 * groups; i < count / 4; ++i) {
        const std::uint64_t packed = squeeze(load64(samples + 4 * i));
        __builtin_memcpy(words + 3 * i, &packed, 6);
    }
}

void unpack12(std::int16_t* __restrict samples, const std::uint16_t* __restrict words, std::size_t count) {
    const std::size_t groups = count / 16;
    for (std::size_t i = 0; i < groups; ++i) {
        const std::uint16_t* in = words + 12 * i;
        std::int16_t* out = samples + 16 * i;
        const std::uint64_t a = load64(in), b = load64(in + 4), c = load64(in + 8);
        store64(out, spread(a));
        store64(out + 4, spread(a >> 48 | b << 16));
        store64(out + 8, spread(b >> 32 | c << 32));
        store64(out + 12, spread(c >> 16));
    }
    for (std::size_t i = 4 * groups; i < count / 4; ++i) {
        std::uint64_t packed = 0;
        __builtin_memcpy(&packed, words + 3 * i, 6);
        store64(samples + 4 * i, spread(packed));
    }
}

void align14(std::int16_t* __restrict out, const std::int16_t* __restrict values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::int16_t low = values[i] < -8192 ? std::int16_t{-8192} : values[i];
        const std::int16_t held = low > 8191 ? std::int16_t{8191} : low;
        out[i] = static_cast<std::int16_t>(held * 4);
    }
}

void unalign14(std::int16_t* __restrict out, const std::int16_t* __restrict samples, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::int16_t>(samples[i] >> 2);
}

}  // namespace
}  // namespace gapless
