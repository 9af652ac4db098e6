// Each request ends in one way: by a reply, once, from somebody who gave one to it, or without any;
// none of another's comes, and what is over makes room for others.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "sim/checker.h"
#include "sim/server_host.h"
#include "sim/trace.h"

namespace orzatty::sim {

class Requests final : public Checker {
 public:
  Requests(const ServerConfig& server, const Trace& trace)
      : Checker("requests"), server_(server), trace_(trace) {}

  void handle(const Happening& happening) override {
    if (const auto* asked = std::get_if<RequestAsked>(&happening)) {
      open_.insert(asked->request);
      stays_[asked->request] = {trace_.now, asked->patience, std::nullopt};
    } else if (const auto* given = std::get_if<ReplyGiven>(&happening)) {
      responders_[given->request].insert(std::string(given->identity));
    } else if (const auto* seen = std::get_if<ReplySeen>(&happening)) {
      handle(*seen);
    } else if (const auto* passed = std::get_if<ReplyPassedOver>(&happening)) {
      handle(*passed);
    } else if (const auto* over = std::get_if<RequestOver>(&happening)) {
      end(over->program, over->request, over->how);
    } else if (const auto* told = std::get_if<FateTold>(&happening)) {
      for (Sequence at = told->from; at < told->to; at += 1) {
        settle(*told, {told->program, told->publication, at});
      }
    } else if (const auto* killed = std::get_if<ProgramKilled>(&happening)) {
      std::erase_if(open_, [&](const auto& name) { return name.program == killed->program; });
      std::erase_if(stays_,
                    [&](const auto& stay) { return stay.first.program == killed->program; });
    }
  }

  [[nodiscard]] std::string unrest() const override {
    return open_.empty() ? "" : text_of(*open_.begin()) + " still waits for its reply";
  }
  void finish() override {
    if (const std::string who = unrest(); !who.empty()) violated(who);
  }

 private:
  // How long the server may count it among those that wait.
  struct Stay {
    Instant asked;
    Duration patience = Duration::zero();
    std::optional<Instant> over;  // at the latest
  };

  void handle(const ReplySeen& seen) {
    if (!seen.intact) violated("the reply to " + text_of(seen.request) + " is not what was sent");
    const auto known = responders_.find(seen.request);
    if (known == responders_.end() || !known->second.contains(std::string(seen.responder))) {
      violated(std::string(seen.responder) + " did not reply to " + text_of(seen.request));
    }
    end(seen.program, seen.request, "answered");
    if (const auto stay = stays_.find(seen.request); stay != stays_.end()) {
      stay->second.over = trace_.now;
    }
    count_reply(seen.life, seen.request);
  }
  void handle(const ReplyPassedOver& passed) {
    if (passed.request.program != passed.program) {
      violated("program " + std::to_string(passed.program.value()) + " is given a reply to " +
               text_of(passed.request) + ", which is another's");
    }
    count_reply(passed.life, passed.request);
  }
  // A server that knows nothing of an earlier life may be asked again.
  void count_reply(ServerLife life, const MessageName& request) {
    if (replied_.emplace(life, request).second) return;
    violated("the server gives a second reply to " + text_of(request));
  }
  void end(ProgramId program, const MessageName& request, std::string_view how) {
    if (request.program == program && open_.erase(request) == 1) return;
    violated("program " + std::to_string(program.value()) + " is told that " + text_of(request) +
             " is over (" + std::string(how) + "), which it does not wait for");
  }

  void settle(const FateTold& told, const MessageName& name) {
    const auto stay = stays_.find(name);
    if (stay == stays_.end()) return;
    if (told.fate == Fate::kAccepted) {
      const Instant over = trace_.now + stay->second.patience;
      stay->second.over = std::min(stay->second.over.value_or(over), over);
    } else if (told.fate != Fate::kUnknown) {
      stay->second.over = stay->second.asked;
      // There the room of values is meant.
      const bool of_values = config_of(server_, told.channel).mode == DeliveryMode::kLatest;
      if (told.code == ErrorCode::kLimitExceeded && !of_values) judge_room(name, stay->second);
    }
  }
  // The server judged when it was asked, or later.
  void judge_room(const MessageName& refused, const Stay& stay) {
    const auto others = std::ranges::count_if(stays_, [&](const auto& other) {
      return other.first.program == refused.program && other.first != refused &&
             other.second.over.value_or(trace_.now) > stay.asked;
    });
    if (static_cast<std::uint64_t>(others) >= server_.limits.request_count_max) return;
    violated(text_of(refused) + " is refused, though no more than " + std::to_string(others) +
             " can wait for replies");
  }

  ServerConfig server_;
  const Trace& trace_;
  std::set<MessageName> open_;
  std::map<MessageName, Stay> stays_;
  std::set<std::pair<ServerLife, MessageName>> replied_;
  std::map<MessageName, std::set<std::string>> responders_;  // identities
};

}  // namespace orzatty::sim
