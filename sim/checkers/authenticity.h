// Only what an authenticated identity published is delivered, unchanged and under its own name.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sim/checker.h"

namespace orzatty::sim {

class Authenticity final : public Checker {
 public:
  Authenticity() : Checker("authenticity") {}

  void handle(const Happening& happening) override {
    if (const auto* began = std::get_if<ProgramBegan>(&happening)) {
      programs_[began->program] = {std::string(began->identity), began->role};
    } else if (const auto* published = std::get_if<Published>(&happening)) {
      published_[{published->program, published->publication}] = published->sequence + 1;
    } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
      for (const SeenMessage& message : seen->messages) judge(message, seen->publisher);
    }
  }

 private:
  struct Program {
    std::string identity;
    Role role = Role::kClient;
  };

  void judge(const SeenMessage& message, std::string_view publisher) {
    const MessageName& name = message.name;
    const auto program = programs_.find(name.program);
    const auto published = published_.find({name.program, name.publication});
    if (!message.intact || program == programs_.end()) {
      violated("a message is delivered that nobody sent");
    } else if (published == published_.end() || name.sequence >= published->second) {
      violated(text_of(name) + " is delivered, but was never published");
    } else if (program->second.role == Role::kIntruder) {
      violated(text_of(name) + " comes from somebody who was not let in");
    } else if (program->second.identity != publisher) {
      violated(text_of(name) + " is delivered as one of " + std::string(publisher));
    }
  }

  std::map<ProgramId, Program> programs_;
  std::map<std::pair<ProgramId, PublicationId>, Sequence> published_;
};

}  // namespace orzatty::sim
