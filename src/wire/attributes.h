// The attribute block of a message: what its publisher says about it besides the payload.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/message.h"

namespace orzatty::wire {

// The longest block that has all that this version knows: two texts of 255 bytes, and 64 for the
// rest.
inline constexpr std::size_t kAttributesSizeMax = 2 * 258 + 64;

// The block without its length, as MessageView::attributes has it. Unknown tags are passed over;
// the priority mark is a bit of the frame and not in here. Borrows from `block`.
std::expected<MessageAttributes, ProtocolError> decode_attributes(BytesView block);

// Writes the block without its length at the front of `out` and returns its size: 0 when nothing is
// to be said. A time below 0 or a text above 255 bytes is a bug of ours.
std::size_t encode_attributes(std::span<std::byte, kAttributesSizeMax> out,
                              const MessageAttributes& attributes);
// The size that it will have.
[[nodiscard]] std::size_t attributes_size(const MessageAttributes& attributes);

}  // namespace orzatty::wire
