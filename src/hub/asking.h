// Which of a client's messages want something of the hub itself. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "orzatty/bytes.h"
#include "orzatty/ids.h"
#include "wire/message.h"

namespace orzatty::hub {

enum class Asking : std::uint8_t {
  kNothing,
  kReplies,    // some of the messages are requests
  kForbidden,  // some say what only the server says, or want a reply without an id
};

[[nodiscard]] Asking asking_of(BytesView frames);

// Nothing when the message is no request.
[[nodiscard]] std::optional<CorrelationId> request_id(const wire::MessageView& message);

}  // namespace orzatty::hub
