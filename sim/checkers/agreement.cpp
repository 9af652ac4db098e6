#include "sim/checkers/agreement.h"

namespace orzatty::sim {

namespace {

constexpr std::uint64_t kOffsetMax = 10'000'000;  // of what a run can publish, and more

std::string place(std::string_view channel, Offset offset) {
  return std::string(channel) + "@" + std::to_string(offset.value());
}

}  // namespace

void Agreement::handle(const Happening& happening) {
  if (const auto* rose = std::get_if<ServerRose>(&happening)) {
    life_ = rose->life;
  } else if (const auto* began = std::get_if<ProgramBegan>(&happening)) {
    if (began->role == Role::kAuditor) auditors_.insert(began->program);
  } else if (const auto* seen = std::get_if<MessagesSeen>(&happening)) {
    handle(*seen);
  } else if (const auto* told = std::get_if<FateTold>(&happening)) {
    if (told->fate == Fate::kAccepted) handle(*told);
  } else if (const auto* gap = std::get_if<GapSeen>(&happening)) {
    if (gap->gap.to.value() > kOffsetMax)
      return violated(place(gap->channel, gap->gap.to) + " cannot be");
    if (auditors_.contains(gap->program)) archive_.audit(gap->life, gap->channel, gap->gap.to);
  }
}

void Agreement::handle(const MessagesSeen& seen) {
  Offset offset = seen.first;
  for (const SeenMessage& message : seen.messages) {
    witness(seen.life, seen.channel, offset, message.name);
    offset += 1;
  }
  if (!auditors_.contains(seen.program)) return;
  const std::uint64_t known = archive_.audited_to(seen.life, seen.channel);
  const bool begins =
      begun_.emplace(seen.program, seen.subscription, seen.life, std::string(seen.channel)).second;
  // What a new auditor does not find was let go before it came; an old one leaves nothing out.
  if (seen.first.value() > known && !begins && keeps_order(server_, seen.channel)) {
    violated("the auditor is not told of " + place(seen.channel, Offset(known)));
  }
  archive_.audit(seen.life, seen.channel, offset);
}

void Agreement::handle(const FateTold& told) {
  if (!told.first_offset) {
    const bool lost_place = told.fate == Fate::kAccepted && keeps_all(server_, told.channel);
    if (lost_place) {
      violated(text_of({told.program, told.publication, told.from}) +
               " is accepted without an offset in a channel that keeps all");
    }
    return;
  }
  Offset offset = *told.first_offset;
  for (Sequence sequence = told.from; sequence < told.to; sequence += 1) {
    witness(told.life, told.channel, offset, {told.program, told.publication, sequence});
    offset += 1;
  }
}

void Agreement::witness(ServerLife life, std::string_view channel, Offset offset,
                        const MessageName& name) {
  if (offset.value() > kOffsetMax) return violated(place(channel, offset) + " cannot be");
  switch (archive_.witness(life, channel, offset, name)) {
    case Archive::Witness::kAgrees:
      return;
    case Archive::Witness::kOtherMessage:
      return violated(text_of(name) + " is told at " + place(channel, offset) + ", where " +
                      text_of(archive_.find(life, channel)
                                  ->entries[static_cast<std::size_t>(offset.value())]
                                  .name) +
                      " stands");
    case Archive::Witness::kOtherOffset:
      return violated(text_of(name) + " stands at " +
                      place(channel, *archive_.offset_of(life, name)) + " and again at " +
                      place(channel, offset));
  }
}

// What somebody was told of is in the log, as the auditor sees it.
std::string Agreement::unrest() const {
  for (const auto& [channel, record] : archive_.channels(life_)) {
    if (!record.entries.empty() && record.audited_to < record.entries.size()) {
      return "the auditor has " + channel + " up to " + std::to_string(record.audited_to) + " of " +
             std::to_string(record.entries.size());
    }
  }
  return {};
}

void Agreement::finish() {
  if (const std::string what = unrest(); !what.empty()) violated(what);
}

}  // namespace orzatty::sim
