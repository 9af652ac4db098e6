// One line that overwrites itself, for a person who waits at a terminal; nothing in a pipe.
#pragma once

#include <cstdint>
#include <string_view>

#include "orzatty/time.h"

namespace orzatty::apps {

class Progress {
 public:
  enum class Mode : std::uint8_t { kOff, kTerminal };

  explicit Progress(Mode mode);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A few times per second, so that building the text costs nothing.
  [[nodiscard]] bool is_due();
  void show(std::string_view text);
  void clear();

 private:
  bool is_on_;
  bool is_shown_ = false;
  Instant next_;
};

}  // namespace orzatty::apps
