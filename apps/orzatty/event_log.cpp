#include "event_log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>

#include "escape.h"
#include "net/clock.h"
#include "utc.h"

namespace orzatty::apps {
namespace {

struct Kind {
  std::string_view level;
  std::string_view name;
};

Kind kind_of(ServerEvent::Kind kind) {
  switch (kind) {
    case ServerEvent::Kind::kPeerJoined:
      return {"info", "peer_joined"};
    case ServerEvent::Kind::kPeerDetached:
      return {"info", "peer_detached"};
    case ServerEvent::Kind::kPeerResumed:
      return {"info", "peer_resumed"};
    case ServerEvent::Kind::kPeerLeft:
      return {"info", "peer_left"};
    case ServerEvent::Kind::kPeerRefused:
      return {"warn", "peer_refused"};
    case ServerEvent::Kind::kSubscriberSlow:
      return {"warn", "subscriber_slow"};
    case ServerEvent::Kind::kPublishRejected:
      return {"warn", "publish_rejected"};
    case ServerEvent::Kind::kPeerLeftBehind:
      return {"warn", "peer_left_behind"};
  }
  return {"info", "unknown"};
}

// A pipe that is ready takes at least this much without waiting.
constexpr std::size_t kLineSizeMax = PIPE_BUF - 1;

// False when it would have to wait: a reader that stopped reading, or a terminal with Ctrl-S, may
// not stop the server.
bool write_line(std::string line, int fd) {
  pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) <= 0) return false;
  line.resize(std::min(line.size(), kLineSizeMax));
  line += '\n';
  (void)!::write(fd, line.data(), line.size());  // A full disk does not stop it either.
  return true;
}

std::string suppressed_line(std::uint64_t count, std::int64_t unix_seconds) {
  return LogLine()
      .add("time", utc(unix_seconds))
      .add("level", "warn")
      .add("event", "lines_suppressed")
      .add("count", std::to_string(count))
      .text();
}

}  // namespace

std::string log_line(const ServerEvent& event, std::int64_t unix_seconds) {
  const Kind kind = kind_of(event.kind);
  LogLine line;
  line.add("time", utc(unix_seconds)).add("level", kind.level).add("event", kind.name);
  if (!event.identity.empty()) line.add("identity", event.identity);
  if (!event.text.empty()) line.add("text", event.text);
  return line.text();
}

void EventLog::write(const ServerEvent& event) {
  const std::int64_t now = net::unix_seconds();
  if (now != second_) {
    second_ = now;
    lines_ = 0;
  }
  if (++lines_ > kLinesPerSecondMax) {
    ++suppressed_;
    return;
  }
  if (suppressed_ > 0 && write_line(suppressed_line(suppressed_, now), fd_)) suppressed_ = 0;
  if (!write_line(log_line(event, now), fd_)) ++suppressed_;
}

}  // namespace orzatty::apps
