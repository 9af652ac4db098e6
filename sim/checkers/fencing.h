// Of a producer that outlives its processes the newest counts: where a message of it stands in a
// channel, none of an older process comes behind.
#pragma once

#include <iterator>
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
      if (auditors_.contains(seen->program)) handle(*seen);
    }
  }

 private:
  struct Producer {
    std::string name;
    ProducerEpoch epoch;
  };

  void handle(const MessagesSeen& seen) {
    Offset offset = seen.first;
    for (const SeenMessage& message : seen.messages) {
      const auto found = producers_.find({message.name.program, message.name.publication});
      if (found != producers_.end()) place(seen, message.name, offset, found->second);
      offset += 1;
    }
  }
  // Where no order is kept, they are not seen in that of the log.
  void place(const MessagesSeen& seen, const MessageName& name, Offset offset,
             const Producer& producer) {
    auto& stood = stood_[{seen.life, std::string(seen.channel), producer.name}];
    const auto [here, is_new] = stood.emplace(offset, producer.epoch);
    if (!is_new) return;  // another auditor's word
    const bool late = here != stood.begin() && std::prev(here)->second > producer.epoch;
    const auto next = std::next(here);
    if (late || (next != stood.end() && next->second < producer.epoch)) {
      violated(text_of(name) + " stands in " + std::string(seen.channel) +
               " on the wrong side of one of a newer process of its producer");
    }
  }

  std::set<ProgramId> auditors_;
  std::map<std::pair<ProgramId, PublicationId>, Producer> producers_;
  // By where it is, and whose.
  std::map<std::tuple<ServerLife, std::string, std::string>, std::map<Offset, ProducerEpoch>>
      stood_;
};

}  // namespace orzatty::sim
