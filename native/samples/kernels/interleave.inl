// 2, 4 or 8 channels of int16 into one stream and back. Every channel is a restrict parameter of its own:
// in an array of pointers the compiler could not know that they do not overlap.
namespace gapless {
namespace {

using In = const std::int16_t* __restrict;
using Out = std::int16_t* __restrict;

[[gnu::noinline]] void interleave2(Out s, In a, In b, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        s[2 * i] = a[i];
        s[2 * i + 1] = b[i];
    }
}

[[gnu::noinline]] void interleave4(Out s, In a, In b, In c, In d, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        s[4 * i] = a[i];
        s[4 * i + 1] = b[i];
        s[4 * i + 2] = c[i];
        s[4 * i + 3] = d[i];
    }
}

[[gnu::noinline]] void interleave8(Out s, In a, In b, In c, In d, In e, In f, In g, In h, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        s[8 * i] = a[i];
        s[8 * i + 1] = b[i];
        s[8 * i + 2] = c[i];
        s[8 * i + 3] = d[i];
        s[8 * i + 4] = e[i];
        s[8 * i + 5] = f[i];
        s[8 * i + 6] = g[i];
        s[8 * i + 7] = h[i];
    }
}

[[gnu::noinline]] void deinterleave2(Out a, Out b, In s, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        a[i] = s[2 * i];
        b[i] = s[2 * i + 1];
    }
}

[[gnu::noinline]] void deinterleave4(Out a, Out b, Out c, Out d, In s, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        a[i] = s[4 * i];
        b[i] = s[4 * i + 1];
        c[i] = s[4 * i + 2];
        d[i] = s[4 * i + 3];
    }
}

[[gnu::noinline]] void deinterleave8(Out a, Out b, Out c, Out d, Out e, Out f, Out g, Out h, In s,
                                     std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        a[i] = s[8 * i];
        b[i] = s[8 * i + 1];
        c[i] = s[8 * i + 2];
        d[i] = s[8 * i + 3];
        e[i] = s[8 * i + 4];
        f[i] = s[8 * i + 5];
        g[i] = s[8 * i + 6];
        h[i] = s[8 * i + 7];
    }
}

void interleave(std::int16_t* stream, const std::int16_t* const* c, std::size_t count, std::size_t frames) {
    if (count == 2) interleave2(stream, c[0], c[1], frames);
    if (count == 4) interleave4(stream, c[0], c[1], c[2], c[3], frames);
    if (count == 8) interleave8(stream, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], frames);
}

void deinterleave(std::int16_t* const* c, const std::int16_t* stream, std::size_t count, std::size_t frames) {
    if (count == 2) deinterleave2(c[0], c[1], stream, frames);
    if (count == 4) deinterleave4(c[0], c[1], c[2], c[3], stream, frames);
    if (count == 8) deinterleave8(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], stream, frames);
}

}  // namespace
}  // namespace gapless
