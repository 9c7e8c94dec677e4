#pragma once

#include <nanobind/nanobind.h>

namespace gapless {

void bind_memory(nanobind::module_& m);

}  // namespace gapless
