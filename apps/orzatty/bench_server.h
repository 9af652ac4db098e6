// The server of a bench: in a process of its own, with endpoints that check and count, on a free
// port of the loopback, with TLS, a certificate of its own and a token.
#pragma once

#include <cstdint>
#include <string>

#include "cores.h"
#include "failure.h"
#include "orzatty/client.h"
#include "worker.h"

namespace orzatty::apps {

// Messages to this one are checked and sent back.
inline constexpr const char* kEchoChannel = "bench.echo";
// Messages to these are only checked.
std::string sink_channel(std::size_t index);

enum class Waiting : std::uint8_t {
  kSleep,  // the product's default: asks for some microseconds, then sleeps
  kSpin,   // busy-polls: burns its core for less latency
};

struct BenchServerPlan {
  Waiting waiting = Waiting::kSleep;
  Cores cores;
  std::size_t size = 64;    // of every message
  std::size_t sources = 1;  // that number their messages, each by itself
  std::size_t channels = 1;
};

// What the server's process took until now.
struct ServerFigures {
  Duration cpu{};
  double resident_bytes = 0;
};

// What the endpoints saw, of all sources together, and what the process took.
struct EndpointTally {
  std::uint64_t next = 0;  // one more than the highest number
  std::uint64_t skipped = 0;
  std::uint64_t repeated = 0;
  Duration cpu{};

  [[nodiscard]] std::uint64_t lost(std::uint64_t sent) const {
    return skipped + (sent > next ? sent - next : 0);
  }
};

class BenchServer {
 public:
  static Result<BenchServer> start(const BenchServerPlan& plan);

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] ClientOptions client_options() const { return client_options_; }
  Result<ServerFigures> figures();
  Result<EndpointTally> stop();

 private:
  BenchServer(Worker worker, std::string address, ClientOptions client_options)
      : worker_(std::move(worker)),
        address_(std::move(address)),
        client_options_(std::move(client_options)) {}

  Worker worker_;
  std::string address_;
  ClientOptions client_options_;
};

}  // namespace orzatty::apps
