// The table of the demo that redraws itself on a terminal: per channel what was published, accepted
// and delivered to each subscriber. Nothing in a pipe.
#pragma once

#include <array>
#include <string>

#include "demo_phase.h"
#include "orzatty/time.h"

namespace orzatty::apps {

class DemoTable {
 public:
  // `phase` must outlive it.
  DemoTable(DemoPhase& phase, std::string title);

  // A few times per second, so that it can be read.
  [[nodiscard]] bool is_due() const;
  void show();
  // Draws the end and leaves it standing.
  void finish();

 private:
  [[nodiscard]] std::string head() const;
  [[nodiscard]] std::string row(std::size_t channel);

  DemoPhase& phase_;
  std::string title_;
  bool is_on_;
  std::size_t lines_shown_ = 0;
  Instant next_;
  Instant shown_at_;
  std::array<std::uint64_t, kDemoChannels.size()> published_{};  // when it was last shown
};

}  // namespace orzatty::apps
