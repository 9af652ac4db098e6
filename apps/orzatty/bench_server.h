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

// Messages to the first are only checked, those to the second also sent back.
inline constexpr const char* kSinkChannel = "bench.sink";
inline constexpr const char* kEchoChannel = "bench.echo";

enum class Waiting : std::uint8_t {
  kSleep,  // the product's default: asks for some microseconds, then sleeps
  kSpin,   // busy-polls: burns its core for less latency
};

// What the endpoints saw, and what the process took.
struct EndpointTally {
  std::uint64_t next = 0;  // one more than the highest number
  std::uint64_t skipped = 0;
  std::uint64_t repeated = 0;
  Duration cpu{};
};

class BenchServer {
 public:
  static Result<BenchServer> start(Waiting waiting, const Cores& cores);

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] ClientOptions client_options() const { return client_options_; }
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
