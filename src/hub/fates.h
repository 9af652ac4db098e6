// What a hub can say about messages of a producer that somebody asks about. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "hub/channel.h"
#include "hub/producers.h"
#include "hub/publication.h"
#include "wire/fate.h"

namespace orzatty::hub {

// What became of the first of `count` messages that came before, and of as many behind it as share
// its fate.
struct KnownFate {
  ErrorCode code = ErrorCode::kNone;  // of a rejected one
  Offset offset;
  bool forgotten = false;  // where it was
  std::uint64_t count = 0;
};

KnownFate known_fate(const Publication& publication, Sequence first, std::uint64_t count);

// Of one answer: what the rest of a longer range is, is asked again.
inline constexpr std::size_t kFateRunsMax = 1024;

// Messages [asked.first, ...) of a producer of `channel`, or of an endpoint when it is nullptr. No
// `producer`: nobody knows it.
std::vector<wire::FateRun> fates_of(const Producers& producers, const Channel* channel,
                                    const base::ProducerNumber* producer,
                                    const wire::FateRun& asked);

}  // namespace orzatty::hub
