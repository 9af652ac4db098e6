// What `orzatty bench` measures, one run at a time, through the public API: one send() per message,
// real handlers that check the number of each, TLS on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench_server.h"
#include "failure.h"
#include "orzatty/client.h"
#include "orzatty/time.h"
#include "statistics.h"

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
  Waiting waiting = Waiting::kSleep;
  Cores cores;
  std::optional<OtherServer> other;
};

struct Flow {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;  // to handlers
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  Duration time{};  // from the first send() until all of it was handled
  // Processor time of each process.
  Duration sender_cpu{};
  Duration server_cpu{};       // nothing of another server
  Duration subscribers_cpu{};  // nothing without any
};

struct RoundTripTimes {
  std::uint64_t count = 0;
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  Percentiles percentiles;
};

// To a handler of the server.
Result<Flow> measure_endpoint(const BenchPlan& plan);
// To a channel of the hub, and from there to subscribers.
Result<Flow> measure_hub(const BenchPlan& plan);
// To a handler of the server and back; with another server through its hub.
Result<RoundTripTimes> measure_round_trips(const BenchPlan& plan);

}  // namespace orzatty::apps
