#include "sim/checkers/deadlines.h"

namespace orzatty::sim {

void Deadlines::handle(const Happening& happening) {
  if (const auto* published = std::get_if<Published>(&happening)) {
    if (!published->time_to_live) return;
    timed_[{published->program, published->publication, published->sequence}] = {
        trace_.now, *published->time_to_live};
  } else if (const auto* asked = std::get_if<SubscriptionAsked>(&happening)) {
    asked_[{asked->program, asked->subscription}] = trace_.now;
  } else if (timed_.empty()) {
    return;
  } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
    handle(*seen);
  } else if (const auto* gap = std::get_if<GapSeen>(&happening)) {
    if (gap->gap.reason == GapReason::kExpired) handle(*gap);
  } else if (const auto* told = std::get_if<FateTold>(&happening)) {
    if (told->fate != Fate::kExpired) return;
    for (Sequence at = told->from; at < told->to; at += 1) {
      judge_expiry({told->program, told->publication, at});
    }
  }
}

void Deadlines::handle(const MessagesSeen& seen) {
  const auto asked = asked_.find({seen.program, seen.subscription});
  for (const SeenMessage& message : seen.messages) {
    const auto timed = timed_.find(message.name);
    if (timed == timed_.end()) continue;
    const auto [first, is_new] = first_seen_.try_emplace({seen.life, message.name}, trace_.now);
    if (is_new || asked == asked_.end()) continue;
    const Instant over = first->second + timed->second.time_to_live + kStep;
    if (asked->second > over) {
      return violated(text_of(message.name) + " is given to program " +
                      std::to_string(seen.program.value()) +
                      ", which asked for it when it had expired");
    }
  }
}

void Deadlines::handle(const GapSeen& gap) {
  const ChannelRecord* const record = archive_.find(gap.life, gap.channel);
  if (record == nullptr) return;
  for (Offset at = gap.gap.from; at < gap.gap.to && at.value() < record->entries.size(); at += 1) {
    const ChannelRecord::Entry& entry = record->entries[static_cast<std::size_t>(at.value())];
    if (entry.known) judge_expiry(entry.name);
  }
}

void Deadlines::judge_expiry(const MessageName& name) {
  const auto timed = timed_.find(name);
  if (timed == timed_.end()) return violated(text_of(name) + " has no deadline, and has expired");
  if (trace_.now < timed->second.published + timed->second.time_to_live) {
    violated(text_of(name) + " is said to have expired before its time");
  }
}

}  // namespace orzatty::sim
