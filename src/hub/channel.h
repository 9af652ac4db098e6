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
  // Each is some 100 bytes; a client object is one, so they come and go with connections.
  static constexpr std::size_t kProducerCountMax = 16 * 1024;

  Channel(ChannelName name, ChannelEpoch epoch, const ChannelConfig& config,
          std::uint64_t size_max, base::SegmentPool& pool);

  [[nodiscard]] const ChannelName& name() const { return name_; }
  [[nodiscard]] ChannelEpoch epoch() const { return epoch_; }
  [[nodiscard]] const ChannelConfig& config() const { return config_; }
  [[nodiscard]] const base::RunIndex& index() const { return index_; }
  [[nodiscard]] base::LogCursor end() const { return log_.end(); }

  // The producer's entry, made when it is new; `is_new` tells. Above kProducerCountMax those are
  // forgotten that `is_gone(owner)` says are gone and of whom no message is kept; empty when there
  // is none.
  struct Known {
    base::ProducerNumber number;
    bool is_new = false;
  };
  template <class IsGone>
  [[nodiscard]] std::optional<Known> find_or_add(const ProducerId& id, std::string_view identity,
                                                 IsGone is_gone) {
    const auto found = numbers_.find(id);
    if (found != numbers_.end()) return Known{found->second, false};
    if (numbers_.size() >= kProducerCountMax && free_numbers_.empty()) {
      forget_if([&](const Producer& producer) { return is_gone(producer.owner); });
      if (free_numbers_.empty()) return std::nullopt;
    }
    return Known{add(id, identity), true};
  }
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
  // Nobody would notice if it were made anew: nothing was ever published, nobody listens.
  [[nodiscard]] bool unused() const { return readers_.empty() && producers_.empty(); }
  // More is kept than any retention may ask for: somebody is waited for.
  [[nodiscard]] bool overfull() const { return kept_bytes_ > size_max_; }

  // Where an offset lies; it must be kept, or be the next one.
  [[nodiscard]] base::LogCursor locate(Offset offset) const;

  void owe(const Owed& owed) { owed_.push_back(owed); }
  // A debt that may be paid now, as the slowest subscriber is near enough.
  [[nodiscard]] std::optional<Owed> pay();
  [[nodiscard]] bool in_debt() const { return !owed_.empty(); }

 private:
  [[nodiscard]] base::ProducerNumber add(const ProducerId& id, std::string_view identity);
  template <class IsGone>
  void forget_if(IsGone is_gone) {
    std::vector<bool> kept(producers_.size(), false);
    for (base::RunNumber run = index_.first_number(); run < index_.end_number();
         run = base::RunNumber(run.value() + 1)) {
      kept[index_.find(run)->producer.value()] = true;
    }
    for (std::size_t i = 0; i < producers_.size(); ++i) {
      if (kept[i] || !is_gone(producers_[i])) continue;
      numbers_.erase(producers_[i].id);
      free_numbers_.push_back(base::ProducerNumber(static_cast<std::uint32_t>(i)));
    }
  }
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
  std::vector<base::ProducerNumber> free_numbers_;  // of producers that were forgotten
  std::vector<ChannelReader*> readers_;
  std::vector<ChannelReader*> waiters_;
  base::Ring<Owed> owed_;
};

}  // namespace orzatty::hub
