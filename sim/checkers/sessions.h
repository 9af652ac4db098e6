// An honest client's session ends for reasons that networks, restarts and stops explain, and for no
// other: neither side finds the other at fault.
#pragma once

#include <string>

#include "sim/checker.h"

namespace orzatty::sim {

class Sessions final : public Checker {
 public:
  Sessions() : Checker("sessions") {}

  void handle(const Happening& happening) override {
    if (const auto* broken = std::get_if<SessionBroken>(&happening)) {
      violated("program " + std::to_string(broken->program.value()) + " lost its session: " +
               std::string(orzatty::name(broken->code)) + " " + std::string(broken->text));
    }
  }
};

}  // namespace orzatty::sim
