// An honest client's session ends for reasons that networks, restarts and stops explain, and for no
// other: neither side finds the other at fault.
#pragma once

#include <string>
#include <string_view>

#include "sim/checker.h"

namespace orzatty::sim {

class Sessions final : public Checker {
 public:
  // ngtcp2 1.11 counts its peer's connection ids wrongly when addresses change in quick succession,
  // and gives up a connection that nobody harmed. The session goes on with the next one.
  static constexpr std::string_view kKnown = "ERR_CONNECTION_ID_LIMIT";

  Sessions() : Checker("sessions") {}

  void handle(const Happening& happening) override {
    if (const auto* broken = std::get_if<SessionBroken>(&happening)) {
      if (broken->text == kKnown) return;
      violated("program " + std::to_string(broken->program.value()) + " lost its session: " +
               std::string(orzatty::name(broken->code)) + " " + std::string(broken->text));
    }
  }
};

}  // namespace orzatty::sim
