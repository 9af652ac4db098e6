// The attribute block of a message: what its publisher says about it besides the payload.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "orzatty/bytes.h"
#include "orzatty/error.h"

namespace orzatty::wire {

struct Attributes {
  std::optional<std::uint64_t> time_to_live;  // milliseconds
  std::optional<std::array<std::byte, 16>> correlation;
  std::optional<std::uint64_t> timestamp;  // microseconds since 1970, by the publisher's clock
  std::optional<std::array<std::byte, 8>> schema;
  BytesView key;  // empty when there is none; borrows from the block
};

// The block without its length, as MessageView::attributes has it. Unknown tags are passed over.
std::expected<Attributes, ProtocolError> decode_attributes(BytesView block);

}  // namespace orzatty::wire
