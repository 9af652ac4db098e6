#include "wire/channel_stream.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "wire/message.h"
#include "wire/varint.h"

namespace orzatty::wire {

namespace {

constexpr FrameSet kInRun{.bits = FrameSet::kMessages};

constexpr std::uint64_t bits_of(auto... types) {
  return FrameSet::kExtensions | (FrameSet::bit(types) | ...);
}

std::unexpected<ProtocolError> refuse(ErrorCode code, std::string_view where) {
  return std::unexpected(ProtocolError{code, where});
}

}  // namespace

ChannelStreamReader::ChannelStreamReader(StreamOpener opener, std::uint32_t message_size_max)
    : cutter_({.message_size_max = message_size_max}),
      message_size_max_(message_size_max),
      opener_(opener) {}

void ChannelStreamReader::feed(BytesView input) {
  if (fault_) return;
  ORZATTY_ASSERT(input_.empty());
  input_ = input;
}

// There are several for each packet, so an item is made where it is returned.
std::expected<ChannelStreamItem, ProtocolError> ChannelStreamReader::next() {
  Taken taken = take_next();
  while (taken && std::holds_alternative<NeedMore>(*taken) && !input_.empty()) taken = take_next();
  if (!taken) fault_ = taken.error();
  return taken;
}

// spec: STREAM-10
bool ChannelStreamReader::at_boundary() const {
  return !fault_ && kind_ != Kind::kUnknown && run_left_ == 0 && input_.empty() &&
         cutter_.between_frames();
}

ChannelStreamReader::Taken ChannelStreamReader::take_next() {
  if (fault_) return std::unexpected(*fault_);
  return run_left_ > 0 ? take_messages() : take_frame();
}

ChannelStreamReader::Taken ChannelStreamReader::take_messages() {
  const BytesView available =
      input_.first(static_cast<std::size_t>(std::min<std::uint64_t>(input_.size(), run_left_)));
  if (cutter_.between_frames()) {
    const MessageScan scan = scan_messages(available, message_size_max_);
    if (scan.count > 0) {
      // What is wrong behind them is found again by the next call.
      input_ = input_.subspan(scan.size);
      return yield_messages(available.first(scan.size), scan);
    }
    if (scan.fault) return std::unexpected(*scan.fault);
  }
  return take_spanning_message(available);
}

// spec: STREAM-2, STREAM-3
ChannelStreamReader::Taken ChannelStreamReader::take_spanning_message(BytesView available) {
  const std::uint64_t run_left = run_left_ - cutter_.held();
  BytesView rest = available.first(
      static_cast<std::size_t>(std::min<std::uint64_t>(available.size(), run_left)));
  const std::size_t offered = rest.size();
  auto frame = cutter_.cut(rest, kInRun);
  if (!frame) return std::unexpected(frame.error());
  input_ = input_.subspan(offered - rest.size());
  if (*frame) {
    if (auto fault = check_message_body((*frame)->head, (*frame)->body)) {
      return std::unexpected(*fault);
    }
    const MessageScan alone{.size = (*frame)->whole.size(),
                            .count = 1,
                            .has_attributes = ((*frame)->head & kAttributesBit) != 0,
                            .fault = {}};
    return yield_messages((*frame)->whole, alone);
  }
  if (cutter_.held_frame_size() > run_left_ || cutter_.held() == run_left_) {
    return refuse(ErrorCode::kFrameTruncated, "end of a RUN");
  }
  return NeedMore{};
}

// spec: STREAM-5
ChannelStreamReader::Taken ChannelStreamReader::yield_messages(BytesView bytes,
                                                               const MessageScan& scan) {
  if (scan.count > kVarintMax - *position_) return refuse(ErrorCode::kSequenceInvalid, "RUN");
  const Messages messages{.channel = run_.channel,
                          .producer = run_.producer,
                          .first = *position_,
                          .count = scan.count,
                          .nonce = run_.nonce,
                          .has_attributes = scan.has_attributes,
                          .bytes = bytes};
  *position_ += scan.count;
  run_left_ -= bytes.size();
  return messages;
}

ChannelStreamReader::Taken ChannelStreamReader::take_frame() {
  const auto frame = cutter_.cut(input_, allowed());
  if (!frame) return std::unexpected(frame.error());
  if (!*frame) return NeedMore{};
  return open_frame(**frame);
}

// spec: STREAM-1, STREAM-2, STREAM-7, CONTROL-3
FrameSet ChannelStreamReader::allowed() const {
  using enum FrameType;
  switch (kind_) {
    case Kind::kUnknown:
      return {
          .bits = opener_ == StreamOpener::kClient ? bits_of(kPublish) : bits_of(kDeliver, kDirect),
          .otherwise = ErrorCode::kStreamUnexpected};
    case Kind::kPublish:
      return {.bits = bits_of(kSkip, kRun)};
    case Kind::kDeliver:
      return {.bits = bits_of(kAlias, kProducer, kGap, kRun)};
    case Kind::kDirect:
      return {.bits = bits_of(kRun)};
  }
  ORZATTY_UNREACHABLE();
}

ChannelStreamReader::Taken ChannelStreamReader::open_frame(const Frame& frame) {
  switch (frame.type()) {
    case FrameType::kPublish:
      return begin_publish(frame.body);
    case FrameType::kDeliver:
      return begin_deliver(frame.body);
    case FrameType::kDirect:
      return begin_direct(frame.body);
    case FrameType::kAlias:
      return introduce_channel(frame.body);
    case FrameType::kProducer:
      return introduce_producer(frame.body);
    case FrameType::kRun:
      return begin_run(frame.body);
    case FrameType::kGap:
      return take_gap(frame.body);
    case FrameType::kSkip:
      return take_skip(frame.body);
    default:
      ORZATTY_UNREACHABLE();  // allowed() has let nothing else pass
  }
}

// The only channel and producer of a PUBLISH or DIRECT stream are its own, by the name of 0.
ChannelStreamReader::Taken ChannelStreamReader::begin_publish(BytesView body) {
  auto publish = decode_publish(body);
  if (!publish) return std::unexpected(publish.error());
  kind_ = Kind::kPublish;
  position_open_ = publish->passing;
  channels_.introduce(0, publish->next.value());
  producers_.introduce(0, 0);
  return *std::move(publish);
}

ChannelStreamReader::Taken ChannelStreamReader::begin_deliver(BytesView body) {
  const auto deliver = decode_deliver(body);
  if (!deliver) return std::unexpected(deliver.error());
  kind_ = Kind::kDeliver;
  return *deliver;
}

ChannelStreamReader::Taken ChannelStreamReader::begin_direct(BytesView body) {
  auto direct = decode_direct(body);
  if (!direct) return std::unexpected(direct.error());
  kind_ = Kind::kDirect;
  position_open_ = true;
  channels_.introduce(0, 0);
  producers_.introduce(0, 0);
  return *std::move(direct);
}

// spec: STREAM-7
ChannelStreamReader::Taken ChannelStreamReader::introduce_channel(BytesView body) {
  auto alias = decode_alias(body);
  if (!alias) return std::unexpected(alias.error());
  const bool as_datagrams = alias->mode == DeliveryMode::kDatagram;
  AliasTable& table = as_datagrams ? datagram_channels_ : channels_;
  AliasTable& other = as_datagrams ? channels_ : datagram_channels_;
  if (table.full()) return refuse(ErrorCode::kLimitExceeded, "ALIAS");
  if (other.find(alias->alias.value()) != nullptr ||
      !table.introduce(alias->alias.value(), alias->next.value())) {
    return refuse(ErrorCode::kFrameUnexpected, "ALIAS");
  }
  return *std::move(alias);
}

// spec: STREAM-7
ChannelStreamReader::Taken ChannelStreamReader::introduce_producer(BytesView body) {
  auto producer = decode_producer(body);
  if (!producer) return std::unexpected(producer.error());
  if (producers_.full()) return refuse(ErrorCode::kLimitExceeded, "PRODUCER");
  if (!producers_.introduce(producer->alias.value(), 0)) {
    return refuse(ErrorCode::kFrameUnexpected, "PRODUCER");
  }
  return *std::move(producer);
}

// spec: STREAM-4, STREAM-5, STREAM-6
ChannelStreamReader::Taken ChannelStreamReader::begin_run(BytesView body) {
  const auto run = decode_run(body);
  if (!run) return std::unexpected(run.error());
  // spec: DATAGRAM-6
  if (datagram_channels_.find(run->channel.value()) != nullptr) {
    return refuse(ErrorCode::kFrameUnexpected, "RUN of a channel of datagrams");
  }
  std::uint64_t* const position = channels_.find(run->channel.value());
  if (position == nullptr || producers_.find(run->producer.value()) == nullptr) {
    return refuse(ErrorCode::kAliasUnknown, "RUN");
  }
  if (std::exchange(position_open_, false)) *position = std::max(*position, run->first);
  if (run->first != *position) return refuse(ErrorCode::kSequenceInvalid, "RUN");
  run_ = *run;
  run_left_ = run->size;
  position_ = position;
  return NeedMore{};
}

// spec: STREAM-5, STREAM-6
ChannelStreamReader::Taken ChannelStreamReader::take_gap(BytesView body) {
  const auto gap = decode_gap_mark(body);
  if (!gap) return std::unexpected(gap.error());
  // Where datagrams go on, a stream cannot know. spec: DATAGRAM-6
  if (datagram_channels_.find(gap->alias.value()) != nullptr) return *gap;
  std::uint64_t* const position = channels_.find(gap->alias.value());
  if (position == nullptr) return refuse(ErrorCode::kAliasUnknown, "GAP");
  if (gap->from.value() != *position) return refuse(ErrorCode::kSequenceInvalid, "GAP");
  *position = gap->to.value();
  return *gap;
}

// spec: STREAM-5
ChannelStreamReader::Taken ChannelStreamReader::take_skip(BytesView body) {
  const auto skip = decode_skip(body);
  if (!skip) return std::unexpected(skip.error());
  std::uint64_t* const position = channels_.find(0);
  if (std::exchange(position_open_, false)) *position = std::max(*position, skip->from.value());
  if (skip->from.value() != *position) return refuse(ErrorCode::kSequenceInvalid, "SKIP");
  *position = skip->to.value();
  return *skip;
}

}  // namespace orzatty::wire
