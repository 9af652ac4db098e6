#include "event_log.h"

#include "escape.h"
#include "net/clock.h"
#include "output.h"
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
    case ServerEvent::Kind::kPeerLeft:
      return {"info", "peer_left"};
    case ServerEvent::Kind::kPeerRefused:
      return {"warn", "peer_refused"};
    case ServerEvent::Kind::kSubscriberSlow:
      return {"warn", "subscriber_slow"};
  }
  return {"info", "unknown"};
}

void write_line(const std::string& line) {
  Output error(2);
  error.write_line(line);
  (void)error.flush();  // A log that cannot be written is no reason to stop serving.
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
    if (suppressed_ > 0) {
      write_line(LogLine()
                     .add("time", utc(now))
                     .add("level", "warn")
                     .add("event", "lines_suppressed")
                     .add("count", std::to_string(suppressed_))
                     .text());
    }
    second_ = now;
    lines_ = 0;
    suppressed_ = 0;
  }
  if (++lines_ > kLinesPerSecondMax) {
    ++suppressed_;
    return;
  }
  write_line(log_line(event, now));
}

}  // namespace orzatty::apps
