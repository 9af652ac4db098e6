// The newest value of each key of a channel in mode latest, by offset: what the channel's log may let
// go of and its subscribers may not miss. A value has segments of its own, from the hub's pool, so a
// key costs 512 bytes of it at least, and what it takes to find it; a newer one takes its place. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/charge.h"
#include "base/log.h"
#include "base/run_index.h"
#include "base/segment.h"
#include "hub/producers.h"
#include "orzatty/bytes.h"
#include "orzatty/ids.h"
#include "orzatty/time.h"
#include "wire/message.h"

namespace orzatty::hub {

struct LatestValue {
  base::ProducerNumber producer;
  base::LogCursor begin;  // of its frame
  std::uint64_t size = 0;
  std::optional<Instant> expiry;
  const std::string* key = nullptr;
};

class LatestValues {
 public:
  using ByOffset = std::map<Offset, LatestValue>;
  // How often it is looked for values that expired, to forget them and their keys.
  static constexpr Duration kLookEvery = std::chrono::seconds(1);

  struct Bounds {
    std::uint32_t key_count_max = 0;
    std::uint64_t size_max = 0;  // of the segments of all values
  };

  // Both outlive it.
  LatestValues(const Bounds& bounds, base::SegmentPool& pool, Producers& producers)
      : bounds_(bounds), pool_(pool), producers_(producers), charge_(pool) {}
  ~LatestValues();
  LatestValues(const LatestValues&) = delete;
  LatestValues& operator=(const LatestValues&) = delete;

  // False for one key more than there may be, and for a value that takes more room than there is. A key
  // that is admitted has its place from then on, until put() or revoke() says what becomes of its value.
  // spec: LATEST-3
  [[nodiscard]] bool admit(const wire::MessageView& message);
  // Copies whole frames that were admitted; false when there is no memory: then revoke() them.
  [[nodiscard]] bool stage(BytesView frames, Instant now);
  // What is staged is stored: from `first` on, a value of each offset.
  void put(Offset first, base::ProducerNumber producer);
  // What was admitted, and staged or not, is not stored.
  void revoke();

  // By offset. Valid until put() or forget_expired().
  [[nodiscard]] const ByOffset& values() const { return values_; }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  // Where the newest `count` of them begin.
  [[nodiscard]] std::optional<Offset> newest(std::uint64_t count) const;

  // Once a second: what expired does not come back.
  void forget_expired(Instant now);
  [[nodiscard]] std::optional<Instant> next_look() const;

 private:
  using Keys = std::map<std::string, std::optional<Offset>, std::less<>>;
  using Ends = std::set<std::pair<Instant, Offset>>;

  struct Staged {
    Keys::iterator key;
    LatestValue value;
  };
  [[nodiscard]] base::Segment* copy(BytesView frame);
  [[nodiscard]] static std::size_t key_cost(std::size_t size);
  void forget(Keys::iterator key);
  // Where the value of a key is the newest from now on, instead of what it had.
  void set_newest(Keys::iterator key, Offset offset, const LatestValue& value);
  void release(const LatestValue& value);

  const Bounds bounds_;
  base::SegmentPool& pool_;
  Producers& producers_;
  Keys keys_;  // a tree, as it is others who choose them
  ByOffset values_;
  Ends ends_;  // of the values that have one
  std::vector<Staged> staged_;            // reused, as is
  std::vector<Keys::iterator> admitted_;  // those that have no value yet
  std::uint64_t size_ = 0;
  base::Charge charge_;  // for the keys
};

}  // namespace orzatty::hub
