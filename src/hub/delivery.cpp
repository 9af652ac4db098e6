#include "hub/delivery.h"

#include "hub/peer.h"
#include "wire/alias.h"
#include "wire/gap_mark.h"
#include "wire/producer.h"
#include "wire/run.h"

namespace orzatty::hub {

void Delivery::add(Channel& channel, Offset next) {
  readers_.push_back(
      std::make_unique<ChannelReader>(channel, *this, ChannelAlias(readers_.size()), next));
  line_up(*readers_.back());
}

void Delivery::line_up(ChannelReader& reader) {
  if (reader.in_line) return;
  reader.in_line = true;
  line_.push_back(&reader);
}

ChannelReader* Delivery::find(ChannelAlias alias) {
  return alias.value() < readers_.size() ? readers_[alias.value()].get() : nullptr;
}

template <class Mark>
bool Delivery::put(const Mark& mark, session::SendQueue& queue, session::SessionCore& core) {
  mark_.clear();
  wire::encode(mark, mark_);
  return core.scratch().write(mark_, queue);
}

ChannelReader* Delivery::refill(session::SendQueue& queue, Peer& peer) {
  session::SessionCore& core = peer.session.core();
  while (!line_.empty() && queue.unsent() < kFill) {
    ChannelReader& reader = *line_.front();
    // spec: SUBSCRIBE-2
    if (!reader.introduced) {
      const wire::Alias alias{reader.alias(), reader.channel().epoch(), reader.start,
                              reader.channel().name()};
      if (!put(alias, queue, core)) return nullptr;
      reader.introduced = true;
    }
    const auto gap = reader.take_gap();
    if (gap && !put_gap(reader, *gap, queue, peer)) return &reader;
    line_.pop_front();
    peer.note_read(reader.channel());
    if (put_stretch(reader, queue, core, peer.counters)) {
      line_.push_back(&reader);
    } else {
      reader.in_line = reader.told_slow = false;
      reader.channel().add_waiter(reader);
    }
  }
  return nullptr;
}

// False when the channel's policy is to give the subscriber up.
bool Delivery::put_gap(ChannelReader& reader, const Gap& gap, session::SendQueue& queue,
                       Peer& peer) {
  const SlowPolicy policy = reader.channel().config().slow_policy;
  if (gap.reason == GapReason::kSlow && policy == SlowPolicy::kDisconnect) return false;
  if (gap.reason != GapReason::kRetention && !std::exchange(reader.told_slow, true)) {
    peer.slow.emplace_back(reader.channel().name().text(), policy);
  }
  peer.counters.missed += gap.to - gap.from;
  if (!put(wire::GapMark{reader.alias(), gap.from, gap.to, gap.reason}, queue,
           peer.session.core())) {
    peer.session.core().close(ErrorCode::kLimitExceeded, "LIMIT_EXCEEDED: marks are not read");
  }
  return true;
}

// spec: SUBSCRIBE-7
bool Delivery::introduce(ChannelReader& reader, base::ProducerNumber producer,
                         session::SendQueue& queue, session::SessionCore& core) {
  auto& known = reader.producers;
  if (known.size() <= producer.value()) known.resize(producer.value() + 1);
  if (known[producer.value()]) return true;
  const ProducerAlias alias(producer_count_);
  const Producer& entry = reader.channel().producer(producer);
  if (!put(wire::Producer{alias, entry.id, entry.identity}, queue, core)) return false;
  ++producer_count_;
  known[producer.value()] = alias;
  return true;
}

// False when there is nothing more in the channel.
bool Delivery::put_stretch(ChannelReader& reader, session::SendQueue& queue,
                           session::SessionCore& core, DeliveryCounters& counters) {
  const auto stretch = reader.take();
  if (!stretch) return false;
  if (!introduce(reader, stretch->producer, queue, core) ||
      !put(wire::Run{.channel = reader.alias(),
                     .producer = *reader.producers[stretch->producer.value()],
                     .first = stretch->first.value(),
                     .size = stretch->size,
                     .nonce = core.draw_nonce()},
           queue, core)) {
    // The peer leaves so much unread that there is no room for a mark.
    core.close(ErrorCode::kLimitExceeded, "LIMIT_EXCEEDED: marks are not read");
    return false;
  }
  base::LogCursor cursor = stretch->begin;
  for (std::uint64_t rest = stretch->size; rest > 0;) {
    base::Piece piece = base::Log::take(cursor, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
  counters.messages += stretch->count;
  counters.bytes += stretch->size;
  return true;
}

}  // namespace orzatty::hub
