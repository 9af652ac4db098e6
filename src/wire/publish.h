// PUBLISH: the preface of a client's stream: one publisher's messages to one channel.
#pragma once

#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Publish {
  PublicationId publication;
  ProducerId producer;
  ProducerEpoch epoch;
  Sequence next;  // all below has its fate; a run of a passing stream may begin anywhere above
  ChannelName channel;
  DeliveryMode mode = DeliveryMode::kReliable;
  bool passing = false;  // some of its messages by themselves, not the publication's own stream
  bool operator==(const Publish&) const = default;
};

std::expected<Publish, ProtocolError> decode_publish(BytesView body);
// Appends the whole frame.
void encode(const Publish& publish, Bytes& out);

}  // namespace orzatty::wire
