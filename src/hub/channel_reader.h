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
  // Begins at `next`, which is not beyond the end; if it is no longer kept, the first step is a
  // gap.
  ChannelReader(Channel& channel, Delivery& delivery, ChannelAlias alias, Offset next);
  ~ChannelReader();
  ChannelReader(const ChannelReader&) = delete;
  ChannelReader& operator=(const ChannelReader&) = delete;

  [[nodiscard]] Channel& channel() const { return channel_; }
  [[nodiscard]] Delivery& delivery() const { return delivery_; }
  [[nodiscard]] ChannelAlias alias() const { return alias_; }
  [[nodiscard]] Offset next() const { return next_; }

  // What its subscription is told next: what is missing before anything else, then the rest of one
  // run. Neither, when it has everything.
  struct Step {
    std::optional<Gap> gap;
    base::RunNumber run;
    base::ProducerNumber producer;
    Offset first;
    std::uint64_t count = 0;
    std::uint64_t size = 0;
    base::LogCursor begin;
  };
  [[nodiscard]] Step step(Instant now) const;
  // Of a step's messages as many as `size_max` bytes hold, but at least one.
  static void shorten(Step& step, std::uint64_t size_max);
  // The step was taken; its bytes are pinned by whoever took it. False when it has everything now.
  bool advance(const Step& step);

  // The alias under which its stream knows a producer of the channel; numbers are used again,
  // serials are not.
  [[nodiscard]] std::optional<ProducerAlias> find_alias(base::ProducerNumber number) const;
  void set_alias(base::ProducerNumber number, ProducerAlias alias);

  // Used by its delivery.
  bool in_line = false;
  Offset acked;  // of its datagrams none above was acknowledged: who got one knows what it missed
  bool told_slow = false;  // once for as long as it is behind
  Offset start;            // what ALIAS states
  Offset consumed;         // what the subscriber said

  Standing standing;  // used by the channel's readers

 private:
  struct Known {
    std::uint64_t serial = 0;  // 0: nobody
    ProducerAlias alias;
  };
  [[nodiscard]] Step next_step() const;
  [[nodiscard]] Step next_value(Instant now) const;
  void leave_out_expired(Step& step, Instant now) const;
  [[nodiscard]] base::RunNumber run_after(const Step& step) const;
  [[nodiscard]] std::optional<Step> jump() const;
  [[nodiscard]] Step rest_of(base::RunNumber number, Offset offset, base::LogCursor place) const;

  Channel& channel_;
  Delivery& delivery_;
  ChannelAlias alias_;
  Offset next_;
  GapReason gap_reason_ = GapReason::kRetention;  // of what is let go of before it comes
  base::LogCursor place_;                         // of `next_`, unless that begins a run
  std::vector<Known> aliases_;                    // by producer number
};

}  // namespace orzatty::hub
