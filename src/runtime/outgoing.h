// What an application gives to be sent, looked at before anything is made of it.
#pragma once

#include <cstdint>
#include <optional>

#include "orzatty/channel_ref.h"
#include "orzatty/error.h"
#include "orzatty/message.h"

namespace orzatty::runtime {

// What no message may say about itself.
[[nodiscard]] std::optional<Error> fault_of(const MessageAttributes& attributes);
// The size that message_size_max bounds: payload and attributes. spec: FRAME-2
[[nodiscard]] std::uint64_t body_size(const Payload& payload);

// Nothing can be appended now.
[[nodiscard]] Error busy_error();

}  // namespace orzatty::runtime
