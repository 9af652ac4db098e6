// The words in which scenarios are told: who is there, what they do, what befalls them. Each
// scenario has every checker at work, and fails when a promise is broken, whatever it expects
// besides.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.h"

namespace orzatty::sim {

using namespace std::chrono_literals;

// A client, by what it does.
class Person {
 public:
  Person(World& world, ClientIndex index) : world_(&world), index_(index) {}

  Person& publishes(std::uint64_t count, std::string_view channel, Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel), .count = count, .every = every});
    return *this;
  }
  Person& publishes_large(std::uint64_t count, std::size_t size, std::string_view channel) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = 1ms,
                          .burst_max = 10,
                          .size_max = size});
    return *this;
  }
  Person& publishes_urgently(std::uint64_t count, std::string_view channel, Duration every) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .priority = kPriorityMax});
    return *this;
  }
  // Messages of which none waits for another.
  Person& publishes_unordered(std::uint64_t count, std::string_view channel, Duration every) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .burst_max = 4,
                          .size_max = 3000,
                          .mode = DeliveryMode::kUnordered});
    return *this;
  }
  // Messages that are worth nothing after a while.
  Person& publishes_for(std::chrono::milliseconds time_to_live, std::uint64_t count,
                        std::string_view channel, Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .time_to_live = time_to_live});
    return *this;
  }
  // Each once, and never again.
  Person& publishes_datagrams(std::uint64_t count, std::string_view channel,
                              Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .mode = DeliveryMode::kDatagram});
    return *this;
  }
  // Values of so many keys, which take turns.
  Person& publishes_values(std::uint64_t count, std::uint64_t key_count, std::string_view channel,
                           Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .burst_max = 20,
                          .mode = DeliveryMode::kLatest,
                          .key_count = key_count});
    return *this;
  }
  // Each worth nothing after a while, whether there is a newer one or not.
  Person& publishes_values_for(std::chrono::milliseconds time_to_live, std::uint64_t count,
                               std::uint64_t key_count, std::string_view channel) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .time_to_live = time_to_live,
                          .mode = DeliveryMode::kLatest,
                          .key_count = key_count});
    return *this;
  }
  // As the producer of that name, of which the newest process counts.
  Person& publishes_as(std::string_view producer, std::uint64_t count, std::string_view channel,
                       Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .producer = std::string(producer)});
    return *this;
  }
  // By publishers of so many messages each, one after the other.
  Person& publishes_by_many(std::uint64_t count, std::uint64_t each, std::string_view channel,
                            Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .publisher_ends_after = each});
    return *this;
  }
  // Every seventh request is cancelled at once.
  Person& asks(std::uint64_t count, std::string_view channel,
               std::chrono::milliseconds patience = 10s, Duration every = 10ms) {
    world_->feed(index_, {.channel = std::string(channel),
                          .count = count,
                          .every = every,
                          .asks_for = patience});
    return *this;
  }
  Person& answers(std::string_view pattern) {
    world_->answer(index_, pattern);
    return *this;
  }
  Person& subscribes(std::string_view pattern,
                     const StartPosition& start = StartPosition::start()) {
    world_->subscribe(index_, pattern, start);
    return *this;
  }

  void is_cut_off() { world_->up(index_).open = world_->down(index_).open = false; }
  void hears_but_is_not_heard() { world_->up(index_).open = false; }
  void is_back() { world_->up(index_).open = world_->down(index_).open = true; }
  void gets_a_new_nat_binding() { world_->rebind(index_); }
  void moves_to_another_network() { world_->move(index_); }
  void falls_asleep() { world_->pause_client(index_); }
  void wakes_up() { world_->wake_client(index_); }
  void dies() { world_->kill_client(index_); }
  void is_started_again() { world_->start_client(index_); }
  // Its path, both ways.
  template <class Change>
  void path(const Change& change) {
    change(world_->up(index_));
    change(world_->down(index_));
  }

  // What it was told of a channel, in order.
  [[nodiscard]] std::vector<MessageName> received(std::string_view channel) const {
    const auto found = heard().find(std::string(channel));
    return found == heard().end() ? std::vector<MessageName>() : found->second.messages;
  }
  [[nodiscard]] std::vector<Gap> missed(std::string_view channel) const {
    const auto found = heard().find(std::string(channel));
    return found == heard().end() ? std::vector<Gap>() : found->second.gaps;
  }
  [[nodiscard]] std::uint64_t told_of_new_beginnings(std::string_view channel) const {
    const auto found = heard().find(std::string(channel));
    return found == heard().end() ? 0 : found->second.resets;
  }
  [[nodiscard]] std::uint64_t fate(std::string_view fate) const {
    const auto& fates = world_->client(index_).fates();
    const auto found = fates.find(std::string(fate));
    return found == fates.end() ? 0 : found->second;
  }
  // How many of its requests ended so: "answered", "timeout", "refused", "lost", "cancelled".
  [[nodiscard]] std::uint64_t requests(std::string_view end) const {
    const auto& requests = world_->client(index_).requests();
    const auto found = requests.find(std::string(end));
    return found == requests.end() ? 0 : found->second;
  }
  [[nodiscard]] std::uint64_t publishers_ended() const {
    return world_->client(index_).publishers_ended();
  }
  [[nodiscard]] std::uint64_t accepted() const { return fate("accepted"); }
  [[nodiscard]] std::uint64_t rejected() const { return fate("rejected"); }
  [[nodiscard]] std::uint64_t expired() const { return fate("expired"); }
  [[nodiscard]] std::uint64_t handed_to_network() const { return fate("handed to the network"); }
  [[nodiscard]] std::uint64_t superseded() const { return fate("superseded"); }
  [[nodiscard]] bool is_shut_out() const { return world_->client(index_).fenced(); }
  // What the server sent to it alone.
  [[nodiscard]] std::uint64_t received_alone() const {
    return world_->client(index_).direct_count();
  }
  [[nodiscard]] std::uint64_t sessions() const { return world_->client(index_).session_count(); }
  [[nodiscard]] std::uint64_t resumed() const { return world_->client(index_).resumed_count(); }
  [[nodiscard]] std::uint64_t missed_count(std::string_view channel) const {
    std::uint64_t count = 0;
    for (const Gap& gap : missed(channel)) count += gap.to - gap.from;
    return count;
  }
  [[nodiscard]] std::uint64_t connections() const {
    return world_->client(index_).connected_count();
  }

 private:
  [[nodiscard]] const std::map<std::string, Heard>& heard() const {
    return world_->client(index_).heard();
  }

  World* world_;
  ClientIndex index_;
};

class Simulation : public testing::Test {
 protected:
  // Both ways; a round trip takes twice the delay.
  struct Path {
    Duration delay = 20ms;
    double loss = 0;
    std::uint64_t rate = 0;
  };

  Simulation() { RecordProperty("seed", std::to_string(kSeed)); }

  // What the channel "room" is like, before anybody is there.
  void the_room_keeps(const Retention& retention, SlowPolicy policy = SlowPolicy::kWait) {
    config_.server.rules.push_back(
        {*ChannelPattern::parse("room"), {.retention = retention, .slow_policy = policy}});
  }
  void the_room_keeps_everything_and_no_order() {
    config_.server.rules.push_back(
        {*ChannelPattern::parse("room"),
         {.mode = DeliveryMode::kUnordered, .retention = {.count = 0, .bytes = 0, .age = 0s}}});
  }
  void the_room_has_no_order_and_keeps(std::uint64_t count) {
    config_.server.rules.push_back(
        {*ChannelPattern::parse("room"),
         {.mode = DeliveryMode::kUnordered,
          .retention = {.count = count, .bytes = 0, .age = 0s},
          .slow_policy = SlowPolicy::kDropOldest}});
  }
  // Of which nothing but the newest values has to be kept.
  void the_room_is_of_values() {
    config_.server.rules.push_back(
        {*ChannelPattern::parse("room"),
         {.mode = DeliveryMode::kLatest, .retention = {.count = 1, .bytes = 0, .age = 0s}}});
  }
  void the_room_is_of_datagrams() {
    config_.server.rules.push_back(
        {*ChannelPattern::parse("room"), {.mode = DeliveryMode::kDatagram, .retention = {}}});
  }
  Limits& limits() { return config_.server.limits; }
  // One every 100 ms, to everybody who is there.
  void the_server_sends_to_each_alone(std::uint64_t count) {
    config_.server.direct_count = count;
    config_.server.direct_every = 100ms;
  }

  World& world() {
    if (!world_) world_ = std::make_unique<World>(config_);
    return *world_;
  }
  Person somebody(std::string_view name, const Path& path) {
    Conditions conditions = ordinary_path(path.delay);
    conditions.loss = path.loss;
    conditions.rate = path.rate;
    return {world(), world().add_client(name, {{conditions, conditions}, 0s})};
  }
  Person somebody(std::string_view name) { return somebody(name, Path()); }
  // Another process with the same identity, whose named producers are newer.
  Person a_newer_process_of(std::string_view name) {
    const World::ClientPlace place{{}, 0s, std::string(name), 1000};
    return {world(), world().add_client(std::string(name) + "'s newer process", place)};
  }

  void run_for(Duration duration) { world().run_for(duration); }
  // Everything has its fate, and everybody has everything; checks all promises.
  void everything_comes_to_rest(Duration within = 60s) {
    const Instant end = world().now() + within;
    while (!world().failed() && !world().quiet() && world().now() < end) world().run_for(10ms);
    world().chronicle().finish();
    expect_no_broken_promise();
    EXPECT_EQ(world().unquiet(), "");
  }
  void expect_no_broken_promise() {
    const auto& violation = world().chronicle().violation();
    EXPECT_FALSE(violation) << violation->checker << ": " << violation->what;
  }
  [[nodiscard]] std::vector<MessageName> log(std::string_view channel) {
    std::vector<MessageName> names;
    const ChannelRecord* const record =
        world().chronicle().archive().find(world().server().life(), channel);
    if (record == nullptr) return names;
    for (const ChannelRecord::Entry& entry : record->entries) names.push_back(entry.name);
    return names;
  }

  static constexpr std::uint64_t kSeed = 42;

 private:
  WorldConfig config_{.seed = kSeed, .server = {}, .server_clock_offset = 0s};
  std::unique_ptr<World> world_;
};

}  // namespace orzatty::sim
