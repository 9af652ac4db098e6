// What happens at a server, as lines of logfmt on standard error. Bounded: whoever makes many
// events, such as refused strangers, cannot fill a disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "orzatty/server.h"

namespace orzatty::apps {

// Belongs to the server's thread.
class EventLog {
 public:
  static constexpr std::uint64_t kLinesPerSecondMax = 100;  // a person reads none of more

  explicit EventLog(int fd = 2) : fd_(fd) {}

  void write(const ServerEvent& event);

 private:
  int fd_;
  std::int64_t second_ = 0;
  std::uint64_t lines_ = 0;       // in that second
  std::uint64_t suppressed_ = 0;  // since the last line
};

std::string log_line(const ServerEvent& event, std::int64_t unix_seconds);

}  // namespace orzatty::apps
