// What a large transfer costs a small urgent channel on the same connection, and what it costs
// alone, in virtual time: the figures that spec/protocol.md, section 11, is for.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "link/world_for_test.h"

namespace orzatty::link::test {
namespace {

constexpr std::size_t kTransfer = 10'000'000;
constexpr std::size_t kPiece = 16 * 1024;
constexpr std::size_t kPieceCount = (kTransfer + kPiece - 1) / kPiece;
constexpr Duration kTick = 10ms;
constexpr int kTickCount = 120;  // about as long as the transfer takes alone

enum class Direction : std::uint8_t { kUp, kDown };  // from a publisher, to a subscriber

struct Path {
  double loss = 0;
  double megabits = 100;
};

// 40 ms there and back, and a queue of 20 ms at the bottleneck.
WorldConfig config_of(const Path& path, std::uint64_t seed) {
  WorldConfig config{.delay = 20ms,
                     .loss = path.loss,
                     .seed = seed,
                     .bottleneck = {.rate = path.megabits * 1e6 / 8, .queue = 20ms}};
  config.rules = {
      {*ChannelPattern::parse("bulk"), {.retention = {.bytes = 16 * 1024 * 1024}, .priority = 0}},
      {*ChannelPattern::parse("tick"), {.retention = {}, .priority = 7}}};
  return config;
}

// A connection on which both channels go one way.
class Scene {
 public:
  Scene(const Path& path, Direction direction, std::uint64_t seed)
      : world_(config_of(path, seed)),
        direction_(direction),
        alice_(world_.client("alice")),
        bob_(world_.client("bob")) {
    bob_.subscribe("tick");
    if (direction == Direction::kDown) bob_.subscribe("bulk");
    EXPECT_TRUE(world_.run_until([&] { return bob_.ready > 0 && !alice_.connected.empty(); }));
    world_.run_for(1s);
  }

  void begin_transfer() {
    begun_ = world_.now;
    for (std::size_t i = 0; i < kPieceCount; ++i) say("bulk", std::string(kPiece, 'x'), 0);
  }
  Duration end_transfer() {
    EXPECT_TRUE(world_.run_until([&] { return transferred(); }, 600s));
    return world_.now - begun_;
  }
  // How long each took from whoever said it to the subscriber.
  std::vector<Duration> tick() {
    std::vector<Instant> said;
    for (int i = 0; i < kTickCount; ++i) {
      said.push_back(world_.now);
      say("tick", std::to_string(i), kPriorityMax);
      world_.run_for(kTick);
    }
    world_.run_for(2s);
    std::vector<Duration> took;
    for (const Seen& seen : bob_.seen) {
      if (seen.channel == "tick") took.push_back(seen.at - said[std::stoul(seen.text)]);
    }
    EXPECT_EQ(took.size(), said.size());
    return took;
  }

 private:
  void say(std::string_view name, std::string text, std::uint8_t priority) {
    if (direction_ == Direction::kUp) return alice_.publish(name, std::move(text), priority);
    EXPECT_EQ(
        world_.server->hub().publish(channel(name), MessageType::kRaw, bytes_of(text), world_.now),
        ErrorCode::kNone);
  }
  bool transferred() {
    return direction_ == Direction::kUp ? alice_.settled() : bob_.seen.size() == kPieceCount;
  }

  World world_;
  Direction direction_;
  Client& alice_;
  Client& bob_;
  Instant begun_{};
};

enum class Transfer : std::uint8_t { kNone, kBeside };

Duration tick_p99(const Path& path, Direction direction, Transfer transfer, int seed_count) {
  std::vector<Duration> all;
  for (int seed = 1; seed <= seed_count; ++seed) {
    Scene scene(path, direction, static_cast<std::uint64_t>(seed));
    if (transfer == Transfer::kBeside) scene.begin_transfer();
    const std::vector<Duration> took = scene.tick();
    all.insert(all.end(), took.begin(), took.end());
  }
  std::ranges::sort(all);
  return all[all.size() * 99 / 100];
}

double ms(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void expect_added_at_most(double limit, const Path& path, int seed_count) {
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    const double alone = ms(tick_p99(path, direction, Transfer::kNone, seed_count));
    const double beside = ms(tick_p99(path, direction, Transfer::kBeside, seed_count));
    EXPECT_LE(beside - alone, limit) << (direction == Direction::kUp ? "up" : "down")
                                     << ": p99 alone " << alone << " ms, beside " << beside;
  }
}

double longest_alone(const Path& path, Direction direction, int seed_count) {
  Duration longest{};
  for (int seed = 1; seed <= seed_count; ++seed) {
    Scene scene(path, direction, static_cast<std::uint64_t>(seed));
    scene.begin_transfer();
    longest = std::max(longest, scene.end_transfer());
  }
  return ms(longest);
}

// spec: PRIORITY-1, PRIORITY-2
TEST(Priority, ATransferAddsAtMostTenMillisecondsToTheP99OfAnUrgentChannel) {
  expect_added_at_most(10, {.loss = 0}, 2);  // without loss all seeds are much the same
}

// spec: PRIORITY-1, PRIORITY-2
TEST(Priority, ATransferAddsAtMostTenMillisecondsToTheP99OfAnUrgentChannelWithLoss) {
  expect_added_at_most(10, {.loss = 0.02}, 20);
}

// spec: PRIORITY-2
TEST(Priority, ATransferOfLowPriorityThatIsAloneYieldsNothing) {
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    EXPECT_LE(longest_alone({.megabits = 100}, direction, 1), 1200);  // 0.8 s at the full rate
  }
}

TEST(Priority, ATransferIsNotCutShortByItsOwnBurstsOrByLosses) {
  EXPECT_LE(longest_alone({.megabits = 10}, Direction::kDown, 1), 9400);  // 8.3 s at the full rate
  EXPECT_LE(longest_alone({.loss = 0.02}, Direction::kDown, 5), 2000);    // CUBIC takes 30 s
}

}  // namespace
}  // namespace orzatty::link::test
