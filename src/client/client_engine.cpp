#include "client/client_engine.h"

#include <algorithm>
#include <initializer_list>

#include "base/assert.h"
#include "base/planted.h"
#include "client/backoff.h"
#include "client/directs.h"
#include "client/publications.h"
#include "client/questions.h"
#include "client/requests.h"
#include "client/subscriptions.h"
#include "orzatty/version.h"

namespace orzatty::client {

namespace {

// How long the goodbye may take to get into a packet.
constexpr Duration kGoodbyeMax = std::chrono::milliseconds(250);

// Asking again would give the same answer.
bool is_final(ErrorCode code) {
  switch (code) {
    case ErrorCode::kAuthenticationFailed:
    case ErrorCode::kVersionUnsupported:
    case ErrorCode::kNotAuthorised:
    case ErrorCode::kFenced:
    case ErrorCode::kFrameTooLarge:  // a message above the receiver's message_size_max
    case ErrorCode::kClosedByUser:
      return true;
    default:
      return false;
  }
}

std::optional<Instant> earliest(std::initializer_list<std::optional<Instant>> times) {
  std::optional<Instant> first;
  for (const auto& time : times) {
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

wire::Hello hello_of(const EngineConfig& config) {
  wire::Hello hello;
  hello.versions = {kProtocolVersion};
  hello.token = copy_of(bytes_of(config.token));
  hello.agent = config.agent.substr(0, wire::kAgentSizeMax);
  return hello;
}

}  // namespace

// Pings by number over any number of connections; those of one that is gone count as answered, as
// nobody shall wait for them.
class Pings {
 public:
  std::uint64_t ping(session::ClientSession* session) {
    if (session == nullptr || !session->open()) return before_ = ++asked_;
    session->core().ping();
    return ++asked_;
  }
  [[nodiscard]] std::uint64_t answered(session::ClientSession* session) const {
    return session == nullptr ? asked_ : before_ + session->core().pongs();
  }
  void lose() { before_ = asked_; }

 private:
  std::uint64_t asked_ = 0;
  std::uint64_t before_ = 0;  // on connections that are gone, or without one
};

// What a client has of one connection, and who decides when there shall be another.
class ClientEngine::Parts {
 public:
  enum class Phase : std::uint8_t { kRunning, kSettling, kLeaving, kGoodbye, kLeft, kFinished };

  Parts(EngineConfig engine_config, std::uint64_t seed)
      : config(std::move(engine_config)),
        prng(seed),
        backoff(config.limits.reconnect_delay_max, prng.next()),
        publications(config.limits, config.producer),
        subscriptions(config.limits),
        requests(config.limits.request_count_max),
        message_size_max(config.limits.message_size_max),
        publication_count_max(config.limits.publication_count_max) {
    outputs.push_back(ConnectWanted{});
  }

  void transport_up(Instant now);
  void transport_lost(ErrorCode code, std::string_view text, bool refused, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout();
  [[nodiscard]] std::optional<EngineOutput> poll(Instant now);
  void close(Ending ending, Instant now);
  void flush(Instant now);
  void stream_closed(session::StreamKey stream);

  const EngineConfig config;
  base::Prng prng;
  Backoff backoff;
  Outputs outputs;
  Publications publications;
  Subscriptions subscriptions;
  Directs directs;
  Questions questions;
  Requests requests;
  Pings pings;
  std::unique_ptr<session::ClientSession> session;
  std::uint32_t message_size_max;
  std::uint32_t publication_count_max;

 private:
  using Result = std::expected<void, ProtocolError>;

  [[nodiscard]] wire::Hello hello();
  void leave_when_due(Instant now);
  void finish(ErrorCode code, std::string_view text);
  void give_back_credit(Instant now);
  void welcomed(const wire::Welcome& welcome, Instant now);
  // What the session brought; a borrowed output is given at once, the rest is queued.
  [[nodiscard]] std::optional<EngineOutput> take(session::ClientOutput& output, Instant now);
  [[nodiscard]] std::optional<EngineOutput> hand_out(const session::DeliveryMessages& messages);
  [[nodiscard]] std::optional<EngineOutput> hand_out_rest();
  // Nothing when something has to be told before, or nobody wants it.
  [[nodiscard]] std::optional<EngineOutput> hand_out(const wire::DeliverDatagram& datagram);
  [[nodiscard]] EngineOutput hand_out_held_back();
  [[nodiscard]] Result take_queued(session::ClientOutput& output, Instant now);

  Phase phase_ = Phase::kRunning;
  bool asked_ = true;  // for a transport, and it did not go yet
  std::optional<Instant> retry_at_;
  std::optional<Instant> goodbye_until_;
  std::optional<Instant> welcomed_at_;
  bool was_connected_ = false;
  std::optional<SessionId> session_id_;  // of the last WELCOME
  std::optional<SessionId> asked_for_;   // by the last HELLO
  std::optional<session::DeliveryMessages> handed_out_;
  std::optional<session::DeliveryMessages> rest_;  // of a passing stream, that were not looked at
  std::optional<session::DirectMessages> handed_out_direct_;
  std::optional<wire::DeliverDatagram> handed_out_datagram_;
  // What a datagram brought, while the gap before it is told.
  struct HeldBack {
    wire::DeliverDatagram datagram;
    Delivered delivered;
  };
  std::optional<HeldBack> held_back_;
};

// ---- The connection.

void ClientEngine::Parts::transport_up(Instant now) {
  ORZATTY_ASSERT(session == nullptr);
  session = std::make_unique<session::ClientSession>(config.limits, hello(), prng.next(), now);
  if (phase_ == Phase::kFinished) session->core().close(ErrorCode::kNone, "not wanted any more");
}

// Asks for the session of before, if all can be said that has to be. spec: RESUME-4
wire::Hello ClientEngine::Parts::hello() {
  constexpr std::size_t kFixed = 128;
  wire::Hello hello = hello_of(config);
  asked_for_.reset();
  if (!session_id_) return hello;
  std::size_t size_max = config.limits.hello_size_max;
  size_max -= std::min(size_max, kFixed + hello.token.size() + hello.agent.size());
  if (!directs.tell(hello.directs, size_max)) {
    hello.directs.clear();
    return hello;
  }
  hello.session = asked_for_ = session_id_;
  subscriptions.tell(hello.positions, size_max);
  return hello;
}

void ClientEngine::Parts::transport_lost(ErrorCode code, std::string_view text, bool refused,
                                         Instant now) {
  asked_ = false;
  handed_out_.reset();
  rest_.reset();
  handed_out_direct_.reset();
  handed_out_datagram_.reset();
  held_back_.reset();
  publications.tell_fates(outputs);
  publications.lose();
  subscriptions.lose(outputs);
  directs.lose();
  questions.lose();
  pings.lose();
  session.reset();
  const auto welcomed_at = std::exchange(welcomed_at_, std::nullopt);
  if (phase_ == Phase::kFinished) return;
  if (phase_ != Phase::kRunning || refused || is_final(code)) return finish(code, text);
  outputs.push_back(Disconnected{code, std::string(text), true});
  if (base::planted(base::PlantedBug::kRetryIsForgotten)) return;
  retry_at_ = now + backoff.next(welcomed_at ? now - *welcomed_at : Duration::zero());
}

void ClientEngine::Parts::finish(ErrorCode code, std::string_view text) {
  phase_ = Phase::kFinished;
  retry_at_.reset();
  publications.give_up(code, text, outputs);
  requests.give_up(code, outputs);
  // One that is being opened, unknown to us.
  if (asked_) outputs.push_back(TransportClosed{code, std::string(text)});
  outputs.push_back(Disconnected{code, std::string(text), false});
}

// spec: SESSION-4
void ClientEngine::Parts::welcomed(const wire::Welcome& welcome, Instant now) {
  if (welcome.version != kProtocolVersion) {
    return session->core().fail({ErrorCode::kVersionUnsupported, "WELCOME"});
  }
  // spec: RESUME-7
  if (welcome.resumed && asked_for_ != welcome.session) {
    return session->core().fail({ErrorCode::kFrameUnexpected, "WELCOME to another session"});
  }
  session_id_ = welcome.session;
  welcomed_at_ = now;
  message_size_max = std::min(config.limits.message_size_max, welcome.message_size_max);
  publication_count_max =
      std::min(config.limits.publication_count_max, welcome.publication_count_max);
  publications.open(*session);
  questions.open(*session);
  if (welcome.resumed) {
    if (auto resumed = subscriptions.resume(*session, welcome.subscriptions); !resumed) {
      return session->core().fail(resumed.error());
    }
    requests.go_on(*session);
  } else {
    directs.begin_anew();
    requests.begin_anew(outputs);
    subscriptions.open(*session);
  }
  outputs.push_back(
      Connected{welcome.identity, std::exchange(was_connected_, true), welcome.resumed});
}

void ClientEngine::Parts::handle_timeout(Instant now) {
  publications.look(now, outputs);
  requests.expire(now, outputs);
  leave_when_due(now);
  if (session != nullptr) {
    session->handle_timeout(now);
  } else if (retry_at_ && now >= *retry_at_) {
    retry_at_.reset();
    asked_ = true;
    outputs.push_back(ConnectWanted{});
  }
}

std::optional<Instant> ClientEngine::Parts::next_timeout() {
  if (phase_ == Phase::kFinished) return session == nullptr ? retry_at_ : session->next_timeout();
  const auto timeout = session == nullptr ? retry_at_ : session->next_timeout();
  return earliest({timeout, goodbye_until_, publications.next_expiry(), requests.next_expiry()});
}

// A publication ends by us alone: a server that wants no more of one says so by REJECT.
void ClientEngine::Parts::stream_closed(session::StreamKey stream) {
  session::SendTable& sends = session->core().sends();
  const bool orderly = publications.closed(stream) && sends.settled(stream);
  if (!orderly && session->open()) {
    session->core().fail({ErrorCode::kStreamUnexpected, "a publication was stopped"});
  }
  sends.release(stream);
}

// ---- The end.

void ClientEngine::Parts::close(Ending ending, Instant now) {
  if (phase_ >= Phase::kLeaving) return;
  phase_ = ending == Ending::kNow ? Phase::kLeaving : Phase::kSettling;
  // No more retries: nobody will ever answer.
  if (session == nullptr) return finish(ErrorCode::kNone, "closed by the application");
  leave_when_due(now);
}

// Once all is settled, or at once: CLOSE, and when that is in a packet, the transport. spec:
// SESSION-11
void ClientEngine::Parts::leave_when_due(Instant now) {
  if (session == nullptr) return;
  if (phase_ == Phase::kSettling && publications.settled()) phase_ = Phase::kLeaving;
  if (phase_ == Phase::kLeaving) {
    phase_ = Phase::kGoodbye;
    goodbye_until_ = now + kGoodbyeMax;
    session->close(ErrorCode::kNone, "");
  }
  if (phase_ != Phase::kGoodbye) return;
  const bool said = session->core().sends().queue(session::kControlKey).unsent() == 0;
  if (said || now >= *goodbye_until_) {
    goodbye_until_.reset();
    phase_ = Phase::kLeft;
    session->core().close(ErrorCode::kNone, "closed by the application");
  }
}

void ClientEngine::Parts::flush(Instant now) {
  leave_when_due(now);
  publications.look(now, outputs);
  session->flush(now);
}

// ---- What comes in.

std::optional<EngineOutput> ClientEngine::Parts::poll(Instant now) {
  give_back_credit(now);
  // What was appended behind the end.
  if (phase_ == Phase::kFinished) publications.give_up(ErrorCode::kNone, "closed", outputs);
  leave_when_due(now);
  publications.tell_fates(outputs);
  if (outputs.empty() && held_back_) {
    if (subscriptions.wants(held_back_->datagram.subscription)) return hand_out_held_back();
    held_back_.reset();
  }
  while (outputs.empty() && session != nullptr) {
    if (rest_) {
      if (auto borrowed = hand_out_rest()) return borrowed;
      continue;
    }
    give_back_credit(now);  // of messages that nobody wanted, while their stream is there
    auto output = session->poll(now);
    if (!output) break;
    if (auto borrowed = take(*output, now)) return borrowed;
  }
  // Last: whoever is told of something else may still look at their outboxes.
  if (outputs.empty()) publications.end_retired(outputs);
  if (outputs.empty()) return std::nullopt;
  EngineOutput told = outputs.pop_front();
  if (const auto* settled = std::get_if<Settled>(&told)) {
    requests.settled(*settled, session.get(), outputs);
  }
  return told;
}

// What was handed out has been looked at: position and credit travel back. spec: CREDIT-2
void ClientEngine::Parts::give_back_credit(Instant now) {
  if (rest_) return;
  if (handed_out_) session->consumed(*handed_out_, subscriptions.position(*handed_out_), now);
  if (handed_out_direct_) session->consumed(*handed_out_direct_);
  if (handed_out_datagram_) session->consumed(*handed_out_datagram_, now);
  handed_out_.reset();
  handed_out_direct_.reset();
  handed_out_datagram_.reset();
}

std::optional<EngineOutput> ClientEngine::Parts::take(session::ClientOutput& output, Instant now) {
  if (const auto* messages = std::get_if<session::DeliveryMessages>(&output)) {
    return hand_out(*messages);
  }
  if (const auto* came = std::get_if<session::DeliveryDatagram>(&output)) {
    return hand_out(came->datagram);
  }
  if (const auto* direct = std::get_if<session::DirectMessages>(&output)) {
    handed_out_direct_ = *direct;
    if (const auto lost = directs.advance(*direct)) {
      outputs.push_back(DirectMissed{std::string(direct->channel), lost->from, lost->to});
    }
    return DeliveredDirect{direct->channel, Offset(direct->first.value()), direct->count,
                           direct->frames};
  }
  // spec: SESSION-12
  if (auto taken = take_queued(output, now); !taken) session->core().fail(taken.error());
  return std::nullopt;
}

std::optional<EngineOutput> ClientEngine::Parts::hand_out(
    const session::DeliveryMessages& messages) {
  handed_out_ = messages;
  if (messages.passing != nullptr) {
    rest_ = messages;
    return std::nullopt;  // poll() goes on with it
  }
  auto delivered = subscriptions.delivered(messages);
  if (!delivered) {
    session->core().fail(delivered.error());
  } else if (*delivered) {
    return **delivered;
  }
  return std::nullopt;
}

// What came before and what is new may take turns, and each new part is a delivery.
std::optional<EngineOutput> ClientEngine::Parts::hand_out_rest() {
  auto delivered = subscriptions.arrived(*rest_, outputs);
  if (!delivered) session->core().fail(delivered.error());
  if (!delivered || rest_->count == 0) rest_.reset();
  if (!delivered || !*delivered) return std::nullopt;
  return **delivered;
}

// spec: DATAGRAM-7
std::optional<EngineOutput> ClientEngine::Parts::hand_out(const wire::DeliverDatagram& datagram) {
  auto delivered = subscriptions.delivered(datagram, outputs);
  if (!delivered) {
    session->core().fail(delivered.error());
  } else if (*delivered) {
    held_back_ = HeldBack{datagram, **delivered};
    if (outputs.empty()) return hand_out_held_back();
  }
  return std::nullopt;
}

EngineOutput ClientEngine::Parts::hand_out_held_back() {
  const HeldBack out = *std::exchange(held_back_, std::nullopt);
  handed_out_datagram_ = out.datagram;
  return out.delivered;
}

ClientEngine::Parts::Result ClientEngine::Parts::take_queued(session::ClientOutput& output,
                                                             Instant now) {
  if (const auto* ack = std::get_if<session::AckReceived>(&output)) {
    return publications.accepted(*ack->ack, outputs);
  }
  if (const auto* rejected = std::get_if<session::RejectReceived>(&output)) {
    return publications.rejected(rejected->reject, outputs);
  }
  if (const auto* alias = std::get_if<session::ChannelIntroduced>(&output)) {
    return subscriptions.introduced(*alias, outputs);
  }
  if (const auto* producer = std::get_if<session::ProducerIntroduced>(&output)) {
    return subscriptions.introduced(*producer);
  }
  if (const auto* fate = std::get_if<session::FateReceived>(&output)) {
    return questions.answered(fate->fate, outputs);
  }
  if (const auto* gap = std::get_if<session::DeliveryGap>(&output)) {
    return subscriptions.missed(*gap, outputs);
  }
  if (const auto* subscribed = std::get_if<session::SubscribedReceived>(&output)) {
    return subscriptions.subscribed(*subscribed, outputs);
  }
  if (const auto* ended = std::get_if<session::EndedReceived>(&output)) {
    return subscriptions.ended(ended->ended, outputs);
  }
  if (const auto* welcome = std::get_if<session::Welcomed>(&output)) {
    welcomed(welcome->welcome, now);
  } else if (const auto* drain = std::get_if<session::DrainReceived>(&output)) {
    outputs.push_back(Draining{drain->drain.text});  // spec: SESSION-10
  } else if (const auto* closed = std::get_if<session::CloseTransport>(&output)) {
    outputs.push_back(TransportClosed{closed->code, closed->text});
  }
  return {};
}

// ---- The door.

ClientEngine::ClientEngine(EngineConfig config, std::uint64_t seed, Instant)
    : parts_(std::make_unique<Parts>(std::move(config), seed)) {}
ClientEngine::~ClientEngine() = default;

void ClientEngine::transport_up(Instant now) { parts_->transport_up(now); }

void ClientEngine::transport_lost(ErrorCode code, std::string_view text, bool refused,
                                  Instant now) {
  parts_->transport_lost(code, text, refused, now);
}

void ClientEngine::handle_control(BytesView bytes, session::Fin fin, Instant now) {
  parts_->session->handle_control(bytes, fin, now);
}

void ClientEngine::handle_stream(session::RemoteStream stream, BytesView bytes, session::Fin fin,
                                 Instant now) {
  parts_->session->handle_stream(stream, bytes, fin, now);
}

void ClientEngine::handle_stream_reset(session::RemoteStream stream, Instant) {
  parts_->session->handle_stream_reset(stream);
}

void ClientEngine::handle_datagram(BytesView bytes, Instant now) {
  parts_->session->handle_datagram(bytes, now);
}

void ClientEngine::handle_timeout(Instant now) { parts_->handle_timeout(now); }
std::optional<Instant> ClientEngine::next_timeout() const { return parts_->next_timeout(); }
std::optional<EngineOutput> ClientEngine::poll(Instant now) { return parts_->poll(now); }

PublicationId ClientEngine::publish(const ChannelName& channel, const PublicationOptions& options,
                                    const NamedProducer* named) {
  return parts_->publications.add(channel, options, named);
}

void ClientEngine::retire(PublicationId publication) { parts_->publications.retire(publication); }

session::Outbox& ClientEngine::outbox(PublicationId publication) {
  return parts_->publications.at(publication).outbox();
}

const ProducerId& ClientEngine::producer(PublicationId publication) {
  return parts_->publications.at(publication).producer();
}

void ClientEngine::wake(PublicationId publication) { parts_->publications.wake(publication); }
bool ClientEngine::has_news() const { return parts_->publications.has_news(); }
bool ClientEngine::has_any_news() { return parts_->publications.has_any_news(); }

SubscriptionId ClientEngine::subscribe(const ChannelPattern& pattern, const StartPosition& start) {
  return parts_->subscriptions.add(pattern, start);
}

void ClientEngine::unsubscribe(SubscriptionId subscription) {
  parts_->subscriptions.remove(subscription, parts_->outputs);
}

void ClientEngine::close(Ending ending, Instant now) { parts_->close(ending, now); }
bool ClientEngine::settled() { return parts_->publications.settled(); }
std::uint64_t ClientEngine::ask(wire::Fate question) {
  return parts_->questions.add(std::move(question));
}
void ClientEngine::forget_question(std::uint64_t question) { parts_->questions.forget(question); }
bool ClientEngine::await_reply(const AwaitedReply& request) {
  return parts_->requests.add(request);
}
// spec: REQUEST-6
void ClientEngine::withdraw(const CorrelationId& request) { parts_->requests.withdraw(request); }
bool ClientEngine::take_reply(const CorrelationId& id) { return parts_->requests.take(id); }
void ClientEngine::cancel(const CorrelationId& request) {
  parts_->requests.cancel(request, parts_->session.get());
}
std::uint64_t ClientEngine::ping() { return parts_->pings.ping(parts_->session.get()); }
std::uint64_t ClientEngine::pongs() const { return parts_->pings.answered(parts_->session.get()); }

bool ClientEngine::has_transport() const { return parts_->session != nullptr; }
session::SendTable& ClientEngine::sends() { return parts_->session->core().sends(); }
session::Refill& ClientEngine::source() { return parts_->publications; }
std::vector<session::Credit>& ClientEngine::credits() { return parts_->session->core().credits(); }
void ClientEngine::flush(Instant now) { parts_->flush(now); }

void ClientEngine::acked(session::StreamKey stream, std::uint64_t size, Duration smoothed_rtt,
                         Instant now) {
  sends().acked(stream, size);
  parts_->publications.acked(size, smoothed_rtt, now);
}

void ClientEngine::datagram_acked(session::DatagramTag tag, Duration smoothed_rtt, Instant now) {
  parts_->publications.acked(tag.value(), smoothed_rtt, now);
}

void ClientEngine::stream_closed(session::StreamKey stream) { parts_->stream_closed(stream); }

bool ClientEngine::connected() const {
  return parts_->session != nullptr && parts_->session->open();
}

std::uint32_t ClientEngine::message_size_max() const { return parts_->message_size_max; }
std::uint32_t ClientEngine::publication_count_max() const { return parts_->publication_count_max; }

}  // namespace orzatty::client
