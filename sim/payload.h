// Payloads that say which message they are, and whose every byte follows from that: whoever
// receives one knows whether it is what was sent.
#pragma once

#include <cstddef>
#include <optional>

#include "orzatty/bytes.h"
#include "sim/happening.h"

namespace orzatty::sim {

constexpr std::size_t kPayloadSizeMin = 24;

// `size` is at least kPayloadSizeMin.
void write_payload(const MessageName& name, std::size_t size, Bytes& into);
SeenMessage read_payload(BytesView payload);

}  // namespace orzatty::sim
