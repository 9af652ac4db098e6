// Which messages the datagrams that left held, until the transport says what became of them. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/ring.h"
#include "orzatty/ids.h"
#include "session/transport.h"

namespace orzatty::hub {

// Messages [from, to) of one channel of a subscription.
struct SentDatagram {
  SubscriptionId subscription;
  ChannelAlias channel;
  Offset from;
  Offset to;
};

class DatagramsInFlight {
 public:
  // More than any congestion window holds. Beyond it the oldest are forgotten: of some a transport
  // never says anything.
  static constexpr std::size_t kCountMax = 64 * 1024;

  // That the next add() gets.
  [[nodiscard]] session::DatagramTag next_tag() const {
    return session::DatagramTag(first_tag_ + sent_.size());
  }
  void add(const SentDatagram& sent) {
    if (sent_.size() == kCountMax) drop_oldest();
    sent_.push_back(sent);
  }
  // What it held; nothing when that was told before, or is forgotten.
  [[nodiscard]] std::optional<SentDatagram> settle(session::DatagramTag tag) {
    if (tag.value() < first_tag_ || tag.value() - first_tag_ >= sent_.size()) return std::nullopt;
    auto settled = std::exchange(sent_[tag.value() - first_tag_], std::nullopt);
    while (!sent_.empty() && !sent_.front()) drop_oldest();
    return settled;
  }
  [[nodiscard]] bool empty() const { return sent_.empty(); }

 private:
  void drop_oldest() {
    static_cast<void>(sent_.pop_front());
    ++first_tag_;
  }

  base::Ring<std::optional<SentDatagram>> sent_;
  std::uint64_t first_tag_ = 0;
};

}  // namespace orzatty::hub
