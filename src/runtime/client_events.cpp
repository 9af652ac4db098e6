// What the engine tells a client's program: handlers, reports and states. All of it runs in
// whichever thread holds the pump.
#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/client_runtime.h"
#include "wire/direct.h"
#include "wire/message.h"

namespace orzatty {

namespace {

bool is_refusal(ErrorCode code) {
  return code == ErrorCode::kAuthenticationFailed || code == ErrorCode::kVersionUnsupported ||
         code == ErrorCode::kNotAuthorised || code == ErrorCode::kFenced;
}

}  // namespace

// Of one of its messages, where it is known.
std::optional<Offset> offset_of(const client::Settled& settled, Sequence sequence) {
  if (!settled.first_offset) return std::nullopt;
  return *settled.first_offset + (sequence - settled.from);
}

// A handler that throws ends the process here, as orzatty/client.h says: nobody above could go on.
void ClientRuntime::on_event(client::EngineOutput& output, Instant) noexcept {
  if (const auto* delivered = std::get_if<client::Delivered>(&output)) {
    on_messages(*delivered);
  } else if (const auto* settled = std::get_if<client::Settled>(&output)) {
    on_settled(*settled);
  } else if (const auto* over = std::get_if<client::PublicationEnded>(&output)) {
    on_publication_ended(*over);
  } else if (const auto* direct = std::get_if<client::DeliveredDirect>(&output)) {
    on_direct(*direct);
  } else if (std::holds_alternative<client::ConnectWanted>(output)) {
    transport_wanted_ = true;
  } else if (const auto* up = std::get_if<client::Connected>(&output)) {
    on_connected(*up);
  } else if (const auto* gone = std::get_if<client::Disconnected>(&output)) {
    on_disconnected(*gone);
  } else if (const auto* fates = std::get_if<client::FatesTold>(&output)) {
    on_fates(*fates);
  } else if (const auto* failed = std::get_if<client::RequestFailed>(&output)) {
    on_request_failed(*failed);
  } else if (const auto* draining = std::get_if<client::Draining>(&output)) {
    tell(ConnectionState::kDraining, ErrorCode::kDraining, draining->text);
  } else if (const auto* lost = std::get_if<client::DirectMissed>(&output)) {
    stats_.direct_missed += lost->to - lost->from;
  } else if (const auto* missed = std::get_if<client::Missed>(&output)) {
    on_missed(*missed);
  } else if (const auto* reset = std::get_if<client::ChannelReset>(&output)) {
    on_reset(*reset);
  } else if (const auto* ready = std::get_if<client::SubscriptionReady>(&output)) {
    const auto registered = find(ready->subscription);
    if (registered && registered->settling == Settling::kPending) {
      registered->settling = Settling::kReady;
    }
  } else if (const auto* ended = std::get_if<client::SubscriptionEnded>(&output)) {
    on_subscription_ended(*ended);
  }
}

std::shared_ptr<ClientRuntime::Registered> ClientRuntime::find(SubscriptionId id) const {
  const auto found = subscriptions_.find(id.value());
  return found == subscriptions_.end() ? nullptr : found->second;
}

void ClientRuntime::on_connected(const client::Connected& up) {
  connected_ = true;
  last_error_ = {};
  identity_ = up.identity;
  message_size_max_.store(link_.engine().message_size_max(), std::memory_order_relaxed);
  stats_.reconnects += up.again ? 1U : 0U;
  stats_.resumed += up.resumed ? 1U : 0U;
  if (!options_.on_state) return;
  const bool lost = up.again && !up.resumed;
  options_.on_state({ConnectionState::kConnected, ErrorCode::kNone,
                     lost ? "a new session: direct messages that had not arrived are lost" : "",
                     up.resumed});
}

void ClientRuntime::on_disconnected(const client::Disconnected& gone) {
  const bool was_connected = std::exchange(connected_, false);
  const ErrorKind kind = is_refusal(gone.code)                 ? ErrorKind::kRefused
                         : gone.code == ErrorCode::kPeerSilent ? ErrorKind::kUnreachable
                                                               : ErrorKind::kClosed;
  std::string text = gone.text.empty() ? std::string(name(gone.code)) : gone.text;
  if (was_connected && gone.code == ErrorCode::kFrameTooLarge) {
    text += "; this client takes messages of at most message_size_max = " +
            std::to_string(options_.limits.message_size_max) + " bytes, the server may allow more";
  }
  last_error_ = {kind, gone.code, std::move(text)};
  if (!was_connected) {
    const bool silent =
        gone.code == ErrorCode::kPeerSilent || gone.code == ErrorCode::kHelloTimeout;
    if (attempt_lost_ || !silent) ++attempts_failed_;
    socket_->addresses().failed();
  }
  if (gone.retrying) {
    if (was_connected) tell(ConnectionState::kReconnecting, gone.code, gone.text);
  } else {
    end(gone.code == ErrorCode::kNone ? closed_by_user() : last_error_);
    tell(ConnectionState::kClosed, gone.code, closed_reason_.text);
  }
}

void ClientRuntime::on_messages(const client::Delivered& delivered) {
  const auto registered = find(delivered.subscription);
  if (!registered) return;
  Offset offset = delivered.first;
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    // The handler may end its own subscription.
    if (registered->settling == Settling::kEnded) return;
    stats_.delivered += 1;
    registered->handler(Message(message.type, message.payload, delivered.channel,
                                delivered.publisher, offset, message.attribute_block()));
    offset += 1;
  }
}

void ClientRuntime::on_direct(const client::DeliveredDirect& delivered) {
  if (delivered.channel == wire::kReplyChannel) return on_replies(delivered);
  const auto found = direct_handlers_.find(delivered.channel);
  if (found == direct_handlers_.end()) {
    stats_.unhandled += delivered.count;
    return;
  }
  stats_.delivered += delivered.count;
  const std::shared_ptr<SubscriptionHandler> handler = found->second;  // it may replace itself
  Offset offset = delivered.first;
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    (*handler)(Message(message.type, message.payload, delivered.channel, "$server", offset,
                       message.attribute_block()));
    offset += 1;
  }
}

void ClientRuntime::on_missed(const client::Missed& missed) {
  const std::uint64_t count = missed.gap.to - missed.gap.from;
  stats_.missed += count;
  stats_.missed_by[static_cast<std::size_t>(missed.gap.reason)] += count;
  const auto registered = find(missed.subscription);
  if (registered && registered->options.on_gap) {
    registered->options.on_gap(missed.channel, missed.gap);
  }
}

void ClientRuntime::on_reset(const client::ChannelReset& reset) {
  const auto registered = find(reset.subscription);
  if (registered && registered->options.on_reset) registered->options.on_reset(reset.channel);
}

void ClientRuntime::on_settled(const client::Settled& settled) {
  const std::uint64_t count = settled.to - settled.from;
  switch (settled.fate) {
    case Fate::kAccepted:
      stats_.accepted += count;
      break;
    case Fate::kRejected:
      stats_.rejected += count;
      break;
    case Fate::kExpired:
      stats_.expired += count;
      break;
    case Fate::kSuperseded:
      stats_.superseded += count;
      break;
    case Fate::kHandedToNetwork:
      stats_.handed_to_network += count;
      break;
    case Fate::kUnknown:
      stats_.unknown += count;
      break;
  }
  const auto state = find(settled.publication);
  if (state != publishers_.end() && (*state)->has_reports.load(std::memory_order_acquire)) {
    report(**state, settled);
  }
}

ClientRuntime::Publishers::iterator ClientRuntime::find(PublicationId id) {
  const auto found = std::ranges::lower_bound(publishers_, id, {},
                                              [](const auto& publisher) { return publisher->id; });
  return found != publishers_.end() && (*found)->id == id ? found : publishers_.end();
}

void ClientRuntime::on_publication_ended(const client::PublicationEnded& ended) {
  sent_before_ += ended.count;
  publishers_.erase(find(ended.publication));
}

void ClientRuntime::report(PublisherState& state, const client::Settled& settled) {
  std::vector<PublisherState::Awaited> due;
  {
    const std::lock_guard lock(state.mutex);
    while (!state.reports.empty() && state.reports.front().sequence < settled.to) {
      due.push_back(std::move(state.reports.front()));
      state.reports.pop_front();
    }
    if (state.reports.empty()) state.has_reports.store(false);
  }
  for (const PublisherState::Awaited& awaited : due) {
    awaited.report({.fate = settled.fate,
                    .sequence = awaited.sequence,
                    .offset = offset_of(settled, awaited.sequence),
                    .code = settled.code,
                    .text = settled.text});
  }
}

void ClientRuntime::on_subscription_ended(const client::SubscriptionEnded& ended) {
  const auto registered = find(ended.subscription);
  if (!registered) return;
  subscriptions_.erase(ended.subscription.value());
  const ErrorKind kind =
      ended.code == ErrorCode::kNotAuthorised ? ErrorKind::kRefused : ErrorKind::kClosed;
  registered->settling = Settling::kEnded;
  registered->error = {kind, ended.code, ended.text};
  if (registered->options.on_end) registered->options.on_end(registered->error);
}

void ClientRuntime::tell(ConnectionState state, ErrorCode code, const std::string& text) {
  if (options_.on_state) options_.on_state({state, code, text});
}

}  // namespace orzatty
