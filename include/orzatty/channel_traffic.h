// What a server counts of the channels that one rule of its configuration matches, since it began.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "orzatty/error.h"
#include "orzatty/message.h"

namespace orzatty {

struct ChannelTraffic {
  std::uint64_t accepted = 0;
  std::uint64_t accepted_bytes = 0;
  std::uint64_t delivered = 0;  // given to a subscription's stream, once for each
  std::uint64_t delivered_bytes = 0;
  std::array<std::uint64_t, kGapReasonCount>
      missed{};  // told to a subscription as gaps, by GapReason
};

// Of arrays with a place for every ErrorCode of the registry.
inline constexpr std::size_t kErrorCodeEnd = static_cast<std::size_t>(ErrorCode::kClosedByUser) + 1;

}  // namespace orzatty
