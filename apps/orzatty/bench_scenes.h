// What `orzatty bench` measures, one run at a time, through the public API: one send() per message,
// real handlers that check the number and the content of each, TLS on.
#pragma once

#include <cstdint>

#include "bench_plan.h"
#include "failure.h"
#include "histogram.h"
#include "orzatty/time.h"

namespace orzatty::apps {

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

// Times from when a message was to be sent until it was back.
struct Times {
  std::uint64_t count = 0;
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  Duration time{};
  Histogram histogram;
};

struct Handshakes {
  std::uint64_t count = 0;
  std::uint64_t lost = 0;  // refused, or without an answer
  std::uint64_t repeated = 0;
  Duration time{};
  Duration clients_cpu{};
  Duration server_cpu{};
};

struct IdleConnections {
  std::uint64_t count = 0;
  std::uint64_t lost = 0;  // that did not answer at the end
  std::uint64_t repeated = 0;
  double server_bytes = 0;  // that all of them together made the server grow
  Duration time{};
  Duration server_cpu{};  // in that time
};

// To a handler of the server.
Result<Flow> measure_endpoint(const BenchPlan& plan);
// The same from many connections or to many channels, by one thread that polls.
Result<Flow> measure_publishers(const BenchPlan& plan);
// To a channel of the hub, and from there to subscribers.
Result<Flow> measure_hub(const BenchPlan& plan);
// To a handler of the server and back; with another server through its hub. So many at a time as
// are to be in flight, each sent as soon as one has come back.
Result<Times> measure_round_trips(const BenchPlan& plan);
// The same on a schedule, whatever came back: from when each was due, so that one that holds up the
// others counts for all of them.
Result<Times> measure_latency(const BenchPlan& plan);
// Each with a token, and closed at once; so many at a time as are to be in flight.
Result<Handshakes> measure_handshakes(const BenchPlan& plan);
// Authenticated connections with nothing to do.
Result<IdleConnections> measure_idle(const BenchPlan& plan);

}  // namespace orzatty::apps
