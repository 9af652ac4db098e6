// What a scene of `orzatty bench` is asked to do, and where it happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bench_server.h"
#include "cores.h"
#include "failure.h"
#include "orzatty/client.h"
#include "orzatty/time.h"

namespace orzatty::apps {

// A server that runs already; everything then goes through its hub.
struct OtherServer {
  std::string address;
  ClientOptions client_options;
};

struct BenchPlan {
  std::size_t size = 64;                    // bytes of a message
  Duration time = std::chrono::seconds(3);  // of sending, when there is no count
  std::uint64_t count = 0;                  // of messages, or of round trips; 0: by time
  std::size_t subscribers = 1;
  std::size_t connections = 1;
  std::size_t channels = 1;
  std::size_t in_flight = 1;
  double rate = 10'000;  // messages per second, where they have a schedule
  Waiting waiting = Waiting::kSleep;
  std::optional<Duration> spin = std::nullopt;  // of the client; its own default otherwise
  Cores cores;
  std::optional<OtherServer> other;
};

// Our own server, or one that runs already.
struct Stage {
  std::optional<BenchServer> own;
  std::string address;
  ClientOptions client_options;
  std::string channel;  // of the hub; its own, as others may use the server too
  Cores cores;
};

Result<Stage> set_up(const BenchPlan& plan);
Result<Client> open_client(const Stage& stage, Drive drive);
// Echoed by our own server's handler, or by the hub to this client as a subscriber.
Result<Publisher> open_echo(const Stage& stage, Client& client, SubscriptionHandler handler);

}  // namespace orzatty::apps
