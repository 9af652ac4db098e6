// What the engine tells a client's program: handlers, reports and states. All of it runs in whichever
// thread holds the pump.
#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/client_runtime.h"
#include "wire/message.h"

namespace orzatty {

namespace {

bool is_refusal(ErrorCode code) {
  return code == ErrorCode::kAuthenticationFailed || code == ErrorCode::kVersionUnsupported ||
         code == ErrorCode::kNotAuthorised || code == ErrorCode::kFenced;
}

}  // namespace

void ClientRuntime::on_event(client::EngineOutput& output, Instant) {
  if (const auto* delivered = std::get_if<client::Delivered>(&output)) {
    on_messages(*delivered);
  } else if (const auto* settled = std::get_if<client::Settled>(&output)) {
    on_settled(*settled);
  } else if (const auto* direct = std::get_if<client::DeliveredDirect>(&output)) {
    on_direct(*direct);
  } else if (std::holds_alternative<client::ConnectWanted>(output)) {
    transport_wanted_ = true;
  } else if (const auto* up = std::get_if<client::Connected>(&output)) {
    connected_ = true;
    last_error_ = {};
    identity_ = up->identity;
    message_size_max_.store(link_.engine().message_size_max(), std::memory_order_relaxed);
    stats_.reconnects += up->again ? 1U : 0U;
    tell(ConnectionState::kConnected, ErrorCode::kNone, "");
  } else if (const auto* gone = std::get_if<client::Disconnected>(&output)) {
    on_disconnected(*gone);
  } else if (const auto* draining = std::get_if<client::Draining>(&output)) {
    tell(ConnectionState::kDraining, ErrorCode::kDraining, draining->text);
  } else if (const auto* missed = std::get_if<client::Missed>(&output)) {
    stats_.missed += missed->gap.to - missed->gap.from;
    const auto found = subscriptions_.find(missed->subscription.value());
    if (found != subscriptions_.end() && found->second->options.on_gap) {
      found->second->options.on_gap(missed->channel, missed->gap);
    }
  } else if (const auto* reset = std::get_if<client::ChannelReset>(&output)) {
    const auto found = subscriptions_.find(reset->subscription.value());
    if (found != subscriptions_.end() && found->second->options.on_reset) {
      found->second->options.on_reset(reset->channel);
    }
  } else if (const auto* ready = std::get_if<client::SubscriptionReady>(&output)) {
    const auto found = subscriptions_.find(ready->subscription.value());
    if (found != subscriptions_.end()) found->second->settling = Settling::kReady;
  } else if (const auto* ended = std::get_if<client::SubscriptionEnded>(&output)) {
    on_subscription_ended(*ended);
  }
}

void ClientRuntime::on_disconnected(const client::Disconnected& gone) {
  const bool was_connected = std::exchange(connected_, false);
  const ErrorKind kind = is_refusal(gone.code)                 ? ErrorKind::kRefused
                         : gone.code == ErrorCode::kPeerSilent ? ErrorKind::kUnreachable
                                                               : ErrorKind::kClosed;
  std::string text = gone.text.empty() ? std::string(name(gone.code)) : gone.text;
  last_error_ = {kind, gone.code, std::move(text)};
  if (gone.retrying) {
    if (was_connected) tell(ConnectionState::kReconnecting, gone.code, gone.text);
  } else {
    closed_.store(true);
    tell(ConnectionState::kClosed, gone.code, gone.text);
  }
}

void ClientRuntime::on_messages(const client::Delivered& delivered) {
  stats_.delivered += delivered.count;
  const auto found = subscriptions_.find(delivered.subscription.value());
  if (found == subscriptions_.end()) return;
  const SubscriptionHandler& handler = found->second->handler;
  Offset offset = delivered.first;
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    handler(Message(message.type, message.payload, delivered.channel, delivered.publisher, offset));
    offset += 1;
  }
}

void ClientRuntime::on_direct(const client::DeliveredDirect& delivered) {
  const auto found = direct_handlers_.find(delivered.channel);
  if (found == direct_handlers_.end()) {
    stats_.unhandled += delivered.count;
    return;
  }
  stats_.delivered += delivered.count;
  Offset offset = delivered.first;
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    found->second(Message(message.type, message.payload, delivered.channel, "$server", offset));
    offset += 1;
  }
}

void ClientRuntime::on_settled(const client::Settled& settled) {
  const std::uint64_t count = settled.to - settled.from;
  switch (settled.fate) {
    case Fate::kAccepted: stats_.accepted += count; break;
    case Fate::kRejected: stats_.rejected += count; break;
    case Fate::kUnknown: stats_.unknown += count; break;
  }
  const auto state = std::ranges::find_if(
      publishers_, [&](const auto& publisher) { return publisher->id == settled.publication; });
  if (state != publishers_.end() && (*state)->has_reports.load(std::memory_order_acquire)) {
    report(**state, settled);
  }
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
                    .offset = settled.first_offset + (awaited.sequence - settled.from),
                    .code = settled.code,
                    .text = settled.text});
  }
}

void ClientRuntime::on_subscription_ended(const client::SubscriptionEnded& ended) {
  const auto found = subscriptions_.find(ended.subscription.value());
  if (found == subscriptions_.end()) return;
  const ErrorKind kind =
      ended.code == ErrorCode::kNotAuthorised ? ErrorKind::kRefused : ErrorKind::kClosed;
  found->second->settling = Settling::kEnded;
  found->second->error = {kind, ended.code, ended.text};
  if (found->second->options.on_end) found->second->options.on_end(found->second->error);
}

void ClientRuntime::tell(ConnectionState state, ErrorCode code, const std::string& text) {
  if (options_.on_state) options_.on_state({state, code, text});
}

}  // namespace orzatty
