#include "lab/fault_script.h"

#include <gtest/gtest.h>

#include <chrono>

namespace orzatty::lab {
namespace {

using namespace std::chrono_literals;

Network closed() {
  Network network;
  network.up.open = network.down.open = false;
  return network;
}

Phase phase(Duration from, std::optional<Duration> to = {}, std::optional<Duration> every = {}) {
  return {.from = from, .to = to, .every = every, .network = closed()};
}

bool is_closed(const FaultScript& script, Duration elapsed) { return !script.at(elapsed).up.open; }

FaultScript with(std::vector<Phase> phases) {
  return {.seed = 1, .network = {}, .phases = std::move(phases)};
}

TEST(FaultScript, WithoutPhasesNothingEverChanges) {
  const FaultScript script;

  EXPECT_EQ(script.at(1h), Network{});
  EXPECT_EQ(script.next_change(0s), std::nullopt);
}

TEST(FaultScript, APhaseHoldsFromItsBeginningToJustBeforeItsEnd) {
  const FaultScript script = with({phase(5s, 8s)});

  EXPECT_FALSE(is_closed(script, 5s - 1ns));
  EXPECT_TRUE(is_closed(script, 5s));
  EXPECT_TRUE(is_closed(script, 8s - 1ns));
  EXPECT_FALSE(is_closed(script, 8s));
}

TEST(FaultScript, APhaseWithoutAnEndHoldsForEver) {
  const FaultScript script = with({phase(5s)});

  EXPECT_TRUE(is_closed(script, 10h));
  EXPECT_EQ(script.next_change(4s), 5s);
  EXPECT_EQ(script.next_change(5s), std::nullopt);
}

TEST(FaultScript, APhaseThatRecursHoldsAgainAndAgain) {
  const FaultScript script = with({phase(5s, 8s, 10s)});

  for (const Duration round : {0s, 10s, 100s}) {
    EXPECT_FALSE(is_closed(script, round + 4s));
    EXPECT_TRUE(is_closed(script, round + 5s));
    EXPECT_TRUE(is_closed(script, round + 7s));
    EXPECT_FALSE(is_closed(script, round + 8s));
  }
}

TEST(FaultScript, EveryChangeIsForetold) {
  const FaultScript script = with({phase(5s, 8s, 10s), phase(7s, 20s)});
  std::vector<Duration> changes;
  for (auto next = script.next_change(0s); next && *next < 30s; next = script.next_change(*next)) {
    changes.push_back(*next);
  }

  EXPECT_EQ(changes, (std::vector<Duration>{5s, 7s, 8s, 15s, 18s, 20s, 25s, 28s}));
}

TEST(FaultScript, OfPhasesThatOverlapTheLastCounts) {
  FaultScript script = with({phase(1s, 10s), phase(2s, 3s)});
  script.phases[1].network = {};

  EXPECT_TRUE(is_closed(script, 1500ms));
  EXPECT_FALSE(is_closed(script, 2500ms));
  EXPECT_TRUE(is_closed(script, 3s));
}

TEST(FaultScript, APhaseThatCannotBeIsAProblem) {
  EXPECT_FALSE(problem_of(phase(5s, 8s, 3s)));
  EXPECT_TRUE(problem_of(phase(5s, 5s)));
  EXPECT_TRUE(problem_of(phase(5s, 8s, 3s - 1ns)));
  EXPECT_TRUE(problem_of(phase(5s, {}, 10s)));
}

TEST(FaultScript, ANetworkThatCannotBeIsAProblem) {
  Network network;
  network.rebind_every = 10ms;
  network.up.loss = 1;
  EXPECT_FALSE(problem_of(network));

  network.rebind_every = 9ms;
  EXPECT_TRUE(problem_of(network));
  network.rebind_every = {};
  network.down.corruption = 1.01;
  EXPECT_TRUE(problem_of(network));
}

TEST(Presets, CanAllBeRunAndFoundByName) {
  EXPECT_EQ(presets().size(), 4U);
  for (const Preset& preset : presets()) {
    EXPECT_EQ(find_preset(preset.name), &preset);
    EXPECT_FALSE(problem_of(preset.script.network)) << preset.name;
    for (const Phase& each : preset.script.phases) EXPECT_FALSE(problem_of(each)) << preset.name;
    EXPECT_NE(preset.script.network, Network{}) << preset.name;
  }
  EXPECT_EQ(find_preset("moon"), nullptr);
}

}  // namespace
}  // namespace orzatty::lab
