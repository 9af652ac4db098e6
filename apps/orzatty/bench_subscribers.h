// Many subscribers of one channel, each with a session of its own: they check every message. They
// are in a process of their own, thousands of them in several, of one thread each that polls them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench_server.h"
#include "failure.h"
#include "orzatty/client.h"
#include "worker.h"

namespace orzatty::apps {

struct SubscriberPlan {
  std::string address;
  ClientOptions client_options;
  std::string channel;
  std::size_t count = 1;
  std::size_t size = 64;  // of every message
  Waiting waiting = Waiting::kSleep;
  Cores cores;
};

// Of all subscribers together.
struct SubscriberTally {
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  Duration cpu{};  // since all are subscribed
};

class BenchSubscribers {
 public:
  // Returns when all of them are subscribed.
  static Result<BenchSubscribers> start(const SubscriberPlan& plan);

  // Waits until each has the messages numbered below `sent`, or nothing came for some seconds.
  Result<SubscriberTally> finish(std::uint64_t sent);

 private:
  std::vector<Worker> workers_;
};

}  // namespace orzatty::apps
