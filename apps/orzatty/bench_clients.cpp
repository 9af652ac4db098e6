#include "bench_clients.h"

#include <utility>

#include "net/clock.h"
#include "open_files.h"

namespace orzatty::apps {
namespace {

constexpr Duration kPollEvery = std::chrono::seconds(1);  // often enough for heartbeats

}  // namespace

std::expected<void, Error> BenchClients::open(const std::string& address, ClientOptions options,
                                              std::size_t count) {
  allow_many_files();
  options.drive = Drive::kPoll;
  polled_at_ = net::now();
  while (all_.size() < count) {
    auto client = Client::connect(address, options);
    if (!client) return std::unexpected(client.error());
    all_.push_back(std::move(*client));
    poll_when_due();
  }
  return {};
}

bool BenchClients::poll() {
  bool active = false;
  for (Client& client : all_) active |= client.poll();
  return active;
}

void BenchClients::poll_when_due() {
  if (net::now() - polled_at_ < kPollEvery) return;
  poll();
  polled_at_ = net::now();
}

}  // namespace orzatty::apps
