#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "sim/run.h"

int main(int argc, char** argv) {
  using namespace orzatty;
  using namespace orzatty::sim;
  const std::uint64_t a = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t b = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : a + 1;
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  for (std::uint64_t seed = a; seed < b; ++seed) {
    std::fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    Listener l;
    if (getenv("TRACE"))
      l = [](Instant t, std::string_view s) {
        std::printf("%.6f %.*s\n",
                    double((t.time_since_epoch() - std::chrono::seconds(1000)).count()) / 1e9,
                    int(s.size()), s.data());
      };
    const auto t0 = std::chrono::steady_clock::now();
    const Outcome o =
        run(draw_plan(seed, *find_scenario(getenv("SC") ? getenv("SC") : "standard")), l);
    const double ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t0).count();
    if (o.violation) ++failed;
    std::printf("seed %llu %016llx %.1fs %llu datagrams %.0f ms %s %s\n", (unsigned long long)seed,
                (unsigned long long)o.hash, double(o.virtual_time.count()) / 1e9,
                (unsigned long long)o.datagram_count, ms,
                o.violation ? o.violation->checker.c_str() : "",
                o.violation ? o.violation->what.c_str() : "");
    if (b == a + 1)
      for (const auto& [k, v] : o.counts)
        std::printf("  %-40s %llu\n", k.c_str(), (unsigned long long)v);
  }
  std::printf("%llu failed, %.1f s\n", (unsigned long long)failed,
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}
