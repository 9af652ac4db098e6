// Which of many wildcard subscriptions a new channel matches, and what the Governor costs an
// acknowledgement.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "counted.h"
#include "hub/delivery.h"
#include "hub/subject_index.h"
#include "session/governor.h"

namespace orzatty {
namespace {

// Of `markets.M.S.*`, a hundred markets with as many symbols as make up the count; each tenth asks for
// all of its market's symbols of one kind, so some patterns match many names.
class Wildcards {
 public:
  static constexpr std::size_t kMarkets = 100;

  explicit Wildcards(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string market = "markets.m" + std::to_string(i % kMarkets);
      const std::string symbol = ".s" + std::to_string(i / kMarkets);
      add(i % 1000 == 999 ? market + ".*.quotes" : market + symbol + ".*");
    }
  }
  [[nodiscard]] const hub::SubjectIndex& index() const { return index_; }

 private:
  void add(const std::string& pattern) {
    const auto slot = static_cast<std::uint32_t>(deliveries_.size());
    deliveries_.push_back(std::make_unique<hub::Delivery>(
        base::SlabKey{slot, 1}, SubscriptionId(slot), *ChannelPattern::parse(pattern),
        session::StreamKey(1)));
    index_.add(*deliveries_.back());
  }

  std::vector<std::unique_ptr<hub::Delivery>> deliveries_;
  hub::SubjectIndex index_;
};

void WildcardMatch(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Wildcards wildcards(count);
  std::vector<ChannelName> names;
  for (std::size_t i = 0; i < count; i += 997) {
    names.push_back(*ChannelName::parse("markets.m" + std::to_string(i % Wildcards::kMarkets) + ".s" +
                                        std::to_string(i / Wildcards::kMarkets) + ".quotes"));
  }
  std::vector<hub::Delivery*> found;
  std::size_t next = 0;
  std::size_t matched = 0;
  for (auto _ : state) {
    found.clear();
    wildcards.index().match(names[next], found);
    matched += found.size();
    next = next + 1 == names.size() ? 0 : next + 1;
  }
  if (matched == 0) return state.SkipWithError("no pattern matched");
  state.counters["found"] =
      benchmark::Counter(static_cast<double>(matched), benchmark::Counter::kAvgIterations);
}
BENCHMARK(WildcardMatch)->Arg(100)->Arg(10'000)->Arg(100'000)->Apply(counted);

// As packets are acknowledged on a path that is filled: a window ends every 20 ms.
void GovernorAcknowledged(benchmark::State& state) {
  constexpr std::uint64_t kPacket = 1400;
  constexpr Duration kBetween = std::chrono::microseconds(100);
  session::Governor governor({std::chrono::milliseconds(5), 2 * 1024 * 1024});
  Instant now{};
  const auto acknowledge = [&] {
    now += kBetween;
    governor.acknowledged(kPacket, true, std::chrono::milliseconds(1), now);
  };
  for (int i = 0; i < 1000; ++i) acknowledge();
  for (auto _ : state) {
    acknowledge();
    benchmark::DoNotOptimize(governor.room());
  }
  if (governor.bytes_per_second() <= 0) state.SkipWithError("no rate was measured");
}
BENCHMARK(GovernorAcknowledged)->Apply(counted);

}  // namespace
}  // namespace orzatty
