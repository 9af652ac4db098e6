// Text of strangers made harmless for a terminal and for one line of a log.
#pragma once

#include <string>
#include <string_view>

namespace orzatty::apps {

// Control characters, and bytes that are not UTF-8, as \n, \t or \x1b; all else as it stands.
std::string escaped(std::string_view text);

// One line of logfmt: key=value pairs, quoted where a value needs it.
class LogLine {
 public:
  LogLine& add(std::string_view key, std::string_view value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace orzatty::apps
