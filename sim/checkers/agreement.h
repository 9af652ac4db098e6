// Accepted is in the hub's log exactly once, offsets are dense, and everybody is told the same
// message at the same offset.
#pragma once

#include <set>
#include <string>
#include <tuple>

#include "sim/archive.h"
#include "sim/checker.h"
#include "sim/server_host.h"

namespace orzatty::sim {

class Agreement final : public Checker {
 public:
  Agreement(Archive& archive, const ServerConfig& server)
      : Checker("agreement"), archive_(archive), server_(server) {}
  void handle(const Happening& happening) override;
  void finish() override;
  [[nodiscard]] std::string unrest() const override;

 private:
  void handle(const MessagesSeen& seen);
  void handle(const FateTold& told);
  void witness(ServerLife life, std::string_view channel, Offset offset, const MessageName& name);

  Archive& archive_;
  ServerConfig server_;
  std::set<ProgramId> auditors_;
  // What an auditor has seen something of.
  std::set<std::tuple<ProgramId, SubscriptionId, ServerLife, std::string>> begun_;
  ServerLife life_;
};

}  // namespace orzatty::sim
