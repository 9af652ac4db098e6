#include "client/publications.h"

#include <algorithm>

namespace orzatty::client {

namespace {

// Each publication is a producer of its own, or their sequences would mix in a channel they share.
ProducerId derived_producer(ProducerId base, std::uint64_t index) {
  for (std::size_t i = 0; i < sizeof index; ++i) {
    base.bytes[15 - i] ^= static_cast<std::byte>(index >> (8 * i));
  }
  return base;
}

session::GovernorConfig governor_config(const Limits& limits) {
  return {limits.latency_target, limits.outbox_size_max};
}

}  // namespace

Publications::Publications(const Limits& limits, const ProducerId& producer)
    : limits_(limits), producer_(producer), governor_(governor_config(limits)) {}

PublicationId Publications::add(const ChannelName& channel, std::uint8_t priority,
                                const NamedProducer* named) {
  // The largest message fits, or it could never be sent.
  constexpr std::size_t kHeader = 16;
  const std::size_t size_max =
      std::max<std::size_t>(limits_.outbox_size_max, limits_.message_size_max + kHeader);
  const PublicationId id(items_.size());
  const NamedProducer own{derived_producer(producer_, id.value()), ProducerEpoch(0), Sequence(0)};
  items_.push_back(std::make_unique<Publication>(id, named == nullptr ? own : *named, channel,
                                                 size_max, priority));
  if (session_ != nullptr) open_one(*items_.back());
  return id;
}

void Publications::open(session::ClientSession& session) {
  session_ = &session;
  governor_ = session::Governor(governor_config(limits_));
  for (const auto& publication : items_) open_one(*publication);
}

void Publications::open_one(Publication& publication) {
  publication.open(*session_);
  const std::size_t key = publication.stream()->value();
  if (streams_.size() <= key) streams_.resize(key + 1);
  streams_[key] = &publication;
}

void Publications::lose() {
  session_ = nullptr;
  streams_.clear();
  for (const auto& publication : items_) publication->lose();
}

bool Publications::owns(session::StreamKey stream) const {
  return stream.value() < streams_.size() && streams_[stream.value()] != nullptr;
}

void Publications::refill(session::StreamKey stream, session::SendQueue& queue) {
  if (!owns(stream)) return;
  session::SessionCore& core = session_->core();
  session::Outbox& outbox = streams_[stream.value()]->outbox();
  // What may still expire does not wait in a queue, where it could not. spec: DEADLINE-1
  if (queue.unsent() > 0 && outbox.timed()) return;
  outbox.fill(queue, core.scratch(), core.draw_nonce());
}

void Publications::wake(PublicationId id) {
  const auto stream = at(id).stream();
  if (stream) session_->core().sends().wake(*stream);
}

void Publications::wake_all() {
  for (const auto& publication : items_) {
    if (publication->stream() && publication->outbox().has_unsent()) wake(publication->id());
  }
}

void Publications::acked(std::uint64_t size, Duration smoothed_rtt, Instant now) {
  if (session_ == nullptr) return;
  const std::uint64_t room = governor_.room();
  governor_.acknowledged(size, session_->core().sends().ready(), smoothed_rtt, now);
  if (governor_.room() != room) share_room();
}

void Publications::share_room() {
  std::uint64_t active = 0;
  for (const auto& publication : items_) active += publication->outbox().has_unsent() ? 1U : 0U;
  const std::uint64_t share =
      std::max(governor_.room() / std::max<std::uint64_t>(active, 1), kRoomMin);
  for (const auto& publication : items_) publication->outbox().set_room(share);
}

Publication* Publications::find(PublicationId id) {
  return id.value() < items_.size() ? items_[id.value()].get() : nullptr;
}

std::expected<void, ProtocolError> Publications::accepted(const wire::Ack& ack, Outputs& outputs) {
  for (const wire::AckRun& run : ack.runs) {
    Publication* const known = find(run.publication);
    if (known == nullptr) return std::unexpected(ProtocolError{ErrorCode::kAliasUnknown, "ACK"});
    if (auto settled = known->accepted(run, outputs); !settled) return settled;
  }
  return {};
}

std::expected<void, ProtocolError> Publications::rejected(const wire::Reject& reject,
                                                          Outputs& outputs) {
  Publication* const known = find(reject.publication);
  if (known == nullptr) return std::unexpected(ProtocolError{ErrorCode::kAliasUnknown, "REJECT"});
  return known->rejected(reject, outputs);
}

void Publications::expire(Instant now, Outputs& outputs) {
  for (const auto& publication : items_) publication->expire(now, outputs);
}

std::optional<Instant> Publications::next_expiry() const {
  std::optional<Instant> next;
  for (const auto& publication : items_) {
    const auto expiry = publication->outbox().next_expiry();
    if (expiry && (!next || *expiry < *next)) next = expiry;
  }
  return next;
}

void Publications::give_up(ErrorCode code, std::string_view text, Outputs& outputs) {
  for (const auto& publication : items_) publication->give_up(code, text, outputs);
}

bool Publications::settled() {
  return std::ranges::all_of(items_,
                             [](const auto& publication) { return publication->settled(); });
}

}  // namespace orzatty::client
