// Arrays on memory that is mapped in whole or in parts.
#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>

#include "bindings/bindings.hpp"

namespace gapless {

// One-dimensional, contiguous.
using Bytes = nanobind::ndarray<nanobind::numpy, std::uint8_t, nanobind::ndim<1>, nanobind::c_contig>;

// The array holds (memory, owner), so neither goes while any view of the array is left.
template <typename Memory>
nanobind::object view(nanobind::handle_t<Memory> self, std::uint64_t offset, std::uint64_t nbytes,
                      nanobind::object owner) {
    std::uint8_t* data = nanobind::cast<Memory&>(self).at(offset, nbytes);
    const std::size_t shape[1] = {static_cast<std::size_t>(nbytes)};
    return nanobind::cast(Bytes(data, 1, shape, nanobind::make_tuple(self, owner)),
                          nanobind::rv_policy::reference);
}

}  // namespace gapless
