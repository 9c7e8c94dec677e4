// A sine from the table of one that starts at phase 0: sin(p + i w) = sin(p) cos(i w) + cos(p) sin(i w).
namespace gapless {
namespace {

void turn(double* __restrict out, const double* __restrict cosine, const double* __restrict sine, double x, double y,
          std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = x * cosine[i] + y * sine[i];
}

void turn_add(double* __restrict out, const double* __restrict cosine, const double* __restrict sine, double x,
              double y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] += x * cosine[i] + y * sine[i];
}

void turn_round(std::int16_t* __restrict out, const double* __restrict cosine, const double* __restrict sine, double x,
                double y, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = nearest(x * cosine[i] + y * sine[i]);
}

void round_all(std::int16_t* __restrict out, const double* __restrict values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out[i] = nearest(values[i]);
}

}  // namespace
}  // namespace gapless
