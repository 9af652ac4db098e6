#include "hub/own_publishing.h"

#include <array>

#include "base/utf8.h"
#include "wire/message.h"

namespace orzatty::hub {

namespace {

constexpr std::string_view kServerIdentity = "$server";

}  // namespace

// spec: FRAME-3
ErrorCode OwnPublishing::publish(const ChannelName& name, MessageType type, BytesView payload,
                                 const MessageAttributes& attributes) {
  if (wire::message_body_size(attributes, payload.size()) > state_.config.limits.message_size_max)
    return ErrorCode::kMessageTooLarge;
  if (type == MessageType::kText && !base::is_utf8(payload)) return ErrorCode::kTextInvalid;
  if (name.text().size() > state_.config.limits.channel_name_size_max) {
    return ErrorCode::kNameInvalid;
  }
  Channel* const channel = subscribing_.find_or_make(name);
  if (channel == nullptr) return ErrorCode::kChannelLimit;
  if (channel->config().mode == DeliveryMode::kDatagram &&
      wire::message_body_size(attributes, payload.size()) > kDatagramMessageSizeMax) {
    return ErrorCode::kMessageTooLarge;
  }
  // A client would get no credit; the server itself is told so, when memory is at stake.
  if (channel->full()) return ErrorCode::kOverloaded;
  const base::ProducerNumber number = channel->own_producer(id_, kServerIdentity);
  Producer& producer = channel->producers()[number];
  std::array<std::byte, wire::kMessageHeaderSizeMax> header;
  const std::size_t size = wire::encode_message_header(header, type, attributes, payload.size());
  const Batch batch{.producer = number,
                    .first = producer.known.next(),
                    .count = 1,
                    .header = BytesView(header).first(size),
                    .body = payload,
                    .has_attributes = false};
  const ErrorCode code = append(*channel, batch, attributes);
  if (code == ErrorCode::kNone) {
    producer.known.advance(producer.known.next() + 1);
    ++state_.counters.messages_in;
    state_.counters.bytes_in += size + payload.size();
    ++channel->traffic().accepted;
    channel->traffic().accepted_bytes += size + payload.size();
    subscribing_.wake(*channel);
  }
  subscribing_.tend(*channel);
  return code;
}

ErrorCode OwnPublishing::append(Channel& channel, Batch batch,
                                const MessageAttributes& attributes) {
  if (channel.values() != nullptr) {
    frame_.assign(batch.header.begin(), batch.header.end());
    frame_.insert(frame_.end(), batch.body.begin(), batch.body.end());
    batch.header = {};
    batch.body = frame_;
    if (!channel.values()->admit(*wire::MessageRange(frame_).begin())) {
      return ErrorCode::kLimitExceeded;
    }
    return channel.append(batch, state_.now) ? ErrorCode::kNone : ErrorCode::kOverloaded;
  }
  const bool timed = attributes.time_to_live.has_value();
  if (timed && !channel.deadlines().make_room(1)) return ErrorCode::kOverloaded;
  const base::LogCursor begin = channel.end();
  if (!channel.append(batch, state_.now)) return ErrorCode::kOverloaded;
  if (timed) {
    const Offset offset(channel.index().next_offset().value() - 1);
    channel.deadlines().note(*attributes.time_to_live, offset, begin,
                             batch.header.size() + batch.body.size(), state_.now);
  }
  return ErrorCode::kNone;
}

}  // namespace orzatty::hub
