#include "hub/peer.h"

#include <algorithm>

#include "session/datagram_offer.h"
#include "wire/deliver.h"
#include "wire/direct.h"

namespace orzatty::hub {

template <class Preface>
Peer::OpenedStream Peer::open_stream(const Preface& preface) {
  session::SessionCore& core = session.core();
  const session::StreamKey stream = core.sends().add();
  Bytes bytes;
  wire::encode(preface, bytes);
  if (!core.scratch().write(bytes, core.sends().queue(stream))) {
    core.close(ErrorCode::kLimitExceeded, "LIMIT_EXCEEDED: replies are not read");
  }
  return {stream, bytes.size()};
}

// Marks are never more than what is on its way, so that is their bound.
session::Scratch& Peer::marks() {
  if (marks_ == nullptr) {
    marks_ = std::make_unique<session::Scratch>(session.core().limits().connection_window);
  }
  return *marks_;
}

void Peer::bind(session::StreamKey stream, const Source& source) {
  if (sources_.size() <= stream.value()) sources_.resize(stream.value() + 1);
  sources_[stream.value()] = source;
}

void Peer::refill(session::StreamKey stream, session::SendQueue& queue) {
  if (stream.value() >= sources_.size()) return;
  // What the transport holds of the logs is charged to the peer that does not acknowledge it.
  const session::SessionCore& core = session.core();
  if (core.in_flight() >= core.limits().pinned_size_max) return starved_.push_back(stream);
  const Source& source = sources_[stream.value()];
  if (source.delivery != nullptr) {
    const auto refilled =
        source.delivery->refill(queue, session.core(), marks(), counters, channels_read, written_at);
    if (refilled == Delivery::Refilled::kNoRoom) starved_.push_back(stream);
    if (refilled == Delivery::Refilled::kExhausted) fail_exhausted(*source.delivery);
  } else if (source.direct != nullptr) {
    if (!source.direct->refill(queue, session.core(), marks())) starved_.push_back(stream);
  }
}

bool Peer::offer_datagram(session::StreamKey stream, session::SendQueue& queue,
                          session::Offer& offer) {
  Delivery* const delivery =
      stream.value() < sources_.size() ? sources_[stream.value()].delivery : nullptr;
  if (delivery == nullptr || !delivery->has_datagrams()) return false;
  if (!takes_datagrams_) return fail_without_datagrams(*delivery), false;
  if (datagrams_ == nullptr) datagrams_ = std::make_unique<Datagrams>();
  Delivery::Datagram& next = datagrams_->offered;
  switch (delivery->offer(next, queue, marks(), counters, written_at)) {
    case Delivery::Offered::kDatagram: break;
    case Delivery::Offered::kNothing: return false;
    case Delivery::Offered::kNoRoom: return starved_.push_back(stream), false;
    case Delivery::Offered::kExhausted: return fail_exhausted(*delivery), false;
  }
  session::fill_datagram(offer, BytesView(next.header).first(next.header_size), next.step.begin,
                         next.step.size);
  offer.datagram = datagrams_->in_flight.next_tag();
  return true;
}

void Peer::datagram_taken(session::StreamKey stream) {
  datagrams_->in_flight.add(
      sources_[stream.value()].delivery->taken(datagrams_->offered, counters, channels_read));
}

// spec: DATAGRAM-9
void Peer::datagram_refused(session::StreamKey stream) {
  takes_datagrams_ = false;
  fail_without_datagrams(*sources_[stream.value()].delivery);
}

void Peer::fail_exhausted(const Delivery& delivery) {
  failures.push_back({delivery.id(), ErrorCode::kLimitExceeded,
                      "one stream can carry no more publishers: subscribe again"});
}

void Peer::fail_without_datagrams(const Delivery& delivery) {
  failures.push_back({delivery.id(), ErrorCode::kModeUnsupported,
                      "a channel of it sends datagrams, which your connection does not take"});
}

void Peer::datagram_acked(session::DatagramTag tag) {
  const auto sent = datagrams_ == nullptr ? std::nullopt : datagrams_->in_flight.settle(tag);
  if (!sent) return;
  if (Delivery* const delivery = find_delivery(sent->subscription)) delivery->acked(*sent);
}

void Peer::datagram_lost(session::DatagramTag tag) {
  const auto sent = datagrams_ == nullptr ? std::nullopt : datagrams_->in_flight.settle(tag);
  if (!sent) return;
  ++datagrams_lost;
  Delivery* const delivery = find_delivery(sent->subscription);
  if (delivery == nullptr) return;
  delivery->lost(*sent);
  session.core().sends().wake(delivery->stream());
}

void Peer::acked(session::StreamKey stream, std::uint64_t size) {
  session.core().sends().acked(stream, size);
  if (stream.value() < sources_.size() && sources_[stream.value()].direct != nullptr) {
    sources_[stream.value()].direct->acked(size);
  }
  for (const session::StreamKey waiting : starved_) session.core().sends().wake(waiting);
  starved_.clear();
}

Delivery& Peer::add_delivery(SubscriptionId id, ChannelPattern pattern) {
  const session::StreamKey stream = open_stream(wire::Deliver{id}).key;
  auto& delivery = deliveries_[id.value()];
  delivery = std::make_unique<Delivery>(key, id, std::move(pattern), stream);
  bind(stream, {.delivery = delivery.get()});
  return *delivery;
}

void Peer::add_reader(Delivery& delivery, Channel& channel, Offset next) {
  delivery.add(channel, next);
  if (readers_) readers_->emplace(channel.epoch(), delivery.readers().back().get());
}

std::pair<Peer::ReadersByChannel::const_iterator, Peer::ReadersByChannel::const_iterator>
Peer::readers_of(ChannelEpoch channel) {
  if (!readers_) {
    readers_.emplace();
    for (const auto& [id, delivery] : deliveries_) {
      for (const auto& reader : delivery->readers()) {
        readers_->emplace(reader->channel().epoch(), reader.get());
      }
    }
  }
  return std::as_const(*readers_).equal_range(channel);
}

void Peer::forget_readers(const Delivery& delivery) {
  if (!readers_) return;
  for (const auto& reader : delivery.readers()) {
    auto [at, end] = readers_->equal_range(reader->channel().epoch());
    while (at != end && at->second != reader.get()) ++at;
    readers_->erase(at);
  }
}

void Peer::remove_delivery(SubscriptionId id) {
  const auto found = deliveries_.find(id.value());
  forget_readers(*found->second);
  const session::StreamKey stream = found->second->stream();
  bind(stream, {});
  session.core().sends().finish(stream);
  deliveries_.erase(found);
}

Delivery* Peer::find_delivery(SubscriptionId id) {
  const auto found = deliveries_.find(id.value());
  return found == deliveries_.end() ? nullptr : found->second.get();
}

DirectLog* Peer::direct_log(const ChannelName& channel) {
  const auto known = direct_logs_.find(channel.text());
  if (known != direct_logs_.end()) return known->second.get();
  const Limits& limits = session.core().limits();
  if (direct_logs_.size() >= limits.subscription_count_max) return nullptr;
  static_cast<void>(
      adopt_direct_log(channel, std::make_shared<DirectLog>(limits), Sequence(0)));
  return direct_logs_.find(channel.text())->second.get();
}

bool Peer::adopt_direct_log(const ChannelName& channel, std::shared_ptr<DirectLog> log,
                            Sequence next) {
  const OpenedStream opened = open_stream(wire::Direct{channel});
  if (!log->open(opened.key, opened.preface_size, next)) return false;
  bind(opened.key, {.direct = log.get()});
  session.core().sends().wake(opened.key);
  direct_logs_[std::string(channel.text())] = std::move(log);
  return true;
}

DirectLogs Peer::lend_direct_logs() {
  for (const auto& [channel, log] : direct_logs_) bind(log->stream(), {});
  return direct_logs_;
}

bool Peer::settled() {
  const auto has_news = [](const auto& one) { return one.second->has_news(); };
  return session.core().sends().settled() && std::ranges::none_of(deliveries_, has_news) &&
         std::ranges::none_of(direct_logs_, has_news);
}

}  // namespace orzatty::hub
