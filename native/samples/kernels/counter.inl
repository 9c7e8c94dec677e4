// The counter pattern, and where samples stop stepping as it does.
namespace gapless {
namespace {

void counter(std::int16_t* out, std::size_t count, std::int16_t first) {
    auto value = static_cast<std::uint16_t>(first);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::int16_t>(value++);
}

// A loop that may stop anywhere is not vectorised; one over a whole block is.
std::size_t step_break(const std::int16_t* samples, std::size_t count, std::int16_t step) {
    constexpr std::size_t block = 1024;
    std::size_t at = 1;
    for (; at + block <= count; at += block) {
        const std::int16_t* now = samples + at;
        std::uint16_t odd = 0;
        for (std::size_t i = 0; i < block; ++i) odd |= static_cast<std::uint16_t>((now[i] - now[i - 1]) ^ step);
        if (odd != 0) break;
    }
    for (; at < count; ++at)
        if (static_cast<std::int16_t>(samples[at] - samples[at - 1]) != step) return at;
    return count;
}

}  // namespace
}  // namespace gapless
