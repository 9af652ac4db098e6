#include "link/client_link.h"

#include "base/assert.h"

namespace orzatty::link {

namespace {

// What a client is told of the end of a connection that the server's application did not close.
ErrorCode code_of(const quic::Closed& closed) {
  switch (closed.origin) {
    case quic::CloseOrigin::kPeer:
      return static_cast<ErrorCode>(closed.code);
    case quic::CloseOrigin::kLocal:
      return static_cast<ErrorCode>(closed.code);
    case quic::CloseOrigin::kAlpn:
      return ErrorCode::kVersionUnsupported;
    case quic::CloseOrigin::kIdle:
    case quic::CloseOrigin::kHandshakeTimeout:
    case quic::CloseOrigin::kStatelessReset:
      return ErrorCode::kPeerSilent;
    case quic::CloseOrigin::kCertificate:
      return ErrorCode::kNotAuthorised;
    case quic::CloseOrigin::kTransport:
      return ErrorCode::kInternal;
  }
  ORZATTY_UNREACHABLE();
}

// The more often a first packet was repeated in vain, the longer its sender waits for the next
// time: on a path that comes back a new attempt is faster.
constexpr Duration kUnansweredMax = std::chrono::seconds(4);

// Asking again would give the same answer.
bool is_final(const quic::Closed& closed) {
  return closed.origin == quic::CloseOrigin::kCertificate ||
         closed.origin == quic::CloseOrigin::kAlpn;
}

}  // namespace

ClientLink::ClientLink(client::EngineConfig engine, const quic::ConnectionConfig& connection,
                       std::shared_ptr<const quic::ClientCredentials> credentials,
                       std::string server_name, ClientEvents& events, std::uint64_t seed,
                       Instant now)
    : engine_(std::move(engine), seed, now),
      config_(connection),
      credentials_(std::move(credentials)),
      server_name_(std::move(server_name)),
      events_(events),
      seed_(seed) {}

void ClientLink::connect(const base::Address& local, const base::Address& remote, Instant now) {
  streams_ = StreamMap();
  attempt_at_ = now;
  answered_ = false;
  control_credit_ = connection_credit_ = 0;
  connection_ =
      quic::Connection::connect(config_, credentials_, local, remote, server_name_, ++seed_, now);
}

void ClientLink::connect_failed(std::string_view text, Instant now) {
  connection_.reset();
  engine_.transport_lost(ErrorCode::kPeerSilent, text, false, now);
  drain(now);
}

void ClientLink::migrate(const base::Address& local, Instant now) {
  if (connection_ == nullptr) return;
  connection_->migrate(local, now);
  // The server learns the address from what is sent there, and we may have nothing to say.
  if (engine_.has_transport()) static_cast<void>(engine_.ping());
}

void ClientLink::handle_datagram(const quic::Datagram& datagram, Instant now) {
  if (connection_ == nullptr) return;
  receiving_at_ = now;
  answered_ = true;
  connection_->handle_datagram(datagram, now, *this);
  drain_connection(now);
}

// Inside of connection_->handle_datagram(): the connection must not be called.
void ClientLink::on_stream_bytes(quic::StreamId stream, BytesView bytes, quic::Fin fin) {
  if (!engine_.has_transport()) return;
  const auto ends = fin == quic::Fin::kYes ? session::Fin::kYes : session::Fin::kNo;
  connection_credit_ += bytes.size();
  if (quic::kind_of(stream) == quic::StreamKind::kBidirectional) {
    control_credit_ += bytes.size();
    engine_.handle_control(bytes, ends, receiving_at_);
  } else {
    engine_.handle_stream(remote_stream(stream), bytes, ends, receiving_at_);
  }
  drain(receiving_at_);
}

void ClientLink::on_datagram_frame(BytesView bytes) {
  if (!engine_.has_transport()) return;
  engine_.handle_datagram(bytes, receiving_at_);
  drain(receiving_at_);
}

void ClientLink::drain(Instant now) {
  while (auto output = engine_.poll(now)) {
    if (const auto* closed = std::get_if<client::TransportClosed>(&*output)) {
      if (connection_ != nullptr) {
        connection_->close(static_cast<std::uint64_t>(closed->code), closed->text);
        close_due_ = true;
      }
    } else if (const auto* gone = std::get_if<client::Disconnected>(&*output)) {
      finished_ = !gone->retrying;
    }
    events_.on_event(*output, now);
  }
}

void ClientLink::drain_connection(Instant now) {
  while (const auto event = connection_->poll()) handle_event(*event, now);
  drain(now);
}

void ClientLink::open_control(Instant now) {
  const auto stream = connection_->open_stream(quic::StreamKind::kBidirectional);
  if (!stream) {
    connection_->close(static_cast<std::uint64_t>(ErrorCode::kStreamUnexpected),
                       "STREAM_UNEXPECTED: no control stream granted");
    return;
  }
  engine_.transport_up(now);
  streams_.bind(session::kControlKey, *stream);
  engine_.sends().opened(session::kControlKey);
}

void ClientLink::handle_event(const quic::Event& event, Instant now) {
  if (std::holds_alternative<quic::HandshakeCompleted>(event)) return open_control(now);
  if (const auto* closed = std::get_if<quic::Closed>(&event)) return handle_closed(*closed, now);
  if (const auto* received = std::get_if<quic::AddressTokenReceived>(&event)) {
    config_.address_token = received->token;  // until there is another: it may be used again
    return;
  }
  if (!engine_.has_transport()) return;
  if (const auto* acked = std::get_if<quic::StreamAcked>(&event)) {
    const auto key = streams_.find(acked->stream);
    if (key) engine_.acked(*key, acked->size, connection_->smoothed_rtt(), now);
  } else if (const auto* arrived = std::get_if<quic::DatagramFrameAcked>(&event)) {
    engine_.datagram_acked(session::DatagramTag(arrived->tag), connection_->smoothed_rtt(), now);
  } else if (const auto* writable = std::get_if<quic::StreamWritable>(&event)) {
    if (const auto key = streams_.find(writable->stream)) engine_.sends().writable(*key);
  } else if (const auto* reset = std::get_if<quic::StreamReset>(&event)) {
    if (quic::kind_of(reset->stream) == quic::StreamKind::kBidirectional) {
      // spec: SESSION-13
      engine_.handle_control({}, session::Fin::kYes, now);
    } else {
      engine_.handle_stream_reset(remote_stream(reset->stream), now);
    }
  } else if (const auto* stopped = std::get_if<quic::StreamStopped>(&event)) {
    // A session that can say nothing any more. Of a publication the end of its stream tells.
    // spec: SESSION-13
    if (quic::kind_of(stopped->stream) == quic::StreamKind::kBidirectional) {
      engine_.handle_control({}, session::Fin::kYes, now);
    }
  } else if (const auto* closed_stream = std::get_if<quic::StreamClosed>(&event)) {
    const auto key = streams_.find(closed_stream->stream);
    if (key) {
      engine_.stream_closed(*key);
      streams_.unbind(closed_stream->stream);
    } else {
      connection_->grant_streams(quic::StreamKind::kUnidirectional, 1);
    }
  }
}

void ClientLink::handle_closed(const quic::Closed& closed, Instant now) {
  engine_.transport_lost(code_of(closed), closed.text, is_final(closed), now);
}

std::optional<Instant> ClientLink::unanswered_until() const {
  if (connection_ == nullptr || answered_) return std::nullopt;
  return attempt_at_ + kUnansweredMax;
}

void ClientLink::handle_timeout(Instant now) {
  if (const auto until = unanswered_until(); until && *until <= now) {
    connect_failed("no answer to the first packets", now);
  }
  if (connection_ != nullptr) {
    const auto due = connection_->next_timeout();
    if (due && *due <= now) {
      connection_->handle_timeout(now);
      drain_connection(now);
    }
  }
  engine_.handle_timeout(now);
  drain(now);
}

std::optional<Instant> ClientLink::next_timeout() const {
  const auto connection = connection_ == nullptr ? std::nullopt : connection_->next_timeout();
  std::optional<Instant> next;
  for (const auto& timeout : {engine_.next_timeout(), connection, unanswered_until()}) {
    if (timeout && (!next || *timeout < *next)) next = timeout;
  }
  return next;
}

void ClientLink::give_credit() {
  if (connection_credit_ > 0) {
    connection_->grant_connection_credit(std::exchange(connection_credit_, 0));
  }
  const auto control = streams_.find(session::kControlKey);
  if (control_credit_ > 0 && control) {
    connection_->grant_stream_credit(*control, std::exchange(control_credit_, 0));
  }
  auto& credits = engine_.credits();
  for (const session::Credit& credit : credits) {
    connection_->grant_stream_credit(quic_stream(credit.stream), credit.size);
  }
  credits.clear();
}

bool ClientLink::write(PacketSink& sink, Instant now) {
  if (connection_ == nullptr) return false;
  Carried carried;
  if (engine_.has_transport()) {
    engine_.flush(now);
    give_credit();
    carried = {&engine_.sends(), &engine_.source(), &streams_};
  }
  close_due_ = false;
  BuildResult result = build_packets(*connection_, carried, sink, kTurnBytes, now);
  drain_connection(now);
  // That was the last frame of the session: the end of its connection goes right behind.
  if (close_due_) {
    result = build_packets(*connection_, Carried{}, sink, kTurnBytes, now);
    drain_connection(now);
  }
  if (connection_->closed()) {
    connection_.reset();
    return false;
  }
  return result == BuildResult::kTurnOver;
}

bool ClientLink::quiet() const {
  return connection_ == nullptr || connection_->bytes_in_flight() == 0;
}

Duration ClientLink::smoothed_rtt() const {
  return connection_ == nullptr ? Duration::zero() : connection_->smoothed_rtt();
}

}  // namespace orzatty::link
