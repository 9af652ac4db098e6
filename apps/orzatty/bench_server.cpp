#include "bench_server.h"

#include <charconv>
#include <optional>
#include <thread>
#include <utility>

#include "cpu_time.h"
#include "development.h"
#include "orzatty/server.h"
#include "output.h"
#include "sequence_check.h"

namespace orzatty::apps {
namespace {

struct Listening {
  std::uint16_t port = 0;
};
struct Stop {};

struct ServerPlan {
  Certificate certificate;
  std::string token;
  Waiting waiting = Waiting::kSleep;
  Cores cores;
};

std::uint16_t port_of(const std::string& address) {
  const std::string_view digits = std::string_view(address).substr(address.rfind(':') + 1);
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

std::expected<void, Error> add_endpoints(Server& server, SequenceCheck& sunk,
                                         SequenceCheck& echoed) {
  auto added = server.on(kSinkChannel,
                         [&sunk](Peer&, const Message& message) { sunk.take(message.payload()); });
  if (!added) return added;
  return server.on(kEchoChannel, [&echoed](Peer& peer, const Message& message) {
    // One that does not go back is seen as lost.
    if (peer.send(kEchoChannel, message.payload())) echoed.take(message.payload());
  });
}

// All of the server's process.
int serve(const ServerPlan& plan, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kServer);
  ServerOptions options;
  options.certificate = plan.certificate;
  options.authenticate = tokens({plan.token});
  options.busy_poll = plan.waiting == Waiting::kSpin;
  auto server = Server::bind("127.0.0.1:0", std::move(options));
  if (!server) {
    tell(server.error().text);
    return 1;
  }
  SequenceCheck sunk;
  SequenceCheck echoed;
  if (const auto added = add_endpoints(*server, sunk, echoed); !added) {
    tell(added.error().text);
    return 1;
  }
  conversation.tell(Listening{port_of(server->addresses().front())});
  std::thread stopper([&] {
    static_cast<void>(conversation.hear<Stop>());  // or the bench is gone
    server->stop();
  });
  const auto served = server->run();
  stopper.join();
  if (!served) tell(served.error().text);
  const SequenceCheck& used = sunk.next() > 0 ? sunk : echoed;
  conversation.tell(
      EndpointTally{used.next(), used.lost(used.next()), used.repeated(), cpu_time()});
  return served ? 0 : 1;
}

}  // namespace

Result<BenchServer> BenchServer::start(Waiting waiting, const Cores& cores) {
  auto certificate = Certificate::self_signed();
  if (!certificate) return std::unexpected(failure_of(certificate.error()));
  const auto pin = certificate->pin();
  if (!pin) return std::unexpected(failure_of(pin.error()));
  const ServerPlan plan{std::move(*certificate), make_token(), waiting, cores};
  auto worker =
      Worker::start([&plan](Conversation& conversation) { return serve(plan, conversation); });
  if (!worker) return std::unexpected(worker.error());
  const auto listening = worker->conversation().hear<Listening>();
  if (!listening) return failure(ExitCode::kFailed, "the server of the bench did not start");
  ClientOptions client_options;
  client_options.token = plan.token;
  client_options.trust = Trust::pinned(*pin);
  return BenchServer(std::move(*worker), "127.0.0.1:" + std::to_string(listening->port),
                     std::move(client_options));
}

Result<EndpointTally> BenchServer::stop() {
  worker_.conversation().tell(Stop{});
  const auto tally = worker_.conversation().hear<EndpointTally>();
  if (!worker_.await() || !tally) {
    return failure(ExitCode::kFailed, "the server of the bench failed");
  }
  return *tally;
}

}  // namespace orzatty::apps
