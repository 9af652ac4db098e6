#include "progress.h"

#include <string>

#include "net/clock.h"
#include "output.h"

namespace orzatty::apps {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(200);  // readable, and not yet a flicker

void write_to_terminal(std::string_view text) {
  Output error(2);
  error.write(text);
  (void)error.flush();
}

}  // namespace

Progress::Progress(Mode mode)
    : is_on_(mode == Mode::kTerminal && is_terminal(2)), next_(net::now() + 2 * kInterval) {}

bool Progress::is_due() {
  if (!is_on_ || net::now() < next_) return false;
  next_ = net::now() + kInterval;
  return true;
}

void Progress::show(std::string_view text) {
  is_shown_ = true;
  write_to_terminal("\r" + std::string(text) + "\x1b[K");
}

void Progress::clear() {
  if (is_shown_) write_to_terminal("\r\x1b[K");
  is_shown_ = false;
}

}  // namespace orzatty::apps
