#include "hub/resuming.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "wire/message.h"

namespace orzatty::hub {

namespace {

// Nobody is to come back to it. For one that breaks the protocol nothing is kept; that a stream was
// cut off may be the network's doing.
bool ends_session(ErrorCode code) {
  const bool broken = code >= ErrorCode::kFrameTruncated && code < ErrorCode::kStreamUnexpected;
  return broken || code == ErrorCode::kClosedByUser || code == ErrorCode::kFenced ||
         code == ErrorCode::kNotAuthorised || code == ErrorCode::kDraining;
}

// What a name costs where it is kept.
constexpr std::uint64_t kEntryCost = 64;

std::uint64_t cost_of(const DetachedSession& session) {
  std::uint64_t size = 0;
  for (const wire::Subscribe& subscription : session.subscriptions) {
    size += 2 * (kEntryCost + subscription.pattern.text().size());  // here and in PatternBag
    for (const wire::SubscribePosition& position : subscription.positions) {
      size += kEntryCost + position.channel.text().size();
    }
  }
  for (const auto& [channel, log] : session.directs) {
    size += kEntryCost + channel.size() + log->kept_bytes();
  }
  for (const wire::WelcomeProducer& producer : session.producers) {
    size += kEntryCost + producer.channel.text().size();
  }
  return size;
}

}  // namespace

// Everything that outlives the connection of a peer; nothing of it is left in the peer.
DetachedSession Resuming::strip(Peer& peer) {
  DetachedSession session{.id = *peer.session_id,
                          .identity = peer.identity,
                          .peer = peer.key,
                          .code = peer.session.core().close_code(),
                          .subscriptions = {},
                          .directs = peer.lend_direct_logs(),
                          .producers = {},
                          .size = 0,
                          .until = {}};
  for (const auto& [id, delivery] : peer.deliveries()) {
    session.subscriptions.push_back(subscribing_.request_to_go_on(*delivery));
  }
  for (const auto& [id, publication] : peer.publications) {
    if (!publication.joined) continue;
    session.producers.push_back({.producer = (*publication.producers)[publication.producer].id,
                                 .channel = *ChannelName::parse(publication.name),
                                 .next = {}});
  }
  session.size = cost_of(session);
  sessions_.release(session.id, peer.key);
  subscribing_.forget(peer);
  publications_.forget(peer);
  --state_.counters.peers;
  peer.identity.clear();
  return session;
}

void Resuming::part(Peer& peer) {
  const bool over = peer.said_close || ends_session(peer.session.core().close_code());
  DetachedSession session = strip(peer);
  const bool listed = session.subscriptions.size() * wire::kVarintSizeMax <= kListSizeMax;
  if (over || !listed) return tell_left(session);
  const PeerDetached told{session.peer, session.identity, session.code};
  DetachedSession copy;
  copy.id = session.id;
  copy.peer = session.peer;
  copy.identity = session.identity;
  copy.code = session.code;
  if (!sessions_.keep(std::move(session), state_.now)) return tell_left(copy);
  state_.counters.detached = sessions_.size();
  state_.outputs.push_back(told);
  end_overdue();
}

// spec: RESUME-1, RESUME-2
std::optional<DetachedSession> Resuming::begin(Peer& peer, const SessionId& drawn,
                                               wire::Welcome& welcome) {
  std::optional<DetachedSession> session;
  if (peer.return_wish && peer.return_wish->session) {
    session = take_over(peer, *peer.return_wish->session);
  }
  peer.session_id = session ? session->id : drawn;
  sessions_.attach(*peer.session_id, peer.key);
  welcome.session = *peer.session_id;
  welcome.resumed = session.has_value();
  if (!session) {
    state_.outputs.push_back(PeerJoined{peer.key, peer.identity});
    return std::nullopt;
  }
  list_producers(*session, welcome);
  for (const wire::Subscribe& subscription : session->subscriptions) {
    welcome.subscriptions.push_back(subscription.subscription);
  }
  state_.counters.detached = sessions_.size();
  ++state_.counters.resumed;
  state_.outputs.push_back(PeerResumed{peer.key, session->peer, peer.identity});
  return session;
}

// A stolen id finds nothing, as an unknown one. Whoever has the session still is shut out by the
// newer connection. spec: RESUME-2, RESUME-5
std::optional<DetachedSession> Resuming::take_over(const Peer& peer, const SessionId& id) {
  if (auto waiting = sessions_.take(id, peer.identity)) return waiting;
  const auto key = sessions_.find_attached(id);
  Peer* const older = key ? state_.find(*key) : nullptr;
  if (older == nullptr || older == &peer || older->identity != peer.identity) return std::nullopt;
  if (older->said_close || ends_session(older->session.core().close_code())) return std::nullopt;
  DetachedSession session = strip(*older);
  if (session.subscriptions.size() * wire::kVarintSizeMax > kListSizeMax) {
    tell_left(session);
    return std::nullopt;
  }
  older->session.close(ErrorCode::kFenced, "FENCED: a newer connection has this session");
  state_.attend(*older);
  return session;
}

// What does not fit is told when its publication is opened. spec: PUBLISH-7, RESUME-6
void Resuming::list_producers(DetachedSession& session, wire::Welcome& welcome) {
  std::size_t size = 0;
  for (wire::WelcomeProducer& producer : session.producers) {
    const auto next = publications_.next_of(producer.producer, producer.channel, session.identity);
    constexpr std::size_t kFixed = 16 + 2 + wire::kVarintSizeMax;
    size += kFixed + producer.channel.text().size();
    if (!next || size > kListSizeMax) continue;
    producer.next = *next;
    welcome.producers.push_back(producer);
  }
}

// What the client said counts; of the rest, what the server knows: the client passes over what it
// has had. spec: RESUME-3
void Resuming::apply_positions(Peer& peer, DetachedSession& session) {
  if (base::planted(base::PlantedBug::kReturnsWhereItWas)) return;
  for (const wire::HelloPosition& told : peer.return_wish->positions) {
    const auto subscription =
        std::ranges::find(session.subscriptions, told.subscription, &wire::Subscribe::subscription);
    if (subscription == session.subscriptions.end()) continue;
    // Of a channel that is named twice the first counts.
    subscription->positions.insert(
        subscription->positions.begin(),
        {.channel = told.channel, .epoch = told.epoch, .next = told.next});
  }
}

void Resuming::go_on(Peer& peer, DetachedSession session) {
  apply_positions(peer, session);
  const auto& told = peer.return_wish->directs;
  for (auto& [name, log] : session.directs) {
    const ChannelName channel = *ChannelName::parse(name);
    const auto known = std::ranges::find(told, channel, &wire::HelloDirect::channel);
    const Sequence next = known == told.end() ? Sequence(0) : known->next;
    if (!peer.adopt_direct_log(channel, std::move(log), next)) {
      return peer.session.core().fail({ErrorCode::kSequenceInvalid, "a direct position in HELLO"});
    }
  }
  for (wire::Subscribe& subscription : session.subscriptions) {
    if (peer.session.core().closed()) return;
    subscribing_.subscribe(peer, std::move(subscription));
  }
  // The client may ask again for one that ended while it was away. spec: STREAM-7
  peer.next_subscription = 0;
  peer.return_wish.reset();
}

void Resuming::end(PeerKey peer, ErrorCode code) {
  auto session = sessions_.take(peer);
  if (!session) return;
  session->code = code;
  tell_left(*session);
}

ErrorCode Resuming::send_direct(DetachedSession& session, const ChannelName& channel,
                                MessageType type, BytesView payload,
                                const MessageAttributes& attributes) {
  constexpr std::uint64_t kFrameCost = 16;
  auto known = session.directs.find(channel.text());
  const bool is_new = known == session.directs.end();
  const Limits& limits = state_.config.limits;
  if (is_new && session.directs.size() >= limits.subscription_count_max) {
    return ErrorCode::kChannelLimit;
  }
  const std::uint64_t size = wire::message_body_size(attributes, payload.size()) + kFrameCost +
                             (is_new ? kEntryCost + channel.text().size() : 0);
  if (!sessions_.has_room(session, size)) return ErrorCode::kOverloaded;
  if (is_new) {
    known = session.directs
                .emplace(std::string(channel.text()),
                         std::make_shared<DirectLog>(limits))
                .first;
  }
  if (!known->second->append(type, payload, attributes)) return ErrorCode::kOverloaded;
  sessions_.add_size(session, size);
  end_overdue();  // all of them together may hold too much now
  return ErrorCode::kNone;
}

std::optional<PeerKey> Resuming::find_peer(const SessionId& id) const {
  if (const auto peer = sessions_.find_attached(id)) return peer;
  const auto waiting = sessions_.detached().find(id);
  if (waiting == sessions_.detached().end()) return std::nullopt;
  return waiting->second.peer;
}

std::vector<std::string> Resuming::waited_for() const {
  std::vector<std::string> identities;
  for (const auto& [id, session] : sessions_.detached()) {
    const bool has_news = std::ranges::any_of(
        session.directs, [](const auto& direct) { return direct.second->kept_bytes() > 0; });
    if (has_news) identities.push_back(session.identity);
  }
  return identities;
}

void Resuming::end_overdue() {
  while (const auto session = sessions_.pop_due(state_.now)) tell_left(*session);
}

void Resuming::tell_left(const DetachedSession& session) {
  requests_.forget(session.id);
  state_.counters.detached = sessions_.size();
  state_.outputs.push_back(PeerLeft{session.peer, session.identity, session.code});
}

}  // namespace orzatty::hub
