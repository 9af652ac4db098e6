// Requests of a client's program, their replies, and what it answers itself.
#include <chrono>
#include <utility>

#include "net/clock.h"
#include "net/entropy.h"
#include "runtime/client_runtime.h"
#include "runtime/outgoing.h"
#include "wire/direct.h"
#include "wire/message.h"

namespace orzatty {

namespace {

using std::chrono::milliseconds;

Error timeout_error() {
  return {ErrorKind::kTimeout, ErrorCode::kNone, "no reply came in time"};
}

Error error_of(const client::RequestFailed& failed) {
  using Why = client::RequestFailed::Why;
  if (failed.why == Why::kLost) {
    const std::string reason =
        failed.code == ErrorCode::kNone ? "" : " (" + std::string(name(failed.code)) + ")";
    return {ErrorKind::kClosed, failed.code,
            "the session is gone that the reply would have come to" + reason};
  }
  if (failed.code == ErrorCode::kNoResponder) {
    return {ErrorKind::kUnreachable, failed.code,
            "NO_RESPONDER: nobody is subscribed who could answer"};
  }
  if (failed.why == Why::kTimeout) return timeout_error();
  return {ErrorKind::kRefused, failed.code,
          "the request was refused: " + std::string(name(failed.code)) + ": " +
              std::string(advice(failed.code))};
}

}  // namespace

std::expected<CorrelationId, Error> ClientRuntime::request(const ChannelRef& channel,
                                                           const Payload& payload,
                                                           const ReplyHandler& handler,
                                                           Duration timeout) {
  if (timeout <= Duration::zero() || timeout > options_.limits.request_timeout_max) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNone,
                                 "a reply is waited for at most request_timeout_max, and not for 0"});
  }
  const Instant deadline = net::now() + timeout;
  auto writer = shared_writer(channel, {.deadline = deadline});
  if (!writer) return std::unexpected(std::move(writer.error()));
  const bool handled = in_pump();
  const Duration patience = handled ? Duration::zero() : deadline - net::now();
  const std::unique_lock guard((*writer)->mutex, patience);
  if (!guard.owns_lock()) {
    return std::unexpected(handled ? runtime::busy_error() : timeout_error());
  }
  return ask(*(*writer)->state, payload, handler, deadline);
}

std::expected<CorrelationId, Error> ClientRuntime::ask(PublisherState& state,
                                                       const Payload& payload,
                                                       const ReplyHandler& handler,
                                                       Instant deadline) {
  CorrelationId id;
  net::entropy(id.bytes);
  MessageAttributes attributes = payload.attributes().value_or(MessageAttributes{});
  attributes.correlation = id;
  attributes.wants_reply = true;
  while (true) {
    const Duration left = deadline - net::now();
    if (left <= Duration::zero()) return std::unexpected(timeout_error());
    attributes.time_to_live = std::chrono::ceil<milliseconds>(left);
    const Payload asked = payload.with(attributes);
    if (auto fault = fault_of(asked)) return std::unexpected(std::move(*fault));
    if (auto waiting = await_reply({id, state.id, state.outbox.next_sequence(), deadline}, handler);
        !waiting) {
      return std::unexpected(std::move(waiting.error()));
    }
    if (append(state, asked, nullptr)) return id;
    withdraw_request(id);
    if (in_pump()) return std::unexpected(runtime::busy_error());
    const std::uint64_t size = wire::kMessageHeaderSizeMax + payload.bytes().size();
    static_cast<void>(wait_until(
        [&] { return closed_.load() || state.outbox.has_room(size); }, deadline));
  }
}

std::expected<void, Error> ClientRuntime::await_reply(const client::AwaitedReply& request,
                                                      const ReplyHandler& handler) {
  const PumpGuard lock = lock_pump();
  if (closed_.load()) return std::unexpected(closed_error());
  if (!link_.engine().await_reply(request)) {
    return std::unexpected(Error{ErrorKind::kBusy, ErrorCode::kLimitExceeded,
                                 "a client waits for at most request_count_max = " +
                                     std::to_string(options_.limits.request_count_max) +
                                     " replies"});
  }
  reply_handlers_[request.id] = handler;
  return {};
}

std::expected<Reply, Error> ClientRuntime::request(const ChannelRef& channel,
                                                   const Payload& payload, Duration timeout) {
  if (in_pump()) {
    return std::unexpected(
        Error{ErrorKind::kBusy, ErrorCode::kOverloaded, "a handler cannot wait for an answer"});
  }
  std::optional<std::expected<Reply, Error>> answer;
  const auto id = request(
      channel, payload, [&](const std::expected<Reply, Error>& told) { answer = told; }, timeout);
  if (!id) return std::unexpected(id.error());
  static_cast<void>(
      wait_until([&] { return answer.has_value() || closed_.load(); }, Instant::max()));
  const std::lock_guard lock(pump_lock_);
  reply_handlers_.erase(*id);  // it refers to what is on this stack
  if (answer) return std::move(*answer);
  return std::unexpected(closed_error());
}

void ClientRuntime::withdraw_request(const CorrelationId& id) {
  decltype(reply_handlers_)::node_type unwanted;  // what it refers to may need the lock to end
  const PumpGuard lock = lock_pump();
  link_.engine().withdraw(id);
  unwanted = reply_handlers_.extract(id);
}

void ClientRuntime::cancel_request(const CorrelationId& id) {
  decltype(reply_handlers_)::node_type unwanted;  // what it refers to may need the lock to end
  {
    const PumpGuard lock = lock_pump();
    link_.engine().cancel(id);
    unwanted = reply_handlers_.extract(id);
  }
  turn_wanted_.store(true);
  socket_->wake_all();
}

std::expected<void, Error> ClientRuntime::reply(const CorrelationId& id, const Payload& payload,
                                                const ReportHandler* report) {
  MessageAttributes attributes = payload.attributes().value_or(MessageAttributes{});
  attributes.correlation = id;
  attributes.wants_reply = false;
  auto writer = shared_writer(wire::kReplyChannel);
  if (!writer) return std::unexpected(std::move(writer.error()));
  const auto guard = lock(**writer);
  if (!guard.owns_lock()) return std::unexpected(runtime::busy_error());
  return send(*(*writer)->state, payload.with(attributes), report);
}

void ClientRuntime::on_replies(const client::DeliveredDirect& delivered) {
  for (const wire::MessageView message : wire::MessageRange(delivered.frames)) {
    const auto attributes = wire::decode_attributes(message.attributes);
    const auto id = attributes->correlation;
    const auto found = id ? reply_handlers_.find(*id) : reply_handlers_.end();
    if (found == reply_handlers_.end() || !link_.engine().take_reply(*id)) {
      ++stats_.unhandled;
      continue;
    }
    ++stats_.delivered;
    const ReplyHandler handler = std::move(found->second);
    reply_handlers_.erase(found);
    handler(Reply{message.type, copy_of(message.payload), std::string(attributes->sender)});
  }
}

void ClientRuntime::on_request_failed(const client::RequestFailed& failed) {
  const auto found = reply_handlers_.find(failed.id);
  if (found == reply_handlers_.end()) return;
  const ReplyHandler handler = std::move(found->second);
  reply_handlers_.erase(found);
  handler(std::unexpected(error_of(failed)));
}

// ---- The door.

std::expected<Reply, Error> Client::request(const ChannelRef& channel, const Payload& payload,
                                            Duration timeout) {
  return runtime_->request(channel, payload, timeout);
}

std::expected<PendingRequest, Error> Client::request(const ChannelRef& channel,
                                                     const Payload& payload, ReplyHandler handler,
                                                     Duration timeout) {
  const auto id = runtime_->request(channel, payload, handler, timeout);
  if (!id) return std::unexpected(id.error());
  return PendingRequest(runtime_, *id);
}

std::expected<Subscription, Error> Client::reply(const ChannelRef& pattern, RequestHandler handler,
                                                 SubscribeOptions options) {
  const auto answer = [runtime = std::weak_ptr(runtime_),
                       handler = std::move(handler)](const Message& message) {
    const MessageAttributes attributes = message.attributes();
    if (!attributes.wants_reply || !attributes.correlation) return;
    handler(message, Responder(runtime, *attributes.correlation));
  };
  return subscribe(pattern, answer, std::move(options));
}

void PendingRequest::cancel() {
  if (const auto runtime = runtime_.lock()) runtime->cancel_request(id_);
}

std::expected<void, Error> Responder::reply(const Payload& payload, ReportHandler report) {
  const auto runtime = runtime_.lock();
  if (runtime != nullptr) return runtime->reply(id_, payload, report ? &report : nullptr);
  return std::unexpected(
      Error{ErrorKind::kClosed, ErrorCode::kClosedByUser, "the client was closed"});
}

}  // namespace orzatty
