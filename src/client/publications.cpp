#include "client/publications.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "session/datagram_offer.h"

namespace orzatty::client {

namespace {

// Each publication is a producer of its own, or their sequences would mix in a channel they share.
ProducerId derived_producer(ProducerId base, std::uint64_t index) {
  for (std::size_t i = 0; i < sizeof index; ++i) {
    base.bytes[15 - i] ^= static_cast<std::byte>(index >> (8 * i));
  }
  return base;
}

// Shorter paths are filled by what stays in a cache.
constexpr Duration kLongRoundTrip = std::chrono::milliseconds(10);

session::GovernorConfig governor_config(const Limits& limits) {
  return {limits.latency_target, session::outbox_size(limits).first};
}

}  // namespace

Publications::Publications(const Limits& limits, const ProducerId& producer)
    : limits_(limits), producer_(producer), governor_(governor_config(limits)) {}

PublicationId Publications::add(const ChannelName& channel, const PublicationOptions& options,
                                const NamedProducer* named) {
  const PublicationId id(made_++);
  const NamedProducer own{derived_producer(producer_, id.value()), ProducerEpoch(0), Sequence(0)};
  items_.push_back(std::make_unique<Publication>(id, named == nullptr ? own : *named, channel,
                                                 session::outbox_size(limits_), options));
  items_.back()->outbox().tell_news(newsline_, id.value());
  if (session_ != nullptr) open_one(*items_.back());
  return id;
}

void Publications::retire(PublicationId id) { retired_.push_back(&at(id)); }

void Publications::end_retired(Outputs& outputs) {
  if (retired_.empty()) return;
  take_news();  // nobody appends to those any more: from here on they stand in no line
  std::erase_if(retired_, [&](Publication* publication) {
    if (!publication->retire(session_)) return false;
    session::Outbox& outbox = publication->outbox();
    outputs.push_back(
        PublicationEnded{publication->id(), outbox.published() - outbox.first_sequence()});
    std::erase(busy_, publication);
    items_.erase(position(publication->id()));
    return true;
  });
}

void Publications::open(session::ClientSession& session) {
  session_ = &session;
  governor_ = session::Governor(governor_config(limits_));
  for (const auto& publication : items_) {
    open_one(*publication);
    add_busy(*publication);
  }
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

bool Publications::closed(session::StreamKey stream) {
  if (!owns(stream)) return true;
  return std::exchange(streams_[stream.value()], nullptr)->closed();
}

bool Publications::owns(session::StreamKey stream) const {
  return stream.value() < streams_.size() && streams_[stream.value()] != nullptr;
}

void Publications::refill(session::StreamKey stream, session::SendQueue& queue) {
  if (!owns(stream)) return;
  streams_[stream.value()]->refill(session_->core(), queue);
}

bool Publications::offer_datagram(session::StreamKey stream, session::SendQueue&,
                                  session::Offer& offer) {
  if (!owns(stream) || !streams_[stream.value()]->sends_datagrams()) return false;
  Publication& publication = *streams_[stream.value()];
  const auto ahead = publication.ahead();
  if (!ahead) return false;
  datagram_.frames = ahead->frames;
  const std::size_t header_size =
      wire::encode_header(wire::PublishDatagram{.publication = publication.id(),
                                                .first = ahead->first,
                                                .count = ahead->frames.count,
                                                .has_attributes = false,
                                                .frames = {}},
                          datagram_.header);
  session::fill_datagram(offer, BytesView(datagram_.header).first(header_size), ahead->begin,
                         ahead->frames.size);
  // What became of it nobody asks: its size is what its acknowledgement says to the Governor.
  offer.datagram = session::DatagramTag(header_size + ahead->frames.size);
  return true;
}

void Publications::datagram_taken(session::StreamKey stream) {
  const Settled settled = streams_[stream.value()]->hand_over(datagram_.frames);
  auto* const last = fates_.empty() ? nullptr : std::get_if<Settled>(&fates_.back());
  if (last != nullptr && last->publication == settled.publication) {
    last->to = settled.to;
  } else {
    fates_.push_back(settled);
  }
}

// spec: DATAGRAM-9
void Publications::datagram_refused(session::StreamKey stream) {
  Publication& publication = *streams_[stream.value()];
  publication.refuse({.publication = publication.id(),
                      .from = {},
                      .to = {},
                      .code = ErrorCode::kModeUnsupported,
                      .text = "MODE_UNSUPPORTED: the server's connection takes no datagrams"},
                     fates_);
}

void Publications::tell_fates(Outputs& outputs) {
  while (!fates_.empty()) outputs.push_back(fates_.pop_front());
}

void Publications::wake(PublicationId id) {
  const auto stream = at(id).stream();
  if (stream) session_->core().sends().wake(*stream);
}

void Publications::add_busy(Publication& publication) {
  if (!std::exchange(publication.busy, true)) busy_.push_back(&publication);
}

void Publications::take_news() {
  newsline_.take([this](const base::Newsline::Item& item) {
    add_busy(at(PublicationId(item.of)));
  });
}

bool Publications::has_any_news() {
  take_news();
  bool any = false;
  for (const auto& publication : items_) {
    if (!publication->has_news()) continue;
    add_busy(*publication);
    any = true;
  }
  return any;
}

void Publications::look(Instant now, Outputs& outputs) {
  tell_fates(outputs);
  take_news();
  if (items_.size() <= kFewCount || now - looked_at_all_ >= kLookEvery) {
    looked_at_all_ = now;
    static_cast<void>(has_any_news());
  }
  std::erase_if(busy_, [&](Publication* publication) {
    publication->busy = look_at(*publication, now, outputs);
    return !publication->busy;
  });
}

bool Publications::look_at(Publication& publication, Instant now, Outputs& outputs) {
  static_cast<void>(publication.has_news());
  publication.skip(now, outputs);
  if (!publication.outbox().has_unsent()) return false;
  if (publication.stream()) session_->core().sends().wake(*publication.stream());
  return true;
}

void Publications::acked(std::uint64_t size, Duration smoothed_rtt, Instant now) {
  if (session_ == nullptr) return;
  round_trip_ = smoothed_rtt;
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

Publications::Items::iterator Publications::position(PublicationId id) {
  return std::ranges::lower_bound(items_, id, {}, [](const auto& item) { return item->id(); });
}

// As long as none ended each stands where its id says.
Publication* Publications::find(PublicationId id) {
  if (id.value() < items_.size() && items_[id.value()]->id() == id) return items_[id.value()].get();
  const auto found = position(id);
  return found != items_.end() && (*found)->id() == id ? found->get() : nullptr;
}

Publication& Publications::at(PublicationId id) {
  Publication* const found = find(id);
  ORZATTY_ASSERT(found != nullptr);
  return *found;
}

std::expected<Publication*, ProtocolError> Publications::find(PublicationId id,
                                                              std::string_view where) {
  if (id.value() >= made_) return std::unexpected(ProtocolError{ErrorCode::kAliasUnknown, where});
  return find(id);
}

std::expected<void, ProtocolError> Publications::accepted(const wire::Ack& ack, Outputs& outputs) {
  for (const wire::AckRun& run : ack.runs) {
    const auto known = find(run.publication, "ACK");
    if (!known) return std::unexpected(known.error());
    if (*known == nullptr) continue;
    if (round_trip_ >= kLongRoundTrip) (*known)->outbox().grow_if_on_its_way();
    if (auto settled = (*known)->accepted(run, outputs); !settled) return settled;
  }
  return {};
}

std::expected<void, ProtocolError> Publications::rejected(const wire::Reject& reject,
                                                          Outputs& outputs) {
  const auto known = find(reject.publication, "REJECT");
  if (!known) return std::unexpected(known.error());
  if (*known == nullptr) return {};
  return (*known)->rejected(reject, outputs);
}

std::optional<Instant> Publications::next_expiry() {
  take_news();  // without a connection nobody looks
  std::optional<Instant> next;
  for (Publication* const publication : busy_) {
    const auto expiry = publication->outbox().next_expiry();
    if (expiry && (!next || *expiry < *next)) next = expiry;
  }
  return next;
}

void Publications::give_up(ErrorCode code, std::string_view text, Outputs& outputs) {
  tell_fates(outputs);
  for (const auto& publication : items_) publication->give_up(code, text, outputs);
}

bool Publications::settled() {
  return std::ranges::all_of(items_,
                             [](const auto& publication) { return publication->settled(); });
}

}  // namespace orzatty::client
