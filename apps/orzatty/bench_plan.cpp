#include "bench_plan.h"

#include <algorithm>
#include <utility>

#include "development.h"

namespace orzatty::apps {

Result<Stage> set_up(const BenchPlan& plan) {
  Stage stage;
  stage.cores = plan.cores;
  stage.channel = "bench." + make_token().substr(0, 16);
  if (plan.other) {
    stage.address = plan.other->address;
    stage.client_options = plan.other->client_options;
  } else {
    auto server = BenchServer::start({.waiting = plan.waiting,
                                      .cores = plan.cores,
                                      .size = plan.size,
                                      .sources = std::max(plan.connections, plan.channels),
                                      .channels = plan.channels});
    if (!server) return std::unexpected(server.error());
    stage.address = server->address();
    stage.client_options = server->client_options();
    stage.own.emplace(std::move(*server));
  }
  if (plan.spin) stage.client_options.spin = *plan.spin;
  return stage;
}

Result<Client> open_client(const Stage& stage, Drive drive) {
  stage.cores.occupy(Cores::Side::kClients);
  ClientOptions options = stage.client_options;
  options.drive = drive;
  auto client = Client::connect(stage.address, std::move(options));
  if (!client) return std::unexpected(refusal_of(client.error()));
  return std::move(*client);
}

Result<Publisher> open_echo(const Stage& stage, Client& client, SubscriptionHandler handler) {
  const std::string channel = stage.own ? kEchoChannel : stage.channel;
  if (stage.own) {
    if (const auto set = client.on(channel, std::move(handler)); !set) {
      return std::unexpected(failure_of(set.error()));
    }
  } else {
    auto subscription = client.subscribe(channel, std::move(handler));
    if (!subscription) return std::unexpected(failure_of(subscription.error()));
    subscription->detach();
  }
  auto publisher = client.publisher(channel);
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  return std::move(*publisher);
}

}  // namespace orzatty::apps
