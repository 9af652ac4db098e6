#include "bench_publishers.h"

#include <algorithm>
#include <utility>

#include "message_check.h"
#include "net/clock.h"

namespace orzatty::apps {
namespace {

constexpr std::size_t kTurnSize = 16 * 1024;  // bytes: a dozen packets
constexpr Duration kPatience = std::chrono::seconds(30);
constexpr Duration kNap = std::chrono::microseconds(200);

Failure not_accepted() { return {ExitCode::kFailed, "messages were not accepted within 30 s"}; }

}  // namespace

BenchPublishers::BenchPublishers(const BenchPlan& plan)
    : plan_(plan),
      turn_(std::max(std::size_t{1}, kTurnSize / plan.size)),
      message_(numbered_message(plan.size)) {}

Result<void> BenchPublishers::add(Client& client, const std::string& channel) {
  auto publisher = client.publisher(channel);
  if (!publisher) return std::unexpected(failure_of(publisher.error()));
  lanes_.push_back({&client, std::move(*publisher)});
  return {};
}

bool BenchPublishers::is_over() const {
  return plan_.count > 0 ? sent_ >= plan_.count : net::now() >= end_;
}

Result<std::uint64_t> BenchPublishers::run() {
  end_ = net::now() + plan_.time;
  Instant moved_at = net::now();
  while (!is_over()) {
    bool active = false;
    for (std::size_t source = 0; source < lanes_.size() && !is_over(); ++source) {
      const auto sent = send_some(source);
      if (!sent) return std::unexpected(sent.error());
      active |= *sent;
      active |= lanes_[source].client->poll();
    }
    if (active) moved_at = net::now();
    if (net::now() - moved_at > kPatience) return std::unexpected(not_accepted());
    if (!active && plan_.waiting == Waiting::kSleep) lanes_.front().client->poll(kNap);
  }
  if (const auto settled = settle(); !settled) return std::unexpected(settled.error());
  return sent_;
}

// Its turn; false when it had no room for a single message.
Result<bool> BenchPublishers::send_some(std::size_t source) {
  Lane& lane = lanes_[source];
  const std::uint64_t left = plan_.count > 0 ? plan_.count - sent_ : turn_;
  const std::uint64_t before = lane.sent;
  while (lane.sent - before < std::min(turn_, left)) {
    write_number(message_, number_of(source, lane.sent));
    if (const auto sent = lane.publisher.try_send(message_); !sent) {
      if (sent.error().kind != ErrorKind::kBusy) return std::unexpected(failure_of(sent.error()));
      break;
    }
    ++lane.sent;
  }
  sent_ += lane.sent - before;
  return lane.sent > before;
}

// Until each message has its fate, which has to be that it was accepted.
Result<void> BenchPublishers::settle() {
  std::vector<Client*> waiting;
  for (const Lane& lane : lanes_) {
    if (waiting.empty() || waiting.back() != lane.client) waiting.push_back(lane.client);
  }
  const std::vector<Client*> all = waiting;
  const Instant deadline = net::now() + kPatience;
  while (true) {
    std::erase_if(waiting, [](Client* client) { return client->settle(Duration::zero()); });
    if (waiting.empty()) break;
    if (net::now() > deadline) return std::unexpected(not_accepted());
    if (plan_.waiting == Waiting::kSleep) waiting.front()->poll(kNap);
  }
  std::uint64_t accepted = 0;
  for (const Client* client : all) accepted += client->stats().accepted;
  if (accepted == sent_) return {};
  return failure(ExitCode::kFailed, "only " + std::to_string(accepted) + " of " +
                                        std::to_string(sent_) + " messages were accepted");
}

}  // namespace orzatty::apps
