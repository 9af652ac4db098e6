// First in, first out for each publication, in each life of a channel.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "sim/checker.h"
#include "sim/server_host.h"

namespace orzatty::sim {

class ProducerOrder final : public Checker {
 public:
  explicit ProducerOrder(const ServerConfig& server)
      : Checker("producer order"), server_(server) {}

  void handle(const Happening& happening) override {
    if (const auto* began = std::get_if<ProgramBegan>(&happening)) {
      if (began->role == Role::kAuditor) auditors_.insert(began->program);
    } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
      if (auditors_.contains(seen->program) && keeps_order(server_, seen->channel)) handle(*seen);
    }
  }

 private:
  void handle(const MessagesSeen& seen) {
    for (const SeenMessage& message : seen.messages) {
      const auto [known, is_new] =
          next_.try_emplace({seen.program, seen.subscription, seen.life, message.name.program,
                             message.name.publication},
                            message.name.sequence + 1);
      if (is_new) continue;
      if (message.name.sequence < known->second) {
        return violated(text_of(message.name) + " stands in " + std::string(seen.channel) +
                        " behind a later one of its publisher");
      }
      known->second = message.name.sequence + 1;
    }
  }

  ServerConfig server_;
  std::set<ProgramId> auditors_;
  // By who sees it, and what it is.
  std::map<std::tuple<ProgramId, SubscriptionId, ServerLife, ProgramId, PublicationId>, Sequence>
      next_;
};

}  // namespace orzatty::sim
