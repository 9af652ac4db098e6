// Of a producer that outlives its processes the newest counts: where a message of it stands in a
// channel, none of an older process comes behind.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "sim/checker.h"

namespace orzatty::sim {

class Fencing final : public Checker {
 public:
  Fencing() : Checker("fencing") {}

  void handle(const Happening& happening) override {
    if (const auto* began = std::get_if<ProgramBegan>(&happening)) {
      if (began->role == Role::kAuditor) auditors_.insert(began->program);
    } else if (const auto* named = std::get_if<ProducerNamed>(&happening)) {
      producers_[{named->program, named->publication}] = {std::string(named->producer),
                                                          named->epoch};
    } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
      // Each auditor reads a channel in its order.
      if (auditors_.contains(seen->program)) handle(*seen);
    }
  }

 private:
  struct Producer {
    std::string name;
    ProducerEpoch epoch;
  };

  void handle(const MessagesSeen& seen) {
    for (const SeenMessage& message : seen.messages) {
      const auto found = producers_.find({message.name.program, message.name.publication});
      if (found == producers_.end()) continue;
      const Producer& producer = found->second;
      ProducerEpoch& newest =
          newest_[{seen.program, seen.life, std::string(seen.channel), producer.name}];
      if (producer.epoch < newest) {
        return violated(text_of(message.name) + " stands in " + std::string(seen.channel) +
                        " behind one of a newer process of its producer");
      }
      newest = producer.epoch;
    }
  }

  std::set<ProgramId> auditors_;
  std::map<std::pair<ProgramId, PublicationId>, Producer> producers_;
  // By who sees it, where, and whose it is.
  std::map<std::tuple<ProgramId, ServerLife, std::string, std::string>, ProducerEpoch> newest_;
};

}  // namespace orzatty::sim
