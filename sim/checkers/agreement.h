// Accepted is in the hub's log exactly once, offsets are dense, and everybody is told the same
// message at the same offset.
#pragma once

#include <set>

#include "sim/archive.h"
#include "sim/checker.h"

namespace orzatty::sim {

class Agreement final : public Checker {
 public:
  explicit Agreement(Archive& archive) : Checker("agreement"), archive_(archive) {}
  void handle(const Happening& happening) override;
  void finish() override;
  [[nodiscard]] std::string unrest() const override;

 private:
  void handle(const MessagesSeen& seen);
  void handle(const FateTold& told);
  void witness(ServerLife life, std::string_view channel, Offset offset, const MessageName& name);

  Archive& archive_;
  std::set<ProgramId> auditors_;
  ServerLife life_;
};

}  // namespace orzatty::sim
