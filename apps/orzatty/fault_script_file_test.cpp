#include "fault_script_file.h"

#include <gtest/gtest.h>

#include <chrono>

namespace orzatty::apps {
namespace {

using namespace std::chrono_literals;

// The one line that `text` is refused with.
std::string refusal(std::string_view text) {
  const auto script = parse_fault_script(text, "faults.toml");
  if (script) return "(accepted)";
  EXPECT_EQ(script.error().code, ExitCode::kUsage);
  return script.error().text;
}

std::string refusal_of_fault(const std::string& fault) {
  lab::FaultScript script;
  const auto added = add_faults(script, {fault});
  if (added) return "(accepted)";
  EXPECT_EQ(added.error().code, ExitCode::kUsage);
  return added.error().text;
}

TEST(FaultScriptFile, EverythingThatCanBeStatedIsRead) {
  const auto script = parse_fault_script(R"(
seed = 7
delay = "40ms"
jitter = "5ms"
rate = "10Mbit/s"
queue_bytes = 1000
mtu = 1280
loss = 0.05
burst_begins = 0.01
burst_ends = 0.5
burst_loss = 1
reordering = 0.1
duplication = 0.02
corruption = 0.03
truncation = 0.04
rebind_every = "1s"
)",
                                         "faults.toml");

  ASSERT_TRUE(script) << script.error().text;
  const lab::Conditions way{.delay = 40ms,
                            .jitter = 5ms,
                            .rate = 1'250'000,
                            .queue_bytes = 1000,
                            .mtu = 1280,
                            .loss = 0.05,
                            .bursts = {.begins = 0.01, .ends = 0.5, .loss = 1},
                            .reordering = 0.1,
                            .duplication = 0.02,
                            .corruption = 0.03,
                            .truncation = 0.04};
  EXPECT_EQ(script->seed, 7U);
  EXPECT_EQ(script->network, (lab::Network{.up = way, .down = way, .rebind_every = 1s}));
}

TEST(FaultScriptFile, AnEmptyScriptIsAPerfectNetwork) {
  const auto script = parse_fault_script("", "faults.toml");

  ASSERT_TRUE(script);
  EXPECT_EQ(*script, lab::FaultScript{});
}

TEST(FaultScriptFile, ADirectionOverridesWhatIsSaidForBoth) {
  const auto script = parse_fault_script(R"(
loss = 0.1
[up]
loss = 0.2
rate = "64kbit/s"
[down]
black_hole = true
)",
                                         "faults.toml");

  ASSERT_TRUE(script) << script.error().text;
  EXPECT_EQ(script->network.up, (lab::Conditions{.rate = 8000, .loss = 0.2}));
  EXPECT_EQ(script->network.down, (lab::Conditions{.loss = 0.1, .open = false}));
}

TEST(FaultScriptFile, APhaseIsAsTheRestButForWhatItStates) {
  const auto script = parse_fault_script(R"(
loss = 0.1
[[phase]]
from = "5s"
to = "8s"
every = "20s"
black_hole = true
[[phase]]
from = "1m"
up.delay = "1s"
)",
                                         "faults.toml");

  ASSERT_TRUE(script) << script.error().text;
  ASSERT_EQ(script->phases.size(), 2U);
  const lab::Conditions closed{.loss = 0.1, .open = false};
  EXPECT_EQ(script->phases[0],
            (lab::Phase{.from = 5s, .to = 8s, .every = 20s, .network = {closed, closed, {}}}));
  EXPECT_EQ(script->phases[1].network.up, (lab::Conditions{.delay = 1s, .loss = 0.1}));
  EXPECT_EQ(script->phases[1].to, std::nullopt);
}

TEST(FaultScriptFile, APresetIsWhereItStartsFrom) {
  const auto script = parse_fault_script("preset = 'satellite'\nloss = 0.5", "faults.toml");

  ASSERT_TRUE(script) << script.error().text;
  EXPECT_EQ(script->network.up.loss, 0.5);
  EXPECT_EQ(script->network.up.delay, 270ms);
}

TEST(FaultScriptFile, AnUnknownWordIsRefusedWithItsLineAndTheNearestKnownOne) {
  EXPECT_EQ(refusal("\nlos = 0.1"), "faults.toml:2: unknown key 'los': did you mean 'loss'?");
  EXPECT_EQ(refusal("[up]\ndelai = '1s'"),
            "faults.toml:2: unknown key 'delai' in up: did you mean 'delay'?");
  EXPECT_EQ(refusal("[[phase]]\nform = '1s'"),
            "faults.toml:2: unknown key 'form' in [[phase]]: did you mean 'from'?");
  EXPECT_EQ(refusal("preset = 'moblie'"),
            "faults.toml:1: unknown preset 'moblie': did you mean 'mobile'?");
}

TEST(FaultScriptFile, AValueThatCannotBeIsRefusedWithWhatCould) {
  EXPECT_EQ(refusal("loss = 5"),
            "faults.toml:1: loss must be a probability from 0 to 1, such as 0.05 for 5 %");
  EXPECT_EQ(refusal("loss = '5%'"), refusal("loss = 1.01"));
  EXPECT_EQ(refusal("delay = 20"),
            R"(faults.toml:1: delay must be a time such as "250ms", "5s", "10m", "1h")");
  EXPECT_EQ(refusal("rate = '10Mbps'"),
            R"(faults.toml:1: rate must be a rate such as "64kbit/s", "10Mbit/s", "1MB/s", )"
            R"(or "unlimited")");
  EXPECT_EQ(refusal("mtu = 0"),
            "faults.toml:1: mtu must be 1 or more; black_hole lets nothing pass");
  EXPECT_EQ(refusal("black_hole = 1"), "faults.toml:1: black_hole must be true or false");
  EXPECT_EQ(refusal("rebind_every = '9ms'"), "faults.toml:1: rebind_every must be 10ms or more");
  EXPECT_EQ(refusal("up = 1"), "faults.toml:1: up must be a table");
  EXPECT_EQ(refusal("seed = -1"),
            "faults.toml:1: seed must be a whole number from 0 to 9223372036854775807");
}

TEST(FaultScriptFile, APhaseThatCannotBeIsRefused) {
  EXPECT_EQ(refusal("[[phase]]\nblack_hole = true"),
            "faults.toml:1: a [[phase]] needs 'from', such as from = \"5s\"");
  EXPECT_EQ(refusal("[[phase]]\nfrom = '5s'\nto = '5s'"),
            "faults.toml:1: 'to' must be later than 'from'");
  EXPECT_EQ(refusal("[phase]\nfrom = '5s'"), "faults.toml:1: phase must be a list of tables");
}

TEST(Faults, OfTheCommandLineChangeTheWholeScript) {
  auto script = parse_fault_script("[[phase]]\nfrom = '5s'\nblack_hole = true", "faults.toml");
  ASSERT_TRUE(script);

  ASSERT_TRUE(add_faults(*script, {"loss=0.05", "delay=20ms", "up.rate=64kbit/s"}));

  const lab::Conditions down{.delay = 20ms, .loss = 0.05};
  EXPECT_EQ(script->network.down, down);
  EXPECT_EQ(script->network.up, (lab::Conditions{.delay = 20ms, .rate = 8000, .loss = 0.05}));
  EXPECT_EQ(script->phases[0].network.down.loss, 0.05);
  EXPECT_FALSE(script->phases[0].network.down.open);
}

TEST(Faults, OfTheCommandLineAreRefusedLikeThoseOfAScript) {
  EXPECT_EQ(refusal_of_fault("los=0.1"),
            "--fault 'los=0.1': unknown key 'los': did you mean 'loss'?");
  EXPECT_EQ(refusal_of_fault("loss=5"),
            "--fault 'loss=5': loss must be a probability from 0 to 1, such as 0.05 for 5 %");
  EXPECT_EQ(refusal_of_fault("loss"),
            "--fault 'loss' is no KEY=VALUE, such as loss=0.05 or delay=20ms");
  EXPECT_EQ(refusal_of_fault("=1"),
            "--fault '=1' is no KEY=VALUE, such as loss=0.05 or delay=20ms");
  EXPECT_NE(refusal_of_fault("delay=\"\n"), "(accepted)");
}

TEST(Presets, AreFoundByNameOrSuggested) {
  EXPECT_TRUE(preset_script("hostile"));
  const auto unknown = preset_script("wfi");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ExitCode::kUsage);
  EXPECT_EQ(unknown.error().text, "unknown preset 'wfi': did you mean 'wifi'?");
}

}  // namespace
}  // namespace orzatty::apps
