#include "hub/delivery.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"
#include "wire/alias.h"
#include "wire/deliver.h"
#include "wire/frame_cursor.h"
#include "wire/gap_mark.h"
#include "wire/producer.h"
#include "wire/run.h"

namespace orzatty::hub {

namespace {

void count(const ChannelReader::Step& step, ChannelTraffic& traffic) {
  traffic.delivered += step.count;
  traffic.delivered_bytes += step.size;
  if (!step.gap) return;
  traffic.missed[static_cast<std::size_t>(step.gap->reason)] += step.gap->to - step.gap->from;
}

}  // namespace

void Delivery::add(Channel& channel, Offset next) {
  readers_.push_back(
      std::make_unique<ChannelReader>(channel, *this, ChannelAlias(readers_.size()), next));
  priority_ = std::max(priority_, channel.config().priority);
  line_up(*readers_.back());
}

void Delivery::line_up(ChannelReader& reader) {
  if (reader.in_line) return;
  reader.in_line = true;
  switch (reader.channel().config().mode) {
    case DeliveryMode::kReliable:
    case DeliveryMode::kLatest:
      return line_.push_back(&reader);
    case DeliveryMode::kUnordered:
      return scattered_.push_back(&reader);
    case DeliveryMode::kDatagram:
      return datagram_line_.push_back(&reader);
  }
}

ChannelReader* Delivery::find(ChannelAlias alias) {
  return alias.value() < readers_.size() ? readers_[alias.value()].get() : nullptr;
}

// Readers take turns, a run each, so that no channel of a wildcard holds up another.
Delivery::Refilled Delivery::refill(session::SendQueue& queue, session::SessionCore& core,
                                    session::Scratch& marks, DeliveryCounters& counters,
                                    std::vector<Channel*>& read, Instant now) {
  if (!introduce(queue, marks) || !tell_lost(queue, marks)) return Refilled::kNoRoom;
  while (!line_.empty() && queue.unsent() < kFill) {
    ChannelReader& reader = *line_.front();
    // What may still expire does not wait in a queue, where it could not. spec: DEADLINE-2
    if (queue.unsent() > 0 && !reader.channel().deadlines().empty()) break;
    if (queue.unsent() >= kFillOfValues && reader.channel().values() != nullptr) break;
    const ChannelReader::Step step = reader.step(now);
    std::optional<ProducerAlias> known;
    if (step.size > 0) known = reader.find_alias(step.producer);
    const bool introduces = step.size > 0 && !known;
    if (introduces && producer_count_ == kProducerCountMax) return Refilled::kExhausted;
    encode_marks(reader, step, known, core);
    if (!marks_.empty() && !marks.write(marks_, queue)) return Refilled::kNoRoom;

    if (introduces) reader.set_alias(step.producer, ProducerAlias(producer_count_++));
    push(step, queue);
    pass(line_, step, counters, read);
  }
  return refill_passing(core, marks, counters, read, now);
}

void Delivery::push(const ChannelReader::Step& step, session::SendQueue& queue) {
  base::LogCursor cursor = step.begin;
  for (std::uint64_t rest = step.size; rest > 0;) {
    base::Piece piece = base::Log::take(cursor, rest);
    rest -= piece.bytes.size();
    queue.push(std::move(piece));
  }
}

void Delivery::pass(base::Ring<ChannelReader*>& line, const ChannelReader::Step& step,
                    DeliveryCounters& counters, std::vector<Channel*>& read) {
  ChannelReader& reader = *line.pop_front();
  counters.messages += step.count;
  counters.bytes += step.size;
  if (step.gap) counters.missed += step.gap->to - step.gap->from;
  count(step, reader.channel().traffic());
  if (read.empty() || read.back() != &reader.channel()) read.push_back(&reader.channel());
  reader.in_line = false;
  if (reader.advance(step)) line_up(reader);
}

Delivery::Refilled Delivery::refill_passing(session::SessionCore& core, session::Scratch& marks,
                                            DeliveryCounters& counters, std::vector<Channel*>& read,
                                            Instant now) {
  while (!scattered_.empty()) {
    const std::uint64_t waiting = core.sends().passing_unsent(stream_);
    if (waiting >= session::SendTable::kRefillBelow) break;
    ChannelReader& reader = *scattered_.front();
    if (waiting > 0 && !reader.channel().deadlines().empty()) break;  // spec: DEADLINE-2
    ChannelReader::Step step = reader.step(now);
    ChannelReader::shorten(step, kPassingBytes);
    if (!send_passing(reader, step, core, marks)) return Refilled::kNoRoom;
    pass(scattered_, step, counters, read);
  }
  return Refilled::kDone;
}

// All that it takes to understand it stands on the stream, so that it waits for no other. spec:
// STREAM-11
bool Delivery::send_passing(const ChannelReader& reader, const ChannelReader::Step& step,
                            session::SessionCore& core, session::Scratch& marks) {
  const Channel& channel = reader.channel();
  marks_.clear();
  wire::encode(wire::Deliver{.subscription = id_, .passing = true}, marks_);
  wire::encode(wire::Alias{.alias = reader.alias(),
                           .epoch = channel.epoch(),
                           .next = step.gap ? step.gap->from : step.first,
                           .channel = channel.name(),
                           .mode = channel.config().mode},
               marks_);
  const bool untold = base::planted(base::PlantedBug::kScatteredGapIsLost);
  if (step.gap && !untold) encode_gap(reader, *step.gap);
  if (step.size > 0) {
    const Producer& producer = channel.producers()[step.producer];
    wire::encode(wire::Producer{ProducerAlias(0), producer.id, producer.identity}, marks_);
    wire::encode(wire::Run{.channel = reader.alias(),
                           .producer = ProducerAlias(0),
                           .first = step.first.value(),
                           .size = step.size,
                           .nonce = core.draw_nonce()},
                 marks_);
  }
  session::SendTable& sends = core.sends();
  const session::StreamKey stream = sends.add_passing(stream_);
  if (!marks.write(marks_, sends.queue(stream))) {
    sends.release(stream);
    return false;
  }
  push(step, sends.queue(stream));
  sends.finish(stream);
  return true;
}

// All channels come before the messages of any: a subscriber that knows each of its beginnings can
// come back to them, whatever becomes of this connection. spec: SUBSCRIBE-2
bool Delivery::introduce(session::SendQueue& queue, session::Scratch& marks) {
  for (; introduced_ < readers_.size() && queue.unsent() < kFill; ++introduced_) {
    const ChannelReader& reader = *readers_[introduced_];
    const Channel& channel = reader.channel();
    marks_.clear();
    wire::encode(wire::Alias{.alias = reader.alias(),
                             .epoch = channel.epoch(),
                             .next = reader.start,
                             .channel = channel.name(),
                             .mode = channel.config().mode},
                 marks_);
    if (!marks.write(marks_, queue)) return false;
  }
  return true;
}

// What stands on the stream before the messages of a step. spec: SUBSCRIBE-7
void Delivery::encode_marks(ChannelReader& reader, const ChannelReader::Step& step,
                            std::optional<ProducerAlias> known, session::SessionCore& core) {
  marks_.clear();
  if (step.gap) encode_gap(reader, *step.gap);
  if (step.size == 0) return;
  const ProducerAlias alias = known.value_or(ProducerAlias(producer_count_));
  if (!known) encode_producer(reader, step.producer);
  wire::encode(wire::Run{.channel = reader.alias(),
                         .producer = alias,
                         .first = step.first.value(),
                         .size = step.size,
                         .nonce = core.draw_nonce()},
               marks_);
}

void Delivery::encode_gap(const ChannelReader& reader, const Gap& gap) {
  wire::encode(wire::GapMark{reader.alias(), gap.from, gap.to, gap.reason}, marks_);
}

// Under the next alias. spec: SUBSCRIBE-7
void Delivery::encode_producer(const ChannelReader& reader, base::ProducerNumber number) {
  const Producer& producer = reader.channel().producers()[number];
  wire::encode(wire::Producer{ProducerAlias(producer_count_), producer.id, producer.identity},
               marks_);
}

// spec: DATAGRAM-6
Delivery::Offered Delivery::offer(Datagram& datagram, session::SendQueue& queue,
                                  session::Scratch& marks, DeliveryCounters& counters,
                                  Instant now) {
  if (introduced_ < readers_.size()) return Offered::kNothing;
  while (!datagram_line_.empty()) {
    ChannelReader& reader = *datagram_line_.front();
    ChannelReader::Step step = reader.step(now);
    const auto known = step.size > 0 ? reader.find_alias(step.producer) : std::nullopt;
    const bool introduces = step.size > 0 && !known;
    if (introduces && producer_count_ == kProducerCountMax) return Offered::kExhausted;
    marks_.clear();
    if (step.gap) encode_gap(reader, *step.gap);
    if (introduces) encode_producer(reader, step.producer);
    if (!marks_.empty() && !marks.write(marks_, queue)) return Offered::kNoRoom;
    if (introduces) reader.set_alias(step.producer, ProducerAlias(producer_count_++));
    if (step.gap) counters.missed += step.gap->to - step.gap->from;
    if (step.gap || step.size == 0) {
      step.count = step.size = 0;
      count(step, reader.channel().traffic());
      if (!reader.advance(step)) {
        reader.in_line = false;
        static_cast<void>(datagram_line_.pop_front());
      }
    }
    if (!marks_.empty()) return Offered::kNothing;  // these leave first
    if (step.size == 0) continue;
    ChannelReader::shorten(step, wire::kDatagramFramesSizeMax);
    ORZATTY_ASSERT(step.size <= wire::kDatagramFramesSizeMax);  // nothing larger is in the channel
    datagram.reader = &reader;
    datagram.step = step;
    datagram.header_size = wire::encode_header(wire::DeliverDatagram{.subscription = id_,
                                                                     .channel = reader.alias(),
                                                                     .producer = *known,
                                                                     .first = step.first,
                                                                     .count = step.count,
                                                                     .frames = {}},
                                               datagram.header);
    return Offered::kDatagram;
  }
  return Offered::kNothing;
}

SentDatagram Delivery::taken(const Datagram& datagram, DeliveryCounters& counters,
                             std::vector<Channel*>& read) {
  const ChannelReader& reader = *datagram.reader;
  pass(datagram_line_, datagram.step, counters, read);
  return {.subscription = id_,
          .channel = reader.alias(),
          .from = datagram.step.first,
          .to = datagram.step.first + datagram.step.count};
}

void Delivery::acked(const SentDatagram& sent) {
  ChannelReader* const reader = find(sent.channel);
  if (reader != nullptr) reader->acked = std::max(reader->acked, sent.to);
}

void Delivery::lost(const SentDatagram& sent) {
  if (base::planted(base::PlantedBug::kLastLostIsSilent)) return;
  const ChannelReader* const reader = find(sent.channel);
  if (reader != nullptr && sent.to > reader->acked) lost_.push_back(sent);
}

// Of what was lost at the end nothing would tell until the next message. spec: DATAGRAM-6
bool Delivery::tell_lost(session::SendQueue& queue, session::Scratch& marks) {
  for (; !lost_.empty() && queue.unsent() < kFill; static_cast<void>(lost_.pop_front())) {
    const SentDatagram& sent = lost_.front();
    const ChannelReader& reader = *find(sent.channel);
    if (sent.to <= reader.acked) continue;
    marks_.clear();
    encode_gap(reader, {sent.from, sent.to, GapReason::kLost});
    if (!marks.write(marks_, queue)) return false;
  }
  return true;
}

}  // namespace orzatty::hub
