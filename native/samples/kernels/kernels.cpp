// Compiled once for each instruction set, with GAPLESS_VARIANT the name of the table and GAPLESS_VARIANT_NAME
// what it is called. Everything is in an anonymous namespace, and no inline function of the standard library
// is used: the linker keeps one copy of those, and it could be the one this machine cannot run.
#include "samples/kernels.hpp"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the kernels are for little-endian machines");

#include "samples/kernels/counter.inl"
#include "samples/kernels/interleave.inl"
#include "samples/kernels/packing.inl"
#include "samples/kernels/quantise.inl"
#include "samples/kernels/turn.inl"

namespace gapless {

extern const Kernels GAPLESS_VARIANT;
const Kernels GAPLESS_VARIANT = {
    GAPLESS_VARIANT_NAME, interleave,         deinterleave,        pack12,         unpack12,
    align14,              unalign14,          quantise<float>,     quantise<double>, dither<float>,
    dither<double>,       turn,               turn_add,            turn_round,     round_all,
    counter,              step_break,
};

}  // namespace gapless
