// What congestion control makes of loss and delay, in virtual time: a table that is the same on
// every machine. Messages are of 64 bytes, 67 with their frame, as fast as one connection carries
// them over 100 Mbit/s with a queue of one round trip; then two connections share such a
// bottleneck.
//
// Usage: congestion [--seeds N] [--seconds S]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bottleneck.h"

namespace orzatty::congestion {
namespace {

using quic::CongestionControl;
using std::chrono::milliseconds;

constexpr double kMessageSize = 67;
constexpr auto kBbr = CongestionControl::kBbr;
constexpr auto kCubic = CongestionControl::kCubic;

struct Options {
  std::uint64_t seeds = 3;
  std::int64_t seconds = 30;
};

struct Spread {
  double least;
  double median;
  double most;
};
Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values.front(), values[values.size() / 2], values.back()};
}

Spread messages_per_second(Scene scene, const Options& options) {
  std::vector<double> rates;
  for (scene.seed = 1; scene.seed <= options.seeds; ++scene.seed) {
    rates.push_back(play(scene).front() / kMessageSize);
  }
  return spread_of(rates);
}

void print_alone(const Options& options) {
  std::printf(
      "One connection, messages of 64 B per second: median (least-most) of %lu seeds of %ld s\n\n",
      static_cast<unsigned long>(options.seeds), static_cast<long>(options.seconds));
  std::printf("%-12s %-10s %28s %28s %8s\n", "round trip", "loss", "cubic", "bbr", "bbr is");
  for (const int round_trip : {20, 40, 100, 200}) {
    for (const double loss : {0.0, 0.01, 0.02, 0.05}) {
      Scene scene{.flows = {kCubic},
                  .round_trip = milliseconds(round_trip),
                  .loss = loss,
                  .queue = milliseconds(round_trip),
                  .length = std::chrono::seconds(options.seconds)};
      const Spread cubic = messages_per_second(scene, options);
      scene.flows = {kBbr};
      const Spread bbr = messages_per_second(scene, options);
      std::printf("%4d ms      %4.0f %%    %10.0f (%7.0f-%7.0f) %10.0f (%7.0f-%7.0f) %7.1fx\n",
                  round_trip, loss * 100, cubic.median, cubic.least, cubic.most, bbr.median,
                  bbr.least, bbr.most, bbr.median / cubic.median);
      std::fflush(stdout);
    }
  }
}

void print_windows(const Options& options) {
  std::printf(
      "\nThe same with BBR at 200 ms and 5 %% loss, by the window that the receiver gives,\n"
      "which does not grow\n\n");
  for (const std::uint64_t mebibytes : {1U, 2U, 4U, 8U, 16U}) {
    const Spread rate = messages_per_second({.flows = {kBbr},
                                             .round_trip = milliseconds(200),
                                             .loss = 0.05,
                                             .queue = milliseconds(200),
                                             .window = mebibytes << 20,
                                             .window_max = mebibytes << 20,
                                             .length = std::chrono::seconds(options.seconds)},
                                            options);
    std::printf("%4lu MiB %10.0f (%.0f-%.0f)\n", static_cast<unsigned long>(mebibytes), rate.median,
                rate.least, rate.most);
    std::fflush(stdout);
  }
}

struct Pair {
  const char* name;
  CongestionControl first;
  CongestionControl second;
};

void print_shared(const Options& options) {
  std::printf(
      "\nTwo connections at one bottleneck of 100 Mbit/s, 40 ms: the first one's share of what "
      "both got\n\n");
  std::printf("%-18s %-14s %-10s %24s %16s\n", "pair", "queue", "loss", "first's share",
              "both together");
  constexpr Pair kPairs[] = {{"bbr and bbr", kBbr, kBbr},
                             {"cubic and cubic", kCubic, kCubic},
                             {"bbr and cubic", kBbr, kCubic}};
  for (const Pair& pair : kPairs) {
    for (const int queue : {20, 40, 200}) {
      std::vector<double> shares;
      std::vector<double> sums;
      for (std::uint64_t seed = 1; seed <= options.seeds; ++seed) {
        const auto rates = play({.flows = {pair.first, pair.second},
                                 .round_trip = milliseconds(40),
                                 .queue = milliseconds(queue),
                                 .length = 2 * std::chrono::seconds(options.seconds),
                                 .seed = seed});
        sums.push_back((rates[0] + rates[1]) * 8 / 1e6);
        shares.push_back(rates[0] / (rates[0] + rates[1]) * 100);
      }
      const Spread share = spread_of(shares);
      std::printf("%-18s %4d ms        %4.0f %%    %8.0f %% (%.0f-%.0f) %11.0f Mbit/s\n", pair.name,
                  queue, 0.0, share.median, share.least, share.most, spread_of(sums).median);
      std::fflush(stdout);
    }
  }
}

int start(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = arguments[i];
    const long value = i + 1 < count ? std::atol(arguments[i + 1]) : 0;
    if (value <= 0 || (name != "--seeds" && name != "--seconds")) {
      std::fputs("Usage: congestion [--seeds N] [--seconds S]\n", stderr);
      return 2;
    }
    if (name == "--seeds") options.seeds = static_cast<std::uint64_t>(value);
    if (name == "--seconds") options.seconds = value;
  }
  print_alone(options);
  print_windows(options);
  print_shared(options);
  return 0;
}

}  // namespace
}  // namespace orzatty::congestion

int main(int count, char** arguments) { return orzatty::congestion::start(count, arguments); }
