// Each request ends in one way: by a reply, once, from somebody who gave one to it, or without any;
// and none of another's comes.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sim/checker.h"

namespace orzatty::sim {

class Requests final : public Checker {
 public:
  Requests() : Checker("requests") {}

  void handle(const Happening& happening) override {
    if (const auto* asked = std::get_if<RequestAsked>(&happening)) {
      open_.insert(asked->request);
    } else if (const auto* given = std::get_if<ReplyGiven>(&happening)) {
      responders_[given->request].insert(std::string(given->identity));
    } else if (const auto* seen = std::get_if<ReplySeen>(&happening)) {
      handle(*seen);
    } else if (const auto* over = std::get_if<RequestOver>(&happening)) {
      end(over->program, over->request, over->how);
    } else if (const auto* killed = std::get_if<ProgramKilled>(&happening)) {
      std::erase_if(open_, [&](const auto& name) { return name.program == killed->program; });
    }
  }

  [[nodiscard]] std::string unrest() const override {
    return open_.empty() ? "" : text_of(*open_.begin()) + " still waits for its reply";
  }
  void finish() override {
    if (const std::string who = unrest(); !who.empty()) violated(who);
  }

 private:
  void handle(const ReplySeen& seen) {
    if (!seen.intact) violated("the reply to " + text_of(seen.request) + " is not what was sent");
    const auto known = responders_.find(seen.request);
    if (known == responders_.end() || !known->second.contains(std::string(seen.responder))) {
      violated(std::string(seen.responder) + " did not reply to " + text_of(seen.request));
    }
    end(seen.program, seen.request, "answered");
  }
  void end(ProgramId program, const MessageName& request, std::string_view how) {
    if (request.program == program && open_.erase(request) == 1) return;
    violated("program " + std::to_string(program.value()) + " is told that " + text_of(request) +
             " is over (" + std::string(how) + "), which it does not wait for");
  }

  std::set<MessageName> open_;
  std::map<MessageName, std::set<std::string>> responders_;  // identities
};

}  // namespace orzatty::sim
