// One subscription: its stream, its cursors, and how it puts what they see on the stream. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ring.h"
#include "hub/channel_reader.h"
#include "hub/datagrams_in_flight.h"
#include "orzatty/channel.h"
#include "orzatty/ids.h"
#include "session/scratch.h"
#include "session/session_core.h"
#include "session/transport.h"
#include "wire/datagram.h"

namespace orzatty::hub {

// What a peer's subscriptions were given since somebody looked.
struct DeliveryCounters {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t missed = 0;
};

class Delivery {
 public:
  // What is put on the stream at one go: enough for a GSO send.
  static constexpr std::uint64_t kFill = 64 * 1024;
  // So much of values that newer ones may take the place of.
  static constexpr std::uint64_t kFillOfValues = 2 * 1024;
  // What the receiver lets one stream introduce. spec: STREAM-7
  static constexpr std::uint64_t kProducerCountMax = 64 * 1024;
  // Of a channel that keeps no order this much shares a stream: with what stands before it, one packet
  // of the narrowest path, whose fate it shares anyway.
  static constexpr std::uint64_t kPassingBytes = 1024;

  Delivery(base::SlabKey peer, SubscriptionId id, ChannelPattern pattern, session::StreamKey stream)
      : peer_(peer), id_(id), pattern_(std::move(pattern)), stream_(stream) {}

  [[nodiscard]] base::SlabKey peer() const { return peer_; }
  [[nodiscard]] SubscriptionId id() const { return id_; }
  [[nodiscard]] const ChannelPattern& pattern() const { return pattern_; }
  [[nodiscard]] session::StreamKey stream() const { return stream_; }
  // The highest of its channels, which share the stream.
  [[nodiscard]] std::uint8_t priority() const { return priority_; }

  void add(Channel& channel, Offset next);
  // A channel has news for its reader.
  void line_up(ChannelReader& reader);

  enum class Refilled : std::uint8_t {
    kDone,       // as much as there is, or as a turn takes
    kNoRoom,     // for marks; until the peer acknowledges some
    kExhausted,  // the stream may introduce no more producers
  };
  // Puts what there is on the stream. `marks` holds what stands between messages. Channels that
  // were read are added to `read`.
  Refilled refill(session::SendQueue& queue, session::SessionCore& core, session::Scratch& marks,
                  DeliveryCounters& counters, std::vector<Channel*>& read, Instant now);

  // Messages of channels in mode datagram, when nothing waits on the stream. A gap or a producer that
  // the subscriber has to know before goes there instead.
  struct Datagram {
    ChannelReader* reader = nullptr;
    ChannelReader::Step step;
    wire::DatagramHeader header;
    std::size_t header_size = 0;
  };
  enum class Offered : std::uint8_t { kDatagram, kNothing, kNoRoom, kExhausted };
  Offered offer(Datagram& datagram, session::SendQueue& queue, session::Scratch& marks,
                DeliveryCounters& counters, Instant now);
  // It is in a packet: what it held.
  SentDatagram taken(const Datagram& datagram, DeliveryCounters& counters,
                     std::vector<Channel*>& read);
  // It arrived, and with it the knowledge of what was before.
  void acked(const SentDatagram& sent);
  // Nobody will tell of these, unless what came later arrived.
  void lost(const SentDatagram& sent);

  [[nodiscard]] bool has_datagrams() const { return !datagram_line_.empty(); }
  // Some reader has not caught up.
  [[nodiscard]] bool has_news() const {
    return !line_.empty() || !scattered_.empty() || !datagram_line_.empty() || !lost_.empty();
  }

  // While its wildcard has not looked at all channels: the last name that it saw. Those behind it
  // are found in their turn.
  std::optional<std::string> seen;

  [[nodiscard]] ChannelReader* find(ChannelAlias alias);
  [[nodiscard]] const std::vector<std::unique_ptr<ChannelReader>>& readers() const {
    return readers_;
  }

 private:
  // The same for channels that keep no order, on streams of their own.
  [[nodiscard]] Refilled refill_passing(session::SessionCore& core, session::Scratch& marks,
                                        DeliveryCounters& counters, std::vector<Channel*>& read,
                                        Instant now);
  // False when there is no room for marks.
  [[nodiscard]] bool send_passing(const ChannelReader& reader, const ChannelReader::Step& step,
                                  session::SessionCore& core, session::Scratch& marks);
  static void push(const ChannelReader::Step& step, session::SendQueue& queue);
  // The step of whoever stands first in the line was taken.
  void pass(base::Ring<ChannelReader*>& line, const ChannelReader::Step& step,
            DeliveryCounters& counters, std::vector<Channel*>& read);
  // False when there is no room for marks.
  [[nodiscard]] bool introduce(session::SendQueue& queue, session::Scratch& marks);
  [[nodiscard]] bool tell_lost(session::SendQueue& queue, session::Scratch& marks);
  void encode_gap(const ChannelReader& reader, const Gap& gap);
  void encode_producer(const ChannelReader& reader, base::ProducerNumber number);
  void encode_marks(ChannelReader& reader, const ChannelReader::Step& step,
                    std::optional<ProducerAlias> known, session::SessionCore& core);

  base::SlabKey peer_;
  SubscriptionId id_;
  ChannelPattern pattern_;
  session::StreamKey stream_;
  std::vector<std::unique_ptr<ChannelReader>> readers_;  // by alias
  std::size_t introduced_ = 0;                           // of them
  base::Ring<ChannelReader*> line_;                      // those with news, in turns
  base::Ring<ChannelReader*> scattered_;                 // likewise, of channels without an order
  base::Ring<ChannelReader*> datagram_line_;             // of channels in that mode
  base::Ring<SentDatagram> lost_;                        // to be told
  std::uint64_t producer_count_ = 0;
  std::uint8_t priority_ = 0;
  Bytes marks_;  // reused
};

}  // namespace orzatty::hub
