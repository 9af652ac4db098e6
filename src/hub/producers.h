// Who published into one channel, and how far: what makes a repeated message known. A producer
// stays when its session is gone, as long as the channel holds messages of it, and for a good while
// longer. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arrivals.h"
#include "base/charge.h"
#include "base/charged_ring.h"
#include "base/run_index.h"
#include "hub/refusals.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "wire/publish.h"

namespace orzatty::hub {

// One epoch of a producer: its sequences are counted on their own. spec: PUBLISH-2
struct Producer {
  explicit Producer(base::SegmentPool& pool) : runs(pool), charge(pool) {}

  ProducerId id;
  ProducerEpoch epoch;
  std::string identity;
  base::Arrivals<Sequence> known;    // what was accepted, rejected or skipped
  Sequence since;                    // of what was below it nothing was ever known here
  Refusals refusals;                 // what was rejected of it, as far as the producer may not know
  std::uint64_t serial = 0;          // never used twice, as its number is
  std::uint32_t publications = 0;    // that are open
  base::ChargedRing<base::RunNumber> runs;  // of the channel's index that are its own, by sequences
  std::uint32_t values = 0;                 // that the channel keeps beside its log
  std::uint64_t idle_stamp = 0;
  DeliveryMode mode = DeliveryMode::kReliable;  // as it was known first
  bool lossy = false;   // some of what is known never came: it sends datagrams
  bool fenced = false;  // a newer epoch of the same producer is at work
  base::Charge charge;  // for all of it but the runs, unless it has nothing but open publications

  [[nodiscard]] bool idle() const { return publications == 0 && runs.empty() && values == 0; }
  // What it takes but for the runs: with its names and its places in tables.
  [[nodiscard]] std::size_t cost() const;
};

class Producers {
 public:
  // Of those without open publication and without messages, how many are remembered: a client that
  // comes back is known, and a million short-lived ones cost no more than these.
  static constexpr std::size_t kIdleMax = 4096;

  // What stays of a producer counts towards the capacity of the pool, which outlives this; while
  // it has nothing but open publications, those who opened them are its bound.
  explicit Producers(base::SegmentPool& pool) : pool_(pool), idle_(pool) {}

  // A publication of `identity` begins. Two identities that use the same id are two producers, or
  // one could shut out the other. spec: PUBLISH-3
  [[nodiscard]] std::expected<base::ProducerNumber, ProtocolError> join(
      const wire::Publish& publish, std::string_view identity);
  void leave(base::ProducerNumber number);
  // The newest epoch of a producer that publishes as `identity`, if it is known.
  [[nodiscard]] Producer* find(const ProducerId& id, std::string_view identity);
  [[nodiscard]] Producer& operator[](base::ProducerNumber number) {
    return *producers_[number.value()];
  }
  [[nodiscard]] const Producer& operator[](base::ProducerNumber number) const {
    return *producers_[number.value()];
  }
  // That very epoch, if it is the newest one known. A newer one than asked for is another producer.
  [[nodiscard]] const base::ProducerNumber* find(const ProducerId& id, std::string_view identity,
                                                 ProducerEpoch epoch) const;
  // Room for one run more of the producer, or the first value; false when there is none.
  [[nodiscard]] bool make_room(base::ProducerNumber number);
  // The channel's index got a run of the producer's, or lost one: the `place`th by sequences.
  void run_added(base::ProducerNumber number, std::size_t place, base::RunNumber run);
  void run_removed(base::ProducerNumber number, std::size_t place);
  // The channel keeps one value more of it, or less.
  void value_added(base::ProducerNumber number) { ++(*this)[number].values; }
  void value_removed(base::ProducerNumber number);

  [[nodiscard]] std::size_t size() const { return producers_.size() - free_.size(); }

 private:
  using Name = std::pair<ProducerId, std::string>;  // id and identity
  struct Idle {
    base::ProducerNumber number;
    std::uint64_t serial = 0;
    std::uint64_t stamp = 0;
  };

  base::ProducerNumber add(const wire::Publish& publish, std::string_view identity);
  void note_if_idle(base::ProducerNumber number);
  void forget_longest_idle();
  void forget(base::ProducerNumber number);

  base::SegmentPool& pool_;
  std::vector<std::unique_ptr<Producer>> producers_;  // by number
  std::vector<base::ProducerNumber> free_;
  std::map<Name, base::ProducerNumber> newest_;  // the newest epoch of each
  base::ChargedRing<Idle> idle_;  // since longest first; those that are not idle any more among them
  std::uint64_t serials_ = 0;
  std::uint64_t stamps_ = 0;
};

}  // namespace orzatty::hub
