#include "hub/directing.h"

#include <algorithm>

#include "base/planted.h"
#include "base/utf8.h"
#include "hub/verdicts.h"
#include "wire/direct.h"
#include "wire/message.h"

namespace orzatty::hub {

// spec: FRAME-3
ErrorCode Directing::send(PeerKey key, const ChannelName& channel, MessageType type,
                          BytesView payload, const MessageAttributes& attributes) {
  if (wire::message_body_size(attributes, payload.size()) > state_.config.limits.message_size_max)
    return ErrorCode::kMessageTooLarge;
  if (type == MessageType::kText && !base::is_utf8(payload)) return ErrorCode::kTextInvalid;
  Peer* const peer = state_.find(key);
  if (peer == nullptr) {
    DetachedSession* const waiting = resuming_.find(key);
    if (waiting == nullptr) return ErrorCode::kClosedByUser;
    return resuming_.send_direct(*waiting, channel, type, payload, attributes);
  }
  if (!peer->session.open()) return ErrorCode::kClosedByUser;
  DirectLog* const log = peer->direct_log(channel);
  if (log == nullptr) return ErrorCode::kChannelLimit;
  if (!log->append(type, payload, attributes)) return ErrorCode::kOverloaded;
  peer->session.core().sends().wake(log->stream());
  state_.mark_ready(*peer);
  return ErrorCode::kNone;
}

// spec: REQUEST-5
void Directing::take_replies(Peer& peer, const Publishing::Fresh& fresh) {
  Publication& publication = *fresh.publication;
  settle_by_verdict(
      fresh.messages,
      [&](const wire::MessageView& message, std::uint64_t) { return reply(peer, message); },
      [&](const session::PublicationMessages& group, ErrorCode code) {
        if (code == ErrorCode::kNone) {
          publishing_.accept(peer, publication, group);
        } else {
          publishing_.reject(peer, publication, group, code);
        }
      });
}

// What could not be handed on for want of room is still waited for. spec: REQUEST-4, REQUEST-5
ErrorCode Directing::reply(Peer& responder, const wire::MessageView& message) {
  MessageAttributes attributes = *wire::decode_attributes(message.attributes);
  if (!attributes.correlation) return ErrorCode::kNotAwaited;
  const CorrelationId id = *attributes.correlation;
  const Request* const request = requests_.find(id, state_.now);
  if (request == nullptr || !was_given(responder, *request)) return ErrorCode::kNotAwaited;
  const auto requester = resuming_.find_peer(request->requester);
  if (!requester) return ErrorCode::kNotAwaited;
  attributes.wants_reply = false;
  attributes.sender = responder.identity;
  attributes.priority = message.priority;
  const ErrorCode code = send(*requester, *ChannelName::parse(wire::kReplyChannel), message.type,
                              message.payload, attributes);
  if (code == ErrorCode::kClosedByUser) return ErrorCode::kNotAwaited;
  const bool waits_on = base::planted(base::PlantedBug::kSecondReplyIsTaken);
  if (code == ErrorCode::kNone && !waits_on) requests_.erase(id);
  return code;
}

// As far as it matters: whoever may subscribe to a channel may read its requests, and one that
// continues at a position behind the request was given it before.
bool Directing::was_given(Peer& peer, const Request& request) {
  const auto [begin, end] = peer.readers_of(request.channel);
  return std::any_of(begin, end,
                     [&](const auto& entry) { return entry.second->next() > request.offset; });
}

}  // namespace orzatty::hub
