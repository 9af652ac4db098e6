// What comes from somebody who was not let in has no effect, and nobody goes on with a session that
// was another's.
#pragma once

#include <map>
#include <string>

#include "sim/checker.h"

namespace orzatty::sim {

class Strangers final : public Checker {
 public:
  Strangers() : Checker("strangers") {}

  void handle(const Happening& happening) override {
    if (std::holds_alternative<IntruderActed>(happening)) {
      violated("somebody who was not let in has changed something in the hub");
    } else if (const auto* heard = std::get_if<IntruderHeard>(&happening)) {
      violated("an intruder hears " + std::string(heard->what));
    } else if (const auto* welcomed = std::get_if<WasWelcomed>(&happening)) {
      std::string& identity = identities_[welcomed->program];
      if (welcomed->resumed && identity != welcomed->identity) {
        violated("program " + std::to_string(welcomed->program.value()) + " goes on as " +
                 std::string(welcomed->identity) + " with a session of " + identity);
      }
      identity = welcomed->identity;
    }
  }

 private:
  std::map<ProgramId, std::string> identities_;
};

}  // namespace orzatty::sim
