// A channel of the hub: its log, who published what into it, and who reads it. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/ring.h"
#include "base/run_index.h"
#include "base/slab.h"
#include "orzatty/channel.h"
#include "orzatty/ids.h"
#include "session/transport.h"

namespace orzatty::hub {

class ChannelReader;

// Who published into a channel, and how far. It stays when its session is gone, so that a producer
// that comes back is taken at its word once only.
struct Producer {
  ProducerId id;
  ProducerEpoch epoch;
  Sequence next;         // everything below was accepted, rejected or skipped
  std::string identity;
  base::SlabKey owner;   // the peer that published last
};

// Credit of a publication's stream that waits for a slow subscriber. spec: CREDIT-3
struct Owed {
  base::SlabKey peer;
  session::RemoteStream stream;
  std::uint64_t size = 0;
  std::uint64_t end = 0;  // position in the log behind the bytes it is for
};

class Channel {
 public:
  // What may wait for the slowest subscriber, at least: a publisher's window.
  static constexpr std::uint64_t kBacklogMin = 2 * 1024 * 1024;

  Channel(ChannelName name, ChannelEpoch epoch, const ChannelConfig& config,
          std::uint64_t size_max, base::SegmentPool& pool);

  [[nodiscard]] const ChannelName& name() const { return name_; }
  [[nodiscard]] ChannelEpoch epoch() const { return epoch_; }
  [[nodiscard]] const ChannelConfig& config() const { return config_; }
  [[nodiscard]] const base::RunIndex& index() const { return index_; }
  [[nodiscard]] base::LogCursor end() const { return log_.end(); }

  // The producer's entry, made when it is new; `is_new` tells.
  struct Known {
    base::ProducerNumber number;
    bool is_new = false;
  };
  [[nodiscard]] Known find_or_add(const ProducerId& id, std::string_view identity);
  [[nodiscard]] Producer& producer(base::ProducerNumber number);

  // Stores whole frames behind everything else; false when there is no memory for them.
  [[nodiscard]] bool append(base::ProducerNumber producer, Sequence first, std::uint64_t count,
                            BytesView frames, Instant now);
  // Lets go of what the retention does not ask for and nobody who is waited for needs.
  void trim(Instant now);
  // When age lets go of the oldest run.
  [[nodiscard]] std::optional<Instant> next_expiry() const;

  void add_reader(ChannelReader& reader) { readers_.push_back(&reader); }
  void remove_reader(ChannelReader& reader);
  void add_waiter(ChannelReader& reader) { waiters_.push_back(&reader); }
  // Those who had read everything; empties the list.
  [[nodiscard]] std::vector<ChannelReader*>& waiters() { return waiters_; }
  [[nodiscard]] bool has_readers() const { return !readers_.empty(); }

  // Where an offset lies; it must be kept, or be the next one.
  [[nodiscard]] base::LogCursor locate(Offset offset) const;

  void owe(const Owed& owed) { owed_.push_back(owed); }
  // A debt that may be paid now, as the slowest subscriber is near enough.
  [[nodiscard]] std::optional<Owed> pay();
  [[nodiscard]] bool in_debt() const { return !owed_.empty(); }

 private:
  [[nodiscard]] Offset slowest() const;
  [[nodiscard]] std::uint64_t slowest_position() const;
  [[nodiscard]] bool may_go(const base::LogRun& run, Instant now) const;

  ChannelName name_;
  ChannelEpoch epoch_;
  ChannelConfig config_;
  std::uint64_t size_max_;
  base::Log log_;
  base::RunIndex index_;
  std::uint64_t kept_bytes_ = 0;
  std::vector<Producer> producers_;  // by number
  std::map<ProducerId, base::ProducerNumber> numbers_;
  std::vector<ChannelReader*> readers_;
  std::vector<ChannelReader*> waiters_;
  base::Ring<Owed> owed_;
};

}  // namespace orzatty::hub
