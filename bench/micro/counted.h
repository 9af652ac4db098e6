// How often bench/instructions wants a benchmark to run: exactly so often, as it counts instructions.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>

namespace orzatty {

inline void counted(benchmark::internal::Benchmark* benchmark) {
  if (const char* const count = std::getenv("ORZATTY_BENCH_ITERATIONS")) {
    benchmark->Iterations(std::atoll(count));
  }
}

}  // namespace orzatty
