// A channel of the hub: its log, who published what into it, who reads it and how far behind, and
// what is kept. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/charged_ring.h"
#include "base/run_index.h"
#include "base/slab.h"
#include "hub/deadlines.h"
#include "hub/latest_values.h"
#include "hub/pattern_bag.h"
#include "hub/producers.h"
#include "hub/readers.h"
#include "orzatty/channel.h"
#include "orzatty/channel_traffic.h"
#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "session/transport.h"
#include "wire/ack.h"

namespace orzatty::hub {

// Credit of a publication's stream that waits for a slow subscriber. spec: CREDIT-3
struct Owed {
  base::SlabKey peer;
  session::RemoteStream stream;
  std::uint64_t size = 0;
  std::uint64_t end = 0;  // end_position() behind the bytes it is for
  // Where no order is kept, the acknowledgement: a stream of its own has no credit to wait for.
  std::optional<wire::AckRun> ack;
  std::uint32_t nonce = 0;
};

// Messages of one producer, as they are put into the log.
struct Batch {
  base::ProducerNumber producer;
  Sequence first;
  std::uint64_t count = 0;
  BytesView header;             // of a message whose payload is the body; else empty
  BytesView body;               // whole frames, but for the header
  bool has_attributes = false;  // some of the frames in the body may have
};

class Channel {
 public:
  // What may wait for the slowest subscriber, at least: a publisher's window. A channel that may
  // not be so large lets less wait.
  static constexpr std::uint64_t kBacklogMin = 2 * 1024 * 1024;
  // Of each run, beside its bytes: in the index, and in the list of its producer's.
  static constexpr std::uint64_t kRunCost = base::RunIndex::kRunCost + sizeof(base::RunNumber);

  // How many runs of a producer may be stored before one with lower sequences: finding its place among
  // them costs by their number. Nobody has more than half as many under way, and of these a few may
  // be cut, by what is known of them or refused. spec: PUBLISH-11
  static constexpr std::size_t kOvertakenMax = 2048;

  Channel(ChannelName name, ChannelEpoch epoch, const ChannelConfig& config, const Limits& limits,
          base::SegmentPool& pool, ChannelTraffic& traffic);

  [[nodiscard]] const ChannelName& name() const { return name_; }
  [[nodiscard]] ChannelEpoch epoch() const { return epoch_; }
  [[nodiscard]] const ChannelConfig& config() const { return config_; }
  // Counted together with others of the same rule.
  [[nodiscard]] ChannelTraffic& traffic() const { return traffic_; }
  [[nodiscard]] const base::RunIndex& index() const { return index_; }
  [[nodiscard]] Producers& producers() { return producers_; }
  [[nodiscard]] const Producers& producers() const { return producers_; }
  [[nodiscard]] Readers& readers() { return readers_; }
  [[nodiscard]] Deadlines& deadlines() { return deadlines_; }
  [[nodiscard]] const Deadlines& deadlines() const { return deadlines_; }
  // Of one in mode latest; else nullptr.
  [[nodiscard]] LatestValues* values() { return values_.get(); }
  [[nodiscard]] const LatestValues* values() const { return values_.get(); }
  // What it has for a subscriber that has nothing: from where on, and where the newest `count`
  // begin.
  [[nodiscard]] Offset first_kept() const;
  [[nodiscard]] Offset newest_kept(std::uint64_t count) const;
  [[nodiscard]] bool has_messages() const {
    return !index_.empty() || (values_ != nullptr && !values_->empty());
  }

  // The entry of the server itself, made when it is new.
  [[nodiscard]] base::ProducerNumber own_producer(const ProducerId& id, std::string_view identity);

  // Stores whole frames behind everything else; false when there is no memory for them, or when they
  // are overtaken by more than kOvertakenMax runs. In mode latest the body is all of them, and their
  // keys were admitted.
  [[nodiscard]] bool append(const Batch& batch, Instant now);
  // What was admitted to its values is not appended.
  void revoke();
  // Lets go of what the retention does not ask for and nobody who is waited for needs. Readers that
  // stood there are added to `overtaken`.
  void trim(Instant now, std::vector<ChannelReader*>& overtaken);
  // When age lets go of the oldest run, or a value expires.
  [[nodiscard]] std::optional<Instant> next_expiry() const;

  [[nodiscard]] base::LogCursor end() const { return log_.end(); }
  // Of all that ever came, with what its runs took beside the log.
  [[nodiscard]] std::uint64_t end_position() const {
    return log_.end().position + index_.end_number().value() * kRunCost;
  }
  // Where an offset lies; it must be kept, or be the next one.
  [[nodiscard]] base::LogCursor locate(Offset offset) const;
  // Where the newest message lies, of a channel of kLatest that is not empty.
  [[nodiscard]] base::LogCursor newest() const { return newest_; }
  // What became of messages [first, first + count) of a producer, which are below what it sends
  // next: of the first one, and of as many behind it as share its fate.
  struct Past {
    enum class Fate : std::uint8_t {
      kKept,       // from `offset` on
      kForgotten,  // older than anything that is kept of the producer
      kRefused,    // rejected or skipped: never stored
    };
    Fate fate = Fate::kForgotten;
    Offset offset;
    std::uint64_t count = 0;  // at least 1
  };
  [[nodiscard]] Past find(base::ProducerNumber producer, Sequence first, std::uint64_t count) const;

  // spec: CREDIT-3
  [[nodiscard]] bool may_owe() { return owed_.make_room(); }
  void owe(const Owed& owed) { owed_.push_back(owed); }
  // A debt that may be paid now, as the slowest subscriber is near enough.
  [[nodiscard]] std::optional<Owed> pay();
  [[nodiscard]] bool in_debt() const { return !owed_.empty(); }
  // It holds as much as any channel may, because somebody is waited for.
  [[nodiscard]] bool full() const { return held() > size_max_; }

  std::uint32_t timer_slot = 0;         // used by the table that holds it
  std::optional<Instant> timer;         // that is set there
  std::uint32_t publication_count = 0;  // open ones
  std::optional<Instant> unused_since;
  PatternBag::Answer returning;  // whether a session that waits is subscribed to it
  bool has_refused = false;  // a message, and shall know it when it comes again
  bool slow_told = false;    // of the debts that are open now
  bool untended = false;     // stands in the line of Subscribing

 private:
  // What channel_size_max bounds: small messages of publishers who take turns are mostly runs.
  [[nodiscard]] std::uint64_t held() const { return kept_bytes_ + index_.size() * kRunCost; }
  [[nodiscard]] std::uint64_t backlog_limit() const;
  [[nodiscard]] std::uint64_t slowest_position() const;
  [[nodiscard]] bool store(const Batch& batch, Instant now);
  void note_stored(const Batch& batch, base::LogCursor begin, Instant now);
  [[nodiscard]] std::optional<Instant> next_of_age() const;
  [[nodiscard]] bool may_go(const base::LogRun& run, Instant now) const;
  // How many runs of the producer do not begin behind that sequence. O(log n).
  [[nodiscard]] std::size_t runs_up_to(base::ProducerNumber producer, Sequence sequence) const;
  [[nodiscard]] bool overtaken_too_far(const Batch& batch) const;
  void note_newest(BytesView frames, base::LogCursor begin);

  ChannelName name_;
  ChannelEpoch epoch_;
  ChannelConfig config_;
  ChannelTraffic& traffic_;
  std::uint64_t size_max_;
  base::Log log_;
  base::RunIndex index_;
  Deadlines deadlines_;
  Producers producers_;
  const std::unique_ptr<LatestValues> values_;
  std::optional<base::ProducerNumber> own_;
  Readers readers_;
  base::ChargedRing<Owed> owed_;
  std::uint64_t kept_bytes_ = 0;
  base::LogCursor newest_;
};

}  // namespace orzatty::hub
