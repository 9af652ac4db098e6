// What the server sends to one session alone comes there: once, in order, all of it while the
// session lives, and to nobody else.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/checker.h"

namespace orzatty::sim {

class Directs final : public Checker {
 public:
  Directs() : Checker("directs") {}
  void handle(const Happening& happening) override;
  void finish() override;
  [[nodiscard]] std::string unrest() const override;

 private:
  struct Session {
    Sequence sent;
    Sequence seen;
    std::optional<ProgramId> program;  // that was the first to see something of it
    bool present = true;               // has a connection
  };
  void handle(const DirectSeen& seen);

  std::map<SessionNumber, Session> sessions_;  // of this life of the server
  std::map<SessionNumber, Session> over_;      // what is on its way still comes
  std::map<ProgramId, SessionNumber> newest_;
};

}  // namespace orzatty::sim
