#include "bindings/bindings.hpp"

namespace gapless {

void bind_memory(nanobind::module_&) {}

}  // namespace gapless
