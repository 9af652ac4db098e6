// What was rejected is not in the log of the server that rejected it, and what was skipped is in none;
// neither will ever be.
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
      if (told->fate == Fate::kRejected) reject(*told);
      if (told->fate == Fate::kExpired || told->fate == Fate::kSuperseded) skip(*told);
    } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
      for (const SeenMessage& message : seen->messages) {
        if (skipped_.contains(message.name)) {
          return violated(text_of(message.name) + " was skipped unsent, and is delivered");
        }
        if (rejected_.contains({seen->life, message.name})) {
          return violated(text_of(message.name) + " was rejected, and is delivered");
        }
      }
    }
  }

 private:
  void reject(const FateTold& told) {
    for (Sequence at = told.from; at < told.to; at += 1) {
      const MessageName name{told.program, told.publication, at};
      rejected_.insert({told.life, name});
      if (archive_.offset_of(told.life, name)) violated(text_of(name) + " is rejected, but stored");
    }
  }

  void skip(const FateTold& told) {
    for (Sequence at = told.from; at < told.to; at += 1) {
      const MessageName name{told.program, told.publication, at};
      skipped_.insert(name);
      for (ServerLife life(1); life <= told.life; life = ServerLife(life.value() + 1)) {
        if (archive_.offset_of(life, name)) violated(text_of(name) + " is skipped, but stored");
      }
    }
  }

  const Archive& archive_;
  std::set<MessageName> skipped_;
  std::set<std::pair<ServerLife, MessageName>> rejected_;
};

}  // namespace orzatty::sim
