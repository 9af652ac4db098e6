// Requests and replies: a message that wants one answer, and whoever gives it.
//
//   responder.reply("time", [](const orzatty::Message&, orzatty::Responder to) { to.reply("noon"); });
//   auto reply = client.request("time", "what time is it?", 2s);
//
// The reply comes to the session that asked, over any number of connections. The first one counts;
// who replies later, or to somebody who does not wait any more, has its message rejected with
// NOT_AWAITED, which its report says.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "orzatty/bytes.h"
#include "orzatty/channel_ref.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/message.h"

namespace orzatty {

class ClientRuntime;
struct DeliveryReport;

// What somebody replied: a copy, which stays.
struct Reply {
  MessageType type = MessageType::kRaw;
  Bytes payload;
  std::string responder;  // the identity, as the server authenticated it; "$server" for its own

  [[nodiscard]] std::string_view text() const { return text_of(payload); }
};
// Called once, from the thread that runs the I/O, unless the request is cancelled; at the latest by what
// ends its client, before close() or the destructor returns. Errors: kTimeout; kUnreachable, when nobody
// is subscribed who could answer (NO_RESPONDER, at once); kRefused with the code; kClosed, when the
// session that the reply would have come to is gone, or the client was ended.
using ReplyHandler = std::function<void(const std::expected<Reply, Error>&)>;

// A request that was sent. It goes on without this object, which may outlive its client.
class PendingRequest {
 public:
  // The reply is not wanted any more: its handler will not be called, and the server forgets it.
  void cancel();

 private:
  friend class Client;
  PendingRequest(std::weak_ptr<ClientRuntime> runtime, const CorrelationId& id)
      : runtime_(std::move(runtime)), id_(id) {}
  std::weak_ptr<ClientRuntime> runtime_;
  CorrelationId id_;
};

// Whom a request came from, for whoever answers: at once or later, from any thread, as long as its
// subscription stands. It may outlive its client.
class Responder {
 public:
  // Waits for room; in a handler kBusy when there is none. `report` tells what became of the reply.
  // Errors: as Publisher::send().
  std::expected<void, Error> reply(const Payload& payload,
                                   std::function<void(const DeliveryReport&)> report = {});

 private:
  friend class Client;
  Responder(std::weak_ptr<ClientRuntime> runtime, const CorrelationId& id)
      : runtime_(std::move(runtime)), id_(id) {}
  std::weak_ptr<ClientRuntime> runtime_;
  CorrelationId id_;
};

using RequestHandler = std::function<void(const Message&, Responder)>;

}  // namespace orzatty
