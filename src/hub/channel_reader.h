// A cursor of one subscription in one channel. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hub/channel.h"
#include "orzatty/message.h"

namespace orzatty::hub {

class Delivery;

class ChannelReader {
 public:
  // Begins at `next`; if that is no longer kept, the first step is a gap.
  ChannelReader(Channel& channel, Delivery& delivery, ChannelAlias alias, Offset next);
  ~ChannelReader();
  ChannelReader(const ChannelReader&) = delete;
  ChannelReader& operator=(const ChannelReader&) = delete;

  [[nodiscard]] Channel& channel() { return channel_; }
  [[nodiscard]] Delivery& delivery() { return delivery_; }
  [[nodiscard]] ChannelAlias alias() const { return alias_; }
  [[nodiscard]] Offset next() const { return next_; }
  [[nodiscard]] std::uint64_t position() const { return place_.position; }

  // What has to be told as missing before anything else: the log let go of it, or the channel's
  // policy jumps over it.
  [[nodiscard]] std::optional<Gap> take_gap();
  // The rest of the run at the cursor, and moves behind it; `begin` is where its bytes lie.
  struct Stretch {
    base::ProducerNumber producer;
    Offset first;
    std::uint64_t count = 0;
    std::uint64_t size = 0;
    base::LogCursor begin;
  };
  [[nodiscard]] std::optional<Stretch> take();

  // The number means another producer from now on.
  void forget(base::ProducerNumber producer) {
    if (producer.value() < producers.size()) producers[producer.value()].reset();
  }

  // Used by its delivery.
  bool introduced = false;
  bool in_line = false;
  bool told_slow = false;
  Offset start;                                            // what ALIAS states
  Offset consumed;                                         // what the subscriber said
  std::vector<std::optional<ProducerAlias>> producers;     // by number, as introduced on the stream

 private:
  void jump(Offset to);

  Channel& channel_;
  Delivery& delivery_;
  ChannelAlias alias_;
  Offset next_;
  base::RunNumber run_;
  base::LogCursor place_;  // of `next_`, when it is kept
  bool placed_ = false;
};

}  // namespace orzatty::hub
