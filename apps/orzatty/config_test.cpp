#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <fstream>
#include <utility>

#include "base/limits_table.h"
#include "folder_for_test.h"
#include "memory_ceiling.h"
#include "state_folder.h"

namespace orzatty::apps {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// The one line that `text` is refused with.
std::string refusal(std::string_view text) {
  const auto config = parse_config(text, "folder/orzatty.toml");
  if (config) return "(accepted)";
  EXPECT_EQ(config.error().code, ExitCode::kUsage);
  return config.error().text;
}

TEST(Config, EverythingThatCanBeStatedIsRead) {
  const auto config = parse_config(R"(
listen = ["0.0.0.0:5000", "[::]:5000"]
metrics = "127.0.0.1:9100"
metrics_hosts = ["hub.example"]
certificate = "server.pem"
key = "/etc/server.key"
tokens = [{identity = "alice", token = "secret"}]
busy_poll = true
[limits]
message_size_max = 2_000_000
hello_timeout = "2s"
[channel_default]
retention_bytes = 1000
[[channel]]
pattern = "quotes.>"
retention_count = 1
retention_age = "1h"
slow_policy = "latest"
mode = "unordered"
)",
                                   "folder/orzatty.toml");

  ASSERT_TRUE(config) << config.error().text;
  EXPECT_EQ(config->listen, "0.0.0.0:5000,[::]:5000");
  EXPECT_EQ(config->metrics, "127.0.0.1:9100");
  EXPECT_EQ(config->metrics_hosts, std::vector<std::string>{"hub.example"});
  EXPECT_EQ(config->certificate, "folder/server.pem");
  EXPECT_EQ(config->key, "/etc/server.key");
  ASSERT_EQ(config->tokens.size(), 1U);
  EXPECT_EQ(config->tokens[0].identity, "alice");
  EXPECT_EQ(config->tokens[0].token, "secret");
  EXPECT_TRUE(config->busy_poll);
  EXPECT_EQ(config->limits.message_size_max, 2'000'000U);
  EXPECT_EQ(config->limits.hello_timeout, 2s);
  EXPECT_EQ(config->channel_default.retention.bytes, 1000U);
  ASSERT_EQ(config->channels.size(), 1U);
  EXPECT_EQ(config->channels[0].pattern.text(), "quotes.>");
  EXPECT_EQ(config->channels[0].config.retention,
            (Retention{.count = 1, .bytes = 1024 * 1024, .age = 1h}));
  EXPECT_EQ(config->channels[0].config.slow_policy, SlowPolicy::kLatest);
  EXPECT_EQ(config->channels[0].config.mode, DeliveryMode::kUnordered);
}

TEST(Config, AnEmptyFileHasTheDefaults) {
  const auto config = parse_config("", "orzatty.toml");

  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.message_size_max, Limits{}.message_size_max);
  EXPECT_EQ(config->channel_default, ChannelConfig{});
}

TEST(Config, AnUnknownKeyIsRefusedWithItsLineAndTheNearestKnownOne) {
  EXPECT_EQ(refusal("\nlissten = 'a:1'"),
            "folder/orzatty.toml:2: unknown key 'lissten': did you mean 'listen'?");
  EXPECT_EQ(refusal("[limits]\nmesage_size_max = 1"),
            "folder/orzatty.toml:2: unknown key 'mesage_size_max' in [limits]: did you mean "
            "'message_size_max'?");
  EXPECT_EQ(refusal("[[channel]]\npattern = 'a'\nretention_byte = 1"),
            "folder/orzatty.toml:3: unknown key 'retention_byte' in [[channel]]: did you mean "
            "'retention_bytes'?");
  EXPECT_THAT(refusal("tokens = [{identity = 'a', tokn = 'b'}]"),
              HasSubstr("did you mean 'token'?"));
  EXPECT_THAT(refusal("[channel_defaults]"), HasSubstr("did you mean 'channel_default'?"));
}

TEST(Config, AWrongSyntaxIsRefusedWithItsLine) {
  EXPECT_THAT(refusal("listen = \"a:1\"\nkey = "), HasSubstr("folder/orzatty.toml:2: "));
}

TEST(Config, AValueOfTheWrongTypeIsRefused) {
  EXPECT_THAT(refusal("listen = 5000"), HasSubstr(":1: listen must be a text"));
  EXPECT_THAT(refusal("listen = []"), HasSubstr("at least one address"));
  EXPECT_THAT(refusal("busy_poll = 1"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("tokens = 'a'"), HasSubstr("list of tables"));
  EXPECT_THAT(refusal("[limits]\nhello_timeout = 5"), HasSubstr("\"250ms\""));
  EXPECT_THAT(refusal("[limits]\nmessage_size_max = 1.5"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("[limits]\nmessage_size_max = -1"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("[limits]\nmessage_size_max = 4294967296"), HasSubstr("4294967295"));
  EXPECT_THAT(refusal("[[channel]]\npattern = 'a'\nslow_policy = 'drop'"),
              HasSubstr("did you mean 'drop_oldest'?"));
  EXPECT_THAT(refusal("[[channel]]\npattern = 'a'\nmode = 'datagramm'"),
              HasSubstr("did you mean 'datagram'?"));
  EXPECT_THAT(refusal("[[channel]]\npattern = 'a..b'"), HasSubstr("no pattern"));
}

TEST(Config, ATokenNeedsAnIdentityAndExactlyOneSecret) {
  EXPECT_THAT(refusal("tokens = [{token = 'b'}]"), HasSubstr("needs an identity"));
  EXPECT_THAT(refusal("tokens = [{identity = 'a'}]"), HasSubstr("needs an identity"));
  EXPECT_THAT(refusal("tokens = [{identity = 'a', token = 'b', token_file = 'c'}]"),
              HasSubstr("either"));
  EXPECT_THAT(refusal("tokens = [{identity = 'a', token = 'x'}, {identity = 'b', token = 'x'}]"),
              HasSubstr("'b' has the same token"));
}

TEST(Config, ATokenIsReadFromAFileBesideTheConfiguration) {
  const FolderForTest test;
  std::ofstream(test.path() / "alice.token") << "secret\n";

  const auto config = parse_config("tokens = [{identity = 'alice', token_file = 'alice.token'}]",
                                   test.path() / "orzatty.toml");

  ASSERT_TRUE(config) << config.error().text;
  EXPECT_EQ(config->tokens.at(0).token, "secret");
}

TEST(Config, TheServersSecretIsReadFromAFileAndMustBeLong) {
  const FolderForTest test;
  ASSERT_TRUE(write_secret(test.path() / "long", std::string(32, 's') + "\n"));
  ASSERT_TRUE(write_secret(test.path() / "short", std::string(31, 's') + "\n"));

  const auto config = parse_config("secret_file = \"long\"", test.path() / "orzatty.toml");
  const auto refused = parse_config("secret_file = \"short\"", test.path() / "orzatty.toml");

  ASSERT_TRUE(config) << config.error().text;
  EXPECT_EQ(config->secret, std::string(32, 's'));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("too short"));
}

TEST(Config, ACertificateWithoutItsKeyIsRefused) {
  EXPECT_THAT(refusal("certificate = 'a.pem'"), HasSubstr("belong together"));
}

TEST(Config, AChannelWithoutAnyBoundForItsMemoryIsRefused) {
  EXPECT_THAT(refusal("[[channel]]\npattern = 'a'\nretention_bytes = 0"), HasSubstr("bound"));
  EXPECT_EQ(refusal("[[channel]]\npattern = 'a'\nretention_bytes = 0\nretention_count = 1"),
            "(accepted)");
}

TEST(Config, LimitsThatContradictEachOtherAreRefused) {
  EXPECT_EQ(refusal("[limits]\nmessage_size_max = 2097152"), "(accepted)");
  EXPECT_THAT(refusal("[limits]\nmessage_size_max = 2097153"),
              HasSubstr("message_size_max may not exceed stream_window"));
  EXPECT_THAT(refusal("[limits]\nheartbeat_interval = '10s'"), HasSubstr("less than dead_after"));
  EXPECT_THAT(refusal("[limits]\nchannel_name_size_max = 256"), HasSubstr("255"));
  EXPECT_THAT(refusal("[limits]\nconnection_count_max = 0"), HasSubstr("at least 1"));
}

// Converts to whatever type a field of Limits has.
struct AnyField {
  template <class Field>
    requires std::same_as<Field, std::uint32_t> || std::same_as<Field, Duration>
  operator Field() const;
};

template <std::size_t... index>
constexpr bool has_fields(std::index_sequence<index...>) {
  return requires { Limits{(static_cast<void>(index), AnyField{})...}; };
}

template <std::size_t count = 0>
constexpr std::size_t field_count() {
  if constexpr (has_fields(std::make_index_sequence<count + 1>{})) {
    return field_count<count + 1>();
  } else {
    return count;
  }
}

TEST(LimitsTable, NamesEveryFieldOfLimits) {
  EXPECT_EQ(base::count_limits().size() + base::duration_limits().size(), field_count());
}

constexpr double kRunSize = 2 * 84;
// Of the smallest messages, each a run.
constexpr double with_runs(double bytes) { return bytes + bytes / 2 * kRunSize; }

TEST(MemoryCeiling, AChannelIsBoundedByWhicheverRetentionIsSmaller) {
  Limits limits;
  limits.channel_count_max = 1;
  limits.message_size_max = 100;
  const ChannelConfig by_count = {.retention = {.count = 2, .bytes = 1000},
                                  .slow_policy = SlowPolicy::kWait};
  const ChannelConfig by_bytes = {.retention = {.count = 20, .bytes = 1000},
                                  .slow_policy = SlowPolicy::kWait};

  EXPECT_EQ(memory_ceiling(limits, by_count, {}).channels, 200 + 2 * kRunSize);
  EXPECT_EQ(memory_ceiling(limits, by_bytes, {}).channels, 1000 + 20 * kRunSize);
}

TEST(MemoryCeiling, AChannelInModeLatestHasTheNewestValuesAndTheirKeysBesides) {
  Limits limits;
  limits.channel_count_max = 1;
  limits.message_size_max = 1000;
  limits.latest_key_count_max = 10;
  const ChannelConfig reliable = {.retention = {.bytes = 5000}};
  ChannelConfig latest = reliable;
  latest.mode = DeliveryMode::kLatest;

  const auto without = memory_ceiling(limits, reliable, {});
  const auto with = memory_ceiling(limits, latest, {});

  EXPECT_EQ(without.channels, with_runs(5000));
  EXPECT_EQ(with.channels, with_runs(5000) + 10 * 1000 + 10 * 1480);
  EXPECT_EQ(with.total() - without.total(), with.channels - without.channels);
}

TEST(MemoryCeiling, ANamedChannelCountsOnceAndAPatternForAllThatItMayMatch) {
  Limits limits;
  limits.channel_count_max = 10;
  const ChannelConfig small = {.retention = {.bytes = 10}, .slow_policy = SlowPolicy::kWait};
  const ChannelConfig large = {.retention = {.bytes = 500}, .slow_policy = SlowPolicy::kWait};

  const auto named = memory_ceiling(limits, small, {{*ChannelPattern::parse("a"), large}});
  const auto matched = memory_ceiling(limits, small, {{*ChannelPattern::parse("a.>"), large}});

  EXPECT_EQ(named.named_channels + named.channels, with_runs(500) + 9 * with_runs(10));
  EXPECT_EQ(matched.named_channels + matched.channels, 10 * with_runs(500));
}

TEST(MemoryCeiling, AllChannelsTogetherHoldWhatTheHubMayAndTheNamedOnesAreAmongThem) {
  Limits limits;
  limits.hub_size_max = 1'000'000;
  const ChannelConfig large = {.retention = {.bytes = 900'000}};

  const auto ceiling = memory_ceiling(limits, large, {{*ChannelPattern::parse("a"), large}});

  EXPECT_EQ(ceiling.named_channels + ceiling.channels, limits.hub_size_max);
}

}  // namespace
}  // namespace orzatty::apps
