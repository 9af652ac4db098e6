#include "bench_server.h"

#include <charconv>
#include <optional>
#include <thread>
#include <utility>

#include "cpu_time.h"
#include "development.h"
#include "message_check.h"
#include "orzatty/server.h"
#include "output.h"
#include "process_figures.h"

namespace orzatty::apps {
namespace {

struct Listening {
  std::uint16_t port = 0;
};
enum class Wish : std::uint8_t { kFigures, kStop };

struct Credentials {
  Certificate certificate;
  std::string token;
};

std::uint16_t port_of(const std::string& address) {
  const std::string_view digits = std::string_view(address).substr(address.rfind(':') + 1);
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

std::expected<void, Error> add_endpoints(Server& server, std::size_t channels, MessageCheck& sunk,
                                         MessageCheck& echoed) {
  for (std::size_t i = 0; i < channels; ++i) {
    auto added = server.on(
        sink_channel(i), [&sunk](Peer&, const Message& message) { sunk.take(message.payload()); });
    if (!added) return added;
  }
  return server.on(kEchoChannel, [&echoed](Peer& peer, const Message& message) {
    // One that does not go back is seen as lost.
    if (peer.send(kEchoChannel, message.payload())) echoed.take(message.payload());
  });
}

// Until the bench wants no more of it, or is gone.
void answer_wishes(Conversation& conversation) {
  while (conversation.hear<Wish>() == Wish::kFigures) {
    conversation.tell(ServerFigures{cpu_time(), process_figures().resident_bytes});
  }
}

// All of the server's process.
int serve(const BenchServerPlan& plan, const Credentials& credentials, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kServer);
  ServerOptions options;
  options.certificate = credentials.certificate;
  options.authenticate = tokens({credentials.token});
  options.busy_poll = plan.waiting == Waiting::kSpin;
  auto server = Server::bind("127.0.0.1:0", std::move(options));
  if (!server) {
    tell(server.error().text);
    return 1;
  }
  const Bytes expected = numbered_message(plan.size);
  MessageCheck sunk(expected, plan.sources);
  MessageCheck echoed(expected, plan.sources);
  if (const auto added = add_endpoints(*server, plan.channels, sunk, echoed); !added) {
    tell(added.error().text);
    return 1;
  }
  conversation.tell(Listening{port_of(server->addresses().front())});
  std::thread stopper([&] {
    answer_wishes(conversation);
    server->stop();
  });
  const auto served = server->run();
  stopper.join();
  if (!served) tell(served.error().text);
  const MessageCheck& used = sunk.next() > 0 ? sunk : echoed;
  conversation.tell(EndpointTally{used.next(), used.skipped(), used.repeated(), cpu_time()});
  return served ? 0 : 1;
}

}  // namespace

std::string sink_channel(std::size_t index) { return "bench.sink." + std::to_string(index); }

Result<BenchServer> BenchServer::start(const BenchServerPlan& plan) {
  auto certificate = Certificate::self_signed();
  if (!certificate) return std::unexpected(failure_of(certificate.error()));
  const auto pin = certificate->pin();
  if (!pin) return std::unexpected(failure_of(pin.error()));
  const Credentials credentials{std::move(*certificate), make_token()};
  auto worker = Worker::start(
      [&](Conversation& conversation) { return serve(plan, credentials, conversation); });
  if (!worker) return std::unexpected(worker.error());
  const auto listening = worker->conversation().hear<Listening>();
  if (!listening) return failure(ExitCode::kFailed, "the server of the bench did not start");
  ClientOptions client_options;
  client_options.token = credentials.token;
  client_options.trust = Trust::pinned(*pin);
  return BenchServer(std::move(*worker), "127.0.0.1:" + std::to_string(listening->port),
                     std::move(client_options));
}

Result<ServerFigures> BenchServer::figures() {
  worker_.conversation().tell(Wish::kFigures);
  const auto figures = worker_.conversation().hear<ServerFigures>();
  if (!figures) return failure(ExitCode::kFailed, "the server of the bench failed");
  return *figures;
}

Result<EndpointTally> BenchServer::stop() {
  worker_.conversation().tell(Wish::kStop);
  const auto tally = worker_.conversation().hear<EndpointTally>();
  if (!worker_.await() || !tally) {
    return failure(ExitCode::kFailed, "the server of the bench failed");
  }
  return *tally;
}

}  // namespace orzatty::apps
