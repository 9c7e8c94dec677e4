// The Python face of the native core. Each part of the core has its own binding file.
#include "bindings/bindings.hpp"

NB_MODULE(_native, m) {
    m.doc() = "Native core of gapless: memory, register buses, the virtual board's models, streaming loops, sample kernels.";
    gapless::bind_memory(m);
    gapless::bind_linux_memory(m);
    gapless::bind_pages(m);
    gapless::bind_bus(m);
    gapless::bind_linux(m);
    gapless::bind_python_bus(m);
    gapless::bind_microblaze(m);
    gapless::bind_targets(m);
    gapless::bind_peripherals(m);
    gapless::bind_peripheral_bench(m);
    gapless::bind_execution_log(m);
    gapless::bind_model(m);
    gapless::bind_stream(m);
    gapless::bind_samples(m);
}
