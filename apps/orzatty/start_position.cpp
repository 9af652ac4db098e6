#include "start_position.h"

#include <string>

#include "quantity.h"

namespace orzatty::apps {

Result<StartPosition> parse_start_position(std::string_view text) {
  if (text == "live") return StartPosition::live();
  if (text == "latest") return StartPosition::latest();
  if (text == "start") return StartPosition::start();
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view kind = text.substr(0, colon);
    const auto count = parse_count(text.substr(colon + 1));
    if (kind == "last" && count && *count > 0) return StartPosition::last(*count);
    if (kind == "offset" && count) return StartPosition::at(Offset(*count));
  }
  return failure(ExitCode::kUsage, "'" + std::string(text) +
                                       "' is no start: write live, latest, start, last:N (N from "
                                       "1) or offset:N");
}

}  // namespace orzatty::apps
