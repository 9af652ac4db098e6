// Where `sub --from` starts, as people write it.
#pragma once

#include <string_view>

#include "failure.h"
#include "orzatty/channel.h"

namespace orzatty::apps {

// "live", "latest", "start", "last:N", "offset:N".
Result<StartPosition> parse_start_position(std::string_view text);

}  // namespace orzatty::apps
