// What was rejected is not in the log of the server that rejected it, and never will be.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "sim/archive.h"
#include "sim/checker.h"

namespace orzatty::sim {

class Refusals final : public Checker {
 public:
  explicit Refusals(const Archive& archive) : Checker("refusals"), archive_(archive) {}

  void handle(const Happening& happening) override {
    if (const auto* told = std::get_if<FateTold>(&happening)) {
      if (told->fate == Fate::kRejected) handle(*told);
    } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
      for (const SeenMessage& message : seen->messages) {
        if (rejected_.empty()) return;
        if (rejected_.contains({seen->life, message.name})) {
          return violated(text_of(message.name) + " was rejected, and is delivered");
        }
      }
    }
  }

 private:
  void handle(const FateTold& told) {
    for (Sequence at = told.from; at < told.to; at += 1) {
      const MessageName name{told.program, told.publication, at};
      rejected_.insert({told.life, name});
      if (archive_.offset_of(told.life, name)) violated(text_of(name) + " is rejected, but stored");
    }
  }

  const Archive& archive_;
  std::set<std::pair<ServerLife, MessageName>> rejected_;
};

}  // namespace orzatty::sim
