#include "sim/tally.h"

#include <algorithm>

namespace orzatty::sim {

void Tally::handle(const Happening& happening) {
  if (std::holds_alternative<Published>(happening)) {
    add("messages published");
  } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
    add("messages delivered", seen->messages.size());
    note_order(*seen);
  } else if (const auto* told = std::get_if<FateTold>(&happening)) {
    add("fate " + std::string(fate_name(told->fate)), told->to - told->from);
    const bool refused = told->fate == Fate::kRejected;
    if (refused) add("rejected by " + std::string(orzatty::name(told->code)), told->to - told->from);
  } else if (const auto* gap = std::get_if<GapSeen>(&happening)) {
    add("gap " + std::string(orzatty::name(gap->gap.reason)));
  } else if (std::holds_alternative<ResetSeen>(happening)) {
    add("channel began anew");
  } else if (const auto* over = std::get_if<SubscriptionOver>(&happening)) {
    add("subscription ended " + std::string(orzatty::name(over->code)));
  } else if (const auto* broken = std::get_if<SessionBroken>(&happening)) {
    add("session broken by " + std::string(broken->text));
  } else if (std::holds_alternative<ServerFell>(happening)) {
    add("server crashed");
  } else if (std::holds_alternative<ProgramKilled>(happening)) {
    add("client crashed");
  } else if (std::holds_alternative<DirectSeen>(happening)) {
    add("direct messages delivered");
  } else if (std::holds_alternative<ReplySeen>(happening)) {
    add("request answered");
  } else if (std::holds_alternative<ReplyPassedOver>(happening)) {
    add("reply passed over");
  } else if (const auto* unanswered = std::get_if<RequestOver>(&happening)) {
    add("request " + std::string(unanswered->how));
  } else if (std::holds_alternative<SessionAway>(happening)) {
    add("session waited for its client");
  } else if (const auto* welcomed = std::get_if<WasWelcomed>(&happening)) {
    if (welcomed->resumed) add("session resumed");
  } else if (const auto* began = std::get_if<ProgramBegan>(&happening)) {
    if (began->role == Role::kIntruder) add("intruder came");
  }
}

void Tally::note_order(const MessagesSeen& seen) {
  Offset& next = next_[{seen.program, seen.subscription, seen.life, std::string(seen.channel)}];
  if (seen.first < next) add("messages out of order", seen.messages.size());
  next = std::max(next, seen.first + seen.messages.size());
}

}  // namespace orzatty::sim
