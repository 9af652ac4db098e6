// PRODUCER: introduces a publisher on a subscription's stream.
#pragma once

#include <expected>
#include <string>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"

namespace orzatty::wire {

struct Producer {
  ProducerAlias alias;
  ProducerId producer;
  std::string identity;  // as the server authenticated it; at most kIdentitySizeMax bytes
  bool operator==(const Producer&) const = default;
};

std::expected<Producer, ProtocolError> decode_producer(BytesView body);
// Appends the whole frame.
void encode(const Producer& producer, Bytes& out);

}  // namespace orzatty::wire
