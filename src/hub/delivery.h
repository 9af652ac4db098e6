// One subscription: its stream, its cursors, and how it puts what they see on the stream. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "hub/channel_reader.h"
#include "orzatty/channel.h"
#include "orzatty/ids.h"
#include "session/session_core.h"
#include "session/transport.h"

namespace orzatty::hub {

class Peer;

// What a subscription was given, for the counters of whoever asks.
struct DeliveryCounters {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t missed = 0;
};

class Delivery {
 public:
  // What is put on the stream at one go: enough for a GSO send.
  static constexpr std::uint64_t kFill = 64 * 1024;

  Delivery(base::SlabKey peer, SubscriptionId id, ChannelPattern pattern, session::StreamKey stream)
      : peer_(peer), id_(id), pattern_(std::move(pattern)), stream_(stream) {}

  [[nodiscard]] base::SlabKey peer() const { return peer_; }
  [[nodiscard]] SubscriptionId id() const { return id_; }
  [[nodiscard]] const ChannelPattern& pattern() const { return pattern_; }
  [[nodiscard]] session::StreamKey stream() const { return stream_; }
  [[nodiscard]] std::size_t channel_count() const { return readers_.size(); }

  void add(Channel& channel, Offset next);
  // A channel has news for its reader.
  void line_up(ChannelReader& reader);
  // Puts what there is on the stream, and notes at its peer what that meant. A reader that the
  // channel's policy gives up is returned.
  ChannelReader* refill(session::SendQueue& queue, Peer& peer);
  [[nodiscard]] ChannelReader* find(ChannelAlias alias);
  [[nodiscard]] const std::vector<std::unique_ptr<ChannelReader>>& readers() const {
    return readers_;
  }

 private:
  [[nodiscard]] bool put_gap(ChannelReader& reader, const Gap& gap, session::SendQueue& queue,
                             Peer& peer);
  [[nodiscard]] bool introduce(ChannelReader& reader, base::ProducerNumber producer,
                               session::SendQueue& queue, session::SessionCore& core);
  [[nodiscard]] bool put_stretch(ChannelReader& reader, session::SendQueue& queue,
                                 session::SessionCore& core, DeliveryCounters& counters);
  template <class Mark>
  [[nodiscard]] bool put(const Mark& mark, session::SendQueue& queue, session::SessionCore& core);

  base::SlabKey peer_;
  SubscriptionId id_;
  ChannelPattern pattern_;
  session::StreamKey stream_;
  std::vector<std::unique_ptr<ChannelReader>> readers_;  // by alias
  base::Ring<ChannelReader*> line_;                      // those with news, in turns
  std::uint64_t producer_count_ = 0;
  Bytes mark_;  // reused
};

}  // namespace orzatty::hub
