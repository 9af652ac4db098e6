#include "hub/hub.h"

#include <algorithm>
#include <utility>

#include "hub/channel_table.h"
#include "hub/datagram_publishing.h"
#include "hub/directing.h"
#include "hub/hub_state.h"
#include "hub/lag.h"
#include "hub/own_publishing.h"
#include "hub/publications.h"
#include "hub/publishing.h"
#include "hub/resuming.h"
#include "hub/subscribing.h"
#include "orzatty/version.h"

namespace orzatty::hub {

std::size_t HubConfig::rule_of(const ChannelName& channel) const {
  const auto rule = std::ranges::find_if(
      rules, [&](const ChannelRule& candidate) { return candidate.pattern.matches(channel); });
  return static_cast<std::size_t>(rule - rules.begin());
}

const ChannelConfig& HubConfig::properties_of(const ChannelName& channel) const {
  const std::size_t rule = rule_of(channel);
  return rule == rules.size() ? channel_default : rules[rule].config;
}

// The parts, in the order in which they stand on each other.
class Hub::Parts {
 public:
  Parts(HubConfig given, std::uint64_t seed)
      : state(std::move(given), seed),
        channels(state.config, state.prng, state.pool, state.counters.traffic),
        subscribing(state, channels),
        requests(state.config.limits),
        sessions(state.config.limits),
        publications(state, subscribing),
        publishing(state, sessions, subscribing, requests, publications),
        own(state, subscribing),
        datagrams(state, subscribing),
        resuming(state, sessions, subscribing, publications, requests),
        directing(state, publishing, resuming, requests) {}
  // Peers read channels, so they go first.
  ~Parts() { state.peers = base::Slab<Peer>(); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  [[nodiscard]] std::optional<HubOutput> poll();
  [[nodiscard]] std::optional<HubOutput> dispatch(Peer& peer, session::ServerOutput& output);
  // The peer of that key, and from now on it is `now`.
  [[nodiscard]] Peer* at(PeerKey key, Instant now) {
    state.now = now;
    return state.find(key);
  }

  HubState state;
  ChannelTable channels;
  Subscribing subscribing;
  Requests requests;
  Sessions sessions;
  Publications publications;
  Publishing publishing;
  OwnPublishing own;
  DatagramPublishing datagrams;
  Resuming resuming;
  Directing directing;
};

std::optional<HubOutput> Hub::Parts::poll() {
  publishing.settle();
  while (true) {
    if (!state.outputs.empty()) return state.outputs.pop_front();
    if (state.attention.empty()) return std::nullopt;
    Peer* const peer = state.find(state.attention.front());
    auto output = peer == nullptr ? std::nullopt : peer->session.poll();
    if (output) {
      if (auto told = dispatch(*peer, *output)) return told;
      continue;
    }
    state.attention.pop_front();
    if (peer == nullptr) continue;
    peer->lined_up = false;
    state.set_timer(*peer);
  }
}

std::optional<HubOutput> Hub::Parts::dispatch(Peer& peer, session::ServerOutput& output) {
  if (const auto* messages = std::get_if<session::PublicationMessages>(&output)) {
    const auto fresh = publishing.fresh(peer, *messages);
    if (!fresh) return std::nullopt;
    if (!publications.are_replies(*fresh->publication)) return publishing.take(peer, *fresh);
    directing.take_replies(peer, *fresh);
    return std::nullopt;
  }
  if (const auto* came = std::get_if<session::PublicationDatagram>(&output)) {
    return datagrams.take(peer, came->datagram);
  }
  if (const auto* opened = std::get_if<session::PublicationOpened>(&output)) {
    publications.open(peer, *opened);
  } else if (const auto* skipped = std::get_if<session::PublicationSkipped>(&output)) {
    publishing.skip(peer, *skipped);
  } else if (const auto* ended = std::get_if<session::PublicationClosed>(&output)) {
    publications.close(peer, ended->publication);
  } else if (auto* subscribe = std::get_if<session::SubscribeRequested>(&output)) {
    subscribing.subscribe(peer, std::move(subscribe->subscribe));
  } else if (const auto* unsubscribe = std::get_if<session::UnsubscribeRequested>(&output)) {
    subscribing.unsubscribe(peer, unsubscribe->subscription);
  } else if (const auto* positions = std::get_if<session::PositionsConsumed>(&output)) {
    subscribing.consumed(peer, positions->consumed);
  } else if (auto* asked = std::get_if<session::FateAsked>(&output)) {
    publications.tell_fates(peer, std::move(asked->fate));
  } else if (const auto* cancelled = std::get_if<session::RequestCancelled>(&output)) {
    requests.cancel(*peer.session_id, cancelled->correlation);
  } else if (auto* hello = std::get_if<session::HelloReceived>(&output)) {
    peer.versions = hello->hello.versions;
    peer.return_wish = std::make_unique<ReturnWish>(
        ReturnWish{hello->hello.session, hello->hello.positions, hello->hello.directs});
    return AuthenticationNeeded{peer.key, std::move(hello->hello)};
  } else if (std::holds_alternative<session::SessionEnded>(output)) {
    peer.said_close = true;
  } else if (auto* closed = std::get_if<session::CloseTransport>(&output)) {
    return TransportClosed{peer.key, closed->code, std::move(closed->text)};
  }
  return std::nullopt;
}

Hub::Hub(HubConfig config, std::uint64_t seed, Instant now)
    : parts_(std::make_unique<Parts>(std::move(config), seed)) {
  parts_->state.now = now;
}
Hub::~Hub() = default;

PeerKey Hub::open_peer(Instant now) { return parts_->state.open_peer(now); }

void Hub::lose_peer(PeerKey key, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return;
  HubState& state = parts_->state;
  if (!peer->identity.empty()) parts_->resuming.part(*peer);
  state.timers.set(key.slot, std::nullopt);
  state.peers.erase(key);
}

void Hub::handle_control(PeerKey key, BytesView bytes, session::Fin fin, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return;
  peer->session.handle_control(bytes, fin, now);
  parts_->state.attend(*peer);
}

void Hub::handle_stream(PeerKey key, session::RemoteStream stream, BytesView bytes,
                        session::Fin fin, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return;
  peer->session.handle_stream(stream, bytes, fin, now);
  parts_->state.attend(*peer);
}

void Hub::handle_stream_reset(PeerKey key, session::RemoteStream stream, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return;
  peer->session.handle_stream_reset(stream);
  parts_->state.attend(*peer);
}

// spec: DATAGRAM-2
void Hub::handle_datagram(PeerKey key, BytesView bytes, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return;
  if (!peer->session.open()) {
    ++parts_->state.counters.datagrams_dropped;
    return;
  }
  peer->session.handle_datagram(bytes, now);
  parts_->state.attend(*peer);
}

void Hub::handle_timeout(Instant now) {
  Parts& parts = *parts_;
  parts.state.now = now;
  parts.subscribing.look_on();
  parts.resuming.end_overdue();
  while (Peer* const peer = parts.state.pop_due(now)) {
    peer->session.handle_timeout(now);
    parts.state.attend(*peer);
  }
  while (Channel* const channel = parts.channels.pop_due(now)) parts.subscribing.tend(*channel);
}

std::optional<Instant> Hub::next_timeout() const {
  if (parts_->subscribing.looking()) return parts_->state.now;
  std::optional<Instant> next = parts_->state.timers.next();
  for (const auto other : {parts_->channels.next_timeout(), parts_->resuming.next_timeout()}) {
    if (other) next = std::min(next.value_or(Instant::max()), *other);
  }
  return next;
}

std::optional<HubOutput> Hub::poll() { return parts_->poll(); }

// spec: SESSION-4, SESSION-6
void Hub::admit(PeerKey key, std::string identity, const SessionId& session, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr || peer->session.core().closed()) return;
  HubState& state = parts_->state;
  state.attend(*peer);
  if (std::ranges::find(peer->versions, kProtocolVersion) == peer->versions.end()) {
    return peer->session.close(ErrorCode::kVersionUnsupported,
                               "VERSION_UNSUPPORTED: this server speaks orzatty/1");
  }
  peer->identity = std::move(identity);
  ++state.counters.peers;
  const Limits& limits = state.config.limits;
  const auto ms = [](Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  };
  wire::Welcome welcome{.version = kProtocolVersion,
                        .features = 0,
                        .session = {},
                        .resumed = false,
                        .identity = peer->identity,
                        .message_size_max = limits.message_size_max,
                        .publication_count_max = limits.publication_count_max,
                        .heartbeat_interval = ms(limits.heartbeat_interval),
                        .dead_after = ms(limits.dead_after),
                        .producers = {},
                        .subscriptions = {}};
  auto resumed = parts_->resuming.begin(*peer, session, welcome);
  peer->session.welcome(welcome, now);
  if (resumed) parts_->resuming.go_on(*peer, std::move(*resumed));
  peer->return_wish.reset();
}

// spec: SESSION-5
void Hub::refuse(PeerKey key, ErrorCode code, std::string_view text, Instant now) {
  if (code == ErrorCode::kAuthenticationFailed) {
    text = "AUTHENTICATION_FAILED: the token is not known";  // never why
  }
  close_peer(key, code, text, now);
}

void Hub::close_peer(PeerKey key, ErrorCode code, std::string_view text, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return parts_->resuming.end(key, code);
  peer->session.close(code, text);
  parts_->state.attend(*peer);
}

// spec: SESSION-10
void Hub::drain(Duration time_left, std::string_view text) {
  parts_->state.peers.for_each([&](PeerKey, Peer& peer) {
    if (!peer.session.open()) return;
    peer.session.drain(time_left, text);
    parts_->state.mark_ready(peer);
  });
}

void Hub::handle_channel(const ChannelName& channel, std::size_t handler) {
  parts_->publications.handle_channel(channel, handler);
}

ErrorCode Hub::send_direct(PeerKey peer, const ChannelName& channel, MessageType type,
                           BytesView payload, const MessageAttributes& attributes) {
  return parts_->directing.send(peer, channel, type, payload, attributes);
}

ErrorCode Hub::publish(const ChannelName& channel, MessageType type, BytesView payload, Instant now,
                       const MessageAttributes& attributes) {
  parts_->state.now = now;
  return parts_->own.publish(channel, type, payload, attributes);
}

bool Hub::has_peer(PeerKey peer) const { return parts_->state.find(peer) != nullptr; }

bool Hub::settled(PeerKey key) const {
  Peer* const peer = parts_->state.find(key);
  return peer == nullptr || peer->settled();
}

std::vector<std::string> Hub::waited_for() const { return parts_->resuming.waited_for(); }

session::SendTable& Hub::sends(PeerKey peer) {
  return parts_->state.find(peer)->session.core().sends();
}

session::Refill& Hub::source(PeerKey peer) { return *parts_->state.find(peer); }

std::vector<session::Credit>& Hub::credits(PeerKey peer) {
  return parts_->state.find(peer)->session.core().credits();
}

void Hub::flush(PeerKey key, Instant now) {
  Peer& peer = *parts_->at(key, now);
  peer.written_at = now;
  peer.session.flush(now);
  parts_->state.set_timer(peer);
}

void Hub::written(PeerKey key, Instant now) { parts_->subscribing.written(*parts_->at(key, now)); }

void Hub::acked(PeerKey key, session::StreamKey stream, std::uint64_t size, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer == nullptr) return;
  peer->acked(stream, size);
  parts_->state.mark_ready(*peer);
}

void Hub::stream_closed(PeerKey key, session::StreamKey stream, Instant now) {
  Peer* const peer = parts_->at(key, now);
  if (peer != nullptr) peer->session.core().sends().release(stream);
}

void Hub::datagram_acked(PeerKey key, session::DatagramTag tag) {
  if (Peer* const peer = parts_->state.find(key)) peer->datagram_acked(tag);
}

void Hub::datagram_lost(PeerKey key, session::DatagramTag tag) {
  Peer* const peer = parts_->state.find(key);
  if (peer == nullptr) return;
  peer->datagram_lost(tag);
  parts_->state.mark_ready(*peer);
}

void Hub::take_ready(std::vector<PeerKey>& into) {
  HubState& state = parts_->state;
  for (const PeerKey key : state.ready) {
    Peer* const peer = state.find(key);
    if (peer == nullptr) continue;
    peer->ready = false;
    into.push_back(key);
  }
  state.ready.clear();
}

std::string_view Hub::identity(PeerKey key) const {
  const Peer* const peer = parts_->state.find(key);
  return peer == nullptr ? std::string_view() : std::string_view(peer->identity);
}

const HubCounters& Hub::counters() const { return parts_->state.counters; }
std::size_t Hub::held_bytes() const { return parts_->state.pool.in_use(); }

std::vector<SubscriptionLag> Hub::slowest_subscriptions(std::size_t count_max) const {
  return hub::slowest_subscriptions(parts_->state, count_max);
}

}  // namespace orzatty::hub
