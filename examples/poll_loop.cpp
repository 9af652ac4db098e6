// Two players in a world of 60 steps per second. There is no thread of Orzatty's in a player: with
// Drive::kPoll the loop of the game itself moves the messages, and waits for them instead of
// sleeping.
//
//   poll_loop [STEPS]
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <expected>
#include <iostream>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "orzatty/client.h"
#include "orzatty/server.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kStep = std::chrono::nanoseconds(std::chrono::seconds(1)) / 60;

struct PlayerState {
  std::uint32_t step = 0;
  float x = 0;
  float y = 0;
};

struct Player {
  std::string name = {};
  std::string token = {};
  PlayerState state = {};
  PlayerState other = {};  // as it was seen last
  std::uint64_t seen = 0;  // how often
};

// The newest state that there is, then all that come.
std::expected<orzatty::Subscription, orzatty::Error> watch(Player& player,
                                                           orzatty::Client& client) {
  const auto handler = [&player](const orzatty::Message& message) {
    if (message.publisher() == player.name) return;
    if (message.payload().size() != sizeof(PlayerState)) return;
    std::memcpy(&player.other, message.payload().data(), sizeof(PlayerState));
    ++player.seen;
  };
  return client.subscribe("players.*", handler, {.from = orzatty::StartPosition::latest()});
}

void play(Player& player, orzatty::Client& client, std::uint32_t steps) {
  const auto subscription = watch(player, client);
  auto publisher = client.publisher("players." + player.name);
  if (!subscription || !publisher) return;

  auto due = Clock::now();
  const auto over = due + steps * kStep + std::chrono::seconds(5);  // the other may have left
  while (player.state.step < steps || (player.other.step < steps && due < over)) {
    if (player.state.step < steps) {
      ++player.state.step;
      player.state.x += 0.5F;
      // Never waits: a state that cannot leave now is old news by the next step.
      (void)publisher->try_send(std::as_bytes(std::span(&player.state, 1)));
    }
    due += kStep;
    for (auto now = Clock::now(); now < due; now = Clock::now()) client.poll(due - now);
  }
}

// A thread each, as if they were two programs.
void play_alone(Player& player, const std::string& server, const std::string& pin,
                std::uint32_t steps) {
  auto client = orzatty::Client::connect(server, {.token = player.token,
                                                  .trust = orzatty::Trust::pinned(pin),
                                                  .drive = orzatty::Drive::kPoll});
  if (!client) {
    std::cerr << client.error().text << '\n';
    return;
  }
  play(player, *client, steps);
  (void)client->close();  // the last state arrives, too
}

}  // namespace

int main(int count, char** words) {
  const auto steps = static_cast<std::uint32_t>(count > 1 ? std::stoul(words[1]) : 120);
  const auto certificate = *orzatty::Certificate::self_signed();
  orzatty::ServerOptions options;
  options.certificate = certificate;
  options.authenticate = orzatty::named_tokens(
      {{"ann", "token of ann"}, {"ben", "token of ben"}});
  // Whoever cannot keep up gets the newest state, not all of them.
  options.channel_default.retention.count = 1;
  options.channel_default.slow_policy = orzatty::SlowPolicy::kLatest;
  auto server = orzatty::Server::bind("127.0.0.1:0", std::move(options));
  if (!server) {
    std::cerr << server.error().text << '\n';
    return 1;
  }
  std::jthread serving([&] { server->run(); });

  std::array<Player, 2> players = {Player{.name = "ann", .token = "token of ann"},
                                   Player{.name = "ben", .token = "token of ben"}};
  std::vector<std::jthread> games;
  for (Player& player : players) {
    games.emplace_back(
        [&] { play_alone(player, server->addresses().front(), *certificate.pin(), steps); });
  }
  games.clear();  // joins them
  server->stop();
  for (const Player& player : players) {
    std::cout << player.name << " made " << player.state.step << " steps and saw " << player.seen
              << " states of the other, the last of step " << player.other.step << '\n';
  }
}
