// What a client's program registered: subscriptions, and handlers of direct messages.
#include "net/clock.h"
#include "runtime/client_runtime.h"

namespace orzatty {

namespace {

Error not_a_name(std::string_view what, const ChannelRef& name) {
  return {ErrorKind::kArgument, ErrorCode::kNameInvalid,
          "not a " + std::string(what) + ": " + std::string(name.text())};
}

}  // namespace

std::expected<std::uint64_t, Error> ClientRuntime::subscribe(const ChannelRef& pattern,
                                                             SubscriptionHandler handler,
                                                             SubscribeOptions options) {
  const auto parsed = ChannelPattern::parse(pattern.text());
  if (!parsed) return std::unexpected(not_a_name("channel name or pattern", pattern));
  const auto registered = std::make_shared<Registered>();
  std::uint64_t id = 0;
  {
    const PumpGuard lock = lock_pump();
    if (closed_.load()) return std::unexpected(closed_error());
    const std::uint32_t count_max = options_.limits.subscription_count_max;
    if (subscriptions_.size() >= count_max) {
      return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kLimitExceeded,
                                   "a client has at most subscription_count_max = " +
                                       std::to_string(count_max) + " subscriptions"});
    }
    id = link_.engine().subscribe(*parsed, options.from).value();
    registered->handler = std::move(handler);
    registered->options = std::move(options);
    subscriptions_[id] = registered;
  }
  if (in_pump()) return id;
  const bool answered =
      wait_until([&] { return registered->settling != Settling::kPending || closed_.load(); },
                 net::now() + options_.connect_timeout);
  const PumpGuard lock = lock_pump();
  if (registered->settling == Settling::kReady) return id;
  if (registered->settling == Settling::kEnded) return std::unexpected(registered->error);
  registered->settling = Settling::kEnded;
  link_.engine().unsubscribe(SubscriptionId(id));
  if (answered) return std::unexpected(closed_error());
  return std::unexpected(
      Error{ErrorKind::kTimeout, ErrorCode::kNone, "the server did not answer the subscription"});
}

// Its registration goes when the server has ended it; until then it is silent.
void ClientRuntime::unsubscribe(std::uint64_t id) {
  {
    const PumpGuard lock = lock_pump();
    link_.engine().unsubscribe(SubscriptionId(id));
    if (const auto registered = find(SubscriptionId(id))) registered->settling = Settling::kEnded;
  }
  socket_->wake_all();
}

std::expected<void, Error> ClientRuntime::on(const ChannelRef& channel,
                                             SubscriptionHandler handler) {
  if (!ChannelName::parse(channel.text())) {
    return std::unexpected(not_a_name("channel name", channel));
  }
  const PumpGuard lock = lock_pump();
  direct_handlers_[std::string(channel.text())] =
      std::make_shared<SubscriptionHandler>(std::move(handler));
  return {};
}

}  // namespace orzatty
