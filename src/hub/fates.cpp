#include "hub/fates.h"

#include <algorithm>

namespace orzatty::hub {

namespace {

using wire::FateKind;
using wire::FateRun;

// What a log says of messages that are not known to be refused.
FateRun fate_in_log(const Channel& channel, base::ProducerNumber number, Sequence first,
                    std::uint64_t count) {
  const bool lossy = channel.producers()[number].lossy;
  const Channel::Past past = channel.find(number, first, count);
  switch (past.fate) {
    case Channel::Past::Fate::kKept:
      return {first, past.count, FateKind::kAccepted, past.offset.value()};
    case Channel::Past::Fate::kRefused:  // why is forgotten
      // spec: DATAGRAM-5
      return {first, past.count, lossy ? FateKind::kUnknown : FateKind::kRejected, 0};
    case Channel::Past::Fate::kForgotten:
      return {first, past.count, FateKind::kForgotten, 0};
  }
  ORZATTY_UNREACHABLE();
}

FateRun fate_of(const Producer& producer, base::ProducerNumber number, const Channel* channel,
                Sequence first, std::uint64_t count) {
  const auto stretch = producer.known.look(first, count);
  count = stretch.count;
  if (!stretch.known) return {first, count, FateKind::kUnknown, 0};
  if (first < producer.since) {  // it said that it had sent them, to whoever was there before
    count = std::min<std::uint64_t>(count, producer.since - first);
    return {first, count, FateKind::kUnknown, 0};
  }
  const auto refused = producer.refusals.find(first);
  if (refused && refused->from <= first) {
    count = std::min<std::uint64_t>(count, refused->to - first);
    return {first, count, FateKind::kRejected, static_cast<std::uint64_t>(refused->code)};
  }
  if (refused) count = std::min<std::uint64_t>(count, refused->from - first);
  if (channel != nullptr) return fate_in_log(*channel, number, first, count);
  // An endpoint has no log that could tell what was refused before that.
  const Sequence forgotten = producer.refusals.forgotten_below();
  if (first < forgotten) {
    count = std::min<std::uint64_t>(count, forgotten - first);
    return {first, count, FateKind::kForgotten, 0};
  }
  if (producer.lossy) return {first, count, FateKind::kForgotten, 0};  // which came, nobody notes
  return {first, count, FateKind::kAccepted, first.value()};
}

bool goes_on(const FateRun& run, const FateRun& next) {
  if (run.kind != next.kind) return false;
  if (run.kind == FateKind::kAccepted) return run.value + run.count == next.value;
  return run.value == next.value;
}

}  // namespace

// spec: PUBLISH-5
KnownFate known_fate(const Publication& publication, Sequence first, std::uint64_t count) {
  const Refusals& refusals = (*publication.producers)[publication.producer].refusals;
  const auto refused = refusals.find(first);
  if (refused && refused->from <= first) {
    const std::uint64_t same = std::min<std::uint64_t>(count, refused->to - first);
    return {.code = refused->code, .offset = {}, .forgotten = false, .count = same};
  }
  if (refused) count = std::min<std::uint64_t>(count, refused->from - first);
  const bool unsure = first < refusals.forgotten_below();
  if (unsure) count = std::min<std::uint64_t>(count, refusals.forgotten_below() - first);
  const ErrorCode unless_refused = unsure ? ErrorCode::kFateForgotten : ErrorCode::kNone;
  if (publication.channel == nullptr) {  // an endpoint counts by sequences
    return {.code = unless_refused,
            .offset = Offset(first.value()),
            .forgotten = false,
            .count = count};
  }
  using Past = Channel::Past;
  const Past past = publication.channel->find(publication.producer, first, count);
  const ErrorCode code = past.fate == Past::Fate::kKept      ? ErrorCode::kNone
                         : past.fate == Past::Fate::kRefused ? ErrorCode::kOverloaded
                                                             : unless_refused;
  return {.code = code,
          .offset = past.offset,
          .forgotten = past.fate == Past::Fate::kForgotten,
          .count = past.count};
}

// spec: FATE-3
std::vector<FateRun> fates_of(const Producers& producers, const Channel* channel,
                              const base::ProducerNumber* producer, const FateRun& asked) {
  if (producer == nullptr) return {{asked.first, asked.count, FateKind::kUnknown, 0}};
  std::vector<FateRun> runs;
  Sequence first = asked.first;
  for (std::uint64_t rest = asked.count; rest > 0 && runs.size() < kFateRunsMax;) {
    const FateRun run = fate_of(producers[*producer], *producer, channel, first, rest);
    if (!runs.empty() && goes_on(runs.back(), run)) {
      runs.back().count += run.count;
    } else {
      runs.push_back(run);
    }
    first += run.count;
    rest -= run.count;
  }
  return runs;
}

}  // namespace orzatty::hub
