#include "link/server_engine.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"

namespace orzatty::link {

ServerEngine::ServerEngine(const ServerEngineConfig& config,
                           std::shared_ptr<const quic::ServerCredentials> credentials,
                           ServerEvents& events, std::uint64_t seed, Instant now)
    : limits_(config.hub.limits),
      endpoint_(config.endpoint, std::move(credentials), seed, now),
      hub_(config.hub, seed ^ 0x9e3779b97f4a7c15ULL, now),
      events_(events) {}

void ServerEngine::handle_datagram(const quic::Datagram& datagram, PacketSink& sink, Instant now) {
  const quic::Routed routed = endpoint_.route(datagram, sink.space(), now);
  if (const auto* reply = std::get_if<quic::Reply>(&routed)) {
    return sink.push({reply->size, datagram.local, datagram.remote, 0});
  }
  quic::ConnectionKey key;
  if (const auto* known = std::get_if<quic::Known>(&routed)) {
    key = known->key;
  } else if (const auto* accepted = std::get_if<quic::Accepted>(&routed)) {
    key = accepted->key;
  } else {
    return;
  }
  Joint& joint = joint_of(key);
  quic::Connection& connection = *endpoint_.find(key);
  receiving_ = &joint;
  receiving_at_ = now;
  connection.handle_datagram(datagram, now, *this);
  receiving_ = nullptr;
  drain_connection(joint, connection, now);
}

// Inside of connection.handle_datagram(): the connection must not be called.
void ServerEngine::on_stream_bytes(quic::StreamId stream, BytesView bytes, quic::Fin fin) {
  Joint& joint = *receiving_;
  join(joint, receiving_at_);
  const auto ends = fin == quic::Fin::kYes ? session::Fin::kYes : session::Fin::kNo;
  if (!base::planted(base::PlantedBug::kConnectionCreditIsLost))
    joint.connection_credit += bytes.size();
  if (quic::kind_of(stream) == quic::StreamKind::kBidirectional) {
    if (!joint.streams.find(session::kControlKey)) {
      joint.streams.bind(session::kControlKey, stream);
      hub_.sends(*joint.peer).opened(session::kControlKey);
    }
    joint.control_credit += bytes.size();
    hub_.handle_control(*joint.peer, bytes, ends, receiving_at_);
  } else {
    hub_.handle_stream(*joint.peer, remote_stream(stream), bytes, ends, receiving_at_);
  }
  drain_hub(receiving_at_);
}

void ServerEngine::on_datagram_frame(BytesView bytes) {
  join(*receiving_, receiving_at_);
  hub_.handle_datagram(*receiving_->peer, bytes, receiving_at_);
  drain_hub(receiving_at_);
}

void ServerEngine::drain_hub(Instant now) {
  while (auto output = hub_.poll()) {
    if (const auto* closed = std::get_if<hub::TransportClosed>(&*output)) {
      if (Joint* joint = find(closed->peer)) {
        joint->goodbye = Goodbye{closed->code, closed->text, now + kGoodbyeMax};
        mark(*joint);
      }
    } else if (const auto* joined = std::get_if<hub::PeerJoined>(&*output)) {
      if (Joint* joint = find(joined->peer)) mark(*joint);
    }
    events_.on_event(*output, now);
  }
}

void ServerEngine::drain_connection(Joint& joint, quic::Connection& connection, Instant now) {
  while (const auto event = connection.poll()) handle_event(joint, connection, *event, now);
  drain_hub(now);
  mark(joint);
}

void ServerEngine::handle_event(Joint& joint, quic::Connection& connection,
                                const quic::Event& event, Instant now) {
  if (std::holds_alternative<quic::HandshakeCompleted>(event)) {
    join(joint, now);
  } else if (const auto* acked = std::get_if<quic::StreamAcked>(&event)) {
    const auto key = joint.streams.find(acked->stream);
    if (key && joint.peer) hub_.acked(*joint.peer, *key, acked->size, now);
  } else if (const auto* arrived = std::get_if<quic::DatagramFrameAcked>(&event)) {
    if (joint.peer) hub_.datagram_acked(*joint.peer, session::DatagramTag(arrived->tag));
  } else if (const auto* lost = std::get_if<quic::DatagramFrameLost>(&event)) {
    if (joint.peer) hub_.datagram_lost(*joint.peer, session::DatagramTag(lost->tag));
  } else if (const auto* writable = std::get_if<quic::StreamWritable>(&event)) {
    const auto key = joint.streams.find(writable->stream);
    const bool told = !base::planted(base::PlantedBug::kWritableIsForgotten);
    if (key && joint.peer && told) hub_.sends(*joint.peer).writable(*key);
  } else if (const auto* reset = std::get_if<quic::StreamReset>(&event)) {
    if (!joint.peer) return;
    if (quic::kind_of(reset->stream) == quic::StreamKind::kBidirectional) {
      // spec: SESSION-13
      hub_.handle_control(*joint.peer, {}, session::Fin::kYes, now);
    } else {
      hub_.handle_stream_reset(*joint.peer, remote_stream(reset->stream), now);
    }
  } else if (std::holds_alternative<quic::StreamStopped>(event)) {
    if (joint.peer) {
      hub_.close_peer(*joint.peer, ErrorCode::kStreamUnexpected,
                      "STREAM_UNEXPECTED: a stream was refused", now);
    }
  } else if (const auto* closed_stream = std::get_if<quic::StreamClosed>(&event)) {
    const auto key = joint.streams.find(closed_stream->stream);
    if (!key) {
      // One of the peer's: it may open another in its place.
      if (joint.granted) connection.grant_streams(quic::StreamKind::kUnidirectional, 1);
    } else if (joint.peer) {
      hub_.stream_closed(*joint.peer, *key, now);
      joint.streams.unbind(closed_stream->stream);
    }
  } else if (std::holds_alternative<quic::Closed>(event)) {
    joint.goodbye.reset();
    if (joint.peer) hub_.lose_peer(*std::exchange(joint.peer, std::nullopt), now);
  }
}

void ServerEngine::join(Joint& joint, Instant now) {
  if (joint.peer) return;
  joint.peer = hub_.open_peer(now);
  if (slots_.size() <= joint.peer->slot) slots_.resize(joint.peer->slot + 1);
  slots_[joint.peer->slot] = joint.key.slot;
}

ServerEngine::Joint* ServerEngine::find(hub::PeerKey peer) {
  if (peer.slot >= slots_.size()) return nullptr;
  Joint& joint = *joints_[slots_[peer.slot]];
  return joint.used && joint.peer == peer ? &joint : nullptr;
}

ServerEngine::Joint& ServerEngine::joint_of(quic::ConnectionKey key) {
  if (joints_.size() <= key.slot) joints_.resize(key.slot + 1);
  auto& joint = joints_[key.slot];
  if (joint == nullptr) joint = std::make_unique<Joint>();
  if (!joint->used) {
    const bool dirty = joint->dirty;  // may still stand in line for the one before
    *joint = Joint{};
    joint->dirty = dirty;
    joint->used = true;
    joint->key = key;
  }
  return *joint;
}

void ServerEngine::mark(Joint& joint) {
  if (joint.dirty) return;
  joint.dirty = true;
  dirty_.push_back(joint.key.slot);
}

void ServerEngine::mark_ready_peers() {
  ready_.clear();
  hub_.take_ready(ready_);
  for (const hub::PeerKey peer : ready_) {
    if (Joint* joint = find(peer)) mark(*joint);
  }
}

// spec: CREDIT-2, TRANSPORT-4
void ServerEngine::give_credit(Joint& joint, quic::Connection& connection) {
  if (!joint.granted && !hub_.identity(*joint.peer).empty()) {
    joint.granted = true;
    connection.grant_streams(quic::StreamKind::kUnidirectional,
                             limits_.publication_count_max + limits_.passing_stream_count_max);
  }
  if (joint.connection_credit > 0) {
    connection.grant_connection_credit(std::exchange(joint.connection_credit, 0));
  }
  const auto control = joint.streams.find(session::kControlKey);
  if (joint.control_credit > 0 && control) {
    connection.grant_stream_credit(*control, std::exchange(joint.control_credit, 0));
  }
  if (draining_) return;
  auto& credits = hub_.credits(*joint.peer);
  for (const session::Credit& credit : credits) {
    connection.grant_stream_credit(quic_stream(credit.stream), credit.size);
  }
  credits.clear();
}

bool ServerEngine::write_one(Joint& joint, PacketSink& sink, Instant now) {
  quic::Connection& connection = *endpoint_.find(joint.key);
  if (joint.peer) {
    hub_.flush(*joint.peer, now);
    drain_hub(now);
  }
  close_if_said(joint, connection, now);
  BuildResult result = build(joint, connection, sink, now);
  if (close_if_said(joint, connection, now)) result = build(joint, connection, sink, now);
  if (result == BuildResult::kClosed) {
    while (const auto event = connection.poll()) handle_event(joint, connection, *event, now);
    drain_hub(now);
  }
  if (connection.closed()) {
    remove(joint, now);
    return false;
  }
  std::optional<Instant> timeout = connection.next_timeout();
  if (joint.goodbye) timeout = std::min(timeout.value_or(Instant::max()), joint.goodbye->deadline);
  timers_.set(joint.key.slot, timeout);
  return result == BuildResult::kTurnOver;
}

BuildResult ServerEngine::build(Joint& joint, quic::Connection& connection, PacketSink& sink,
                                Instant now) {
  Carried carried;
  std::size_t bytes_max = kTurnBytes;
  if (joint.peer) {
    give_credit(joint, connection);
    carried = {&hub_.sends(*joint.peer), &hub_.source(*joint.peer), &joint.streams};
    // Control frames go first, so no more of the rest leaves than fits beside them.
    if (joint.goodbye) bytes_max = std::min<std::size_t>(bytes_max, unsaid(joint));
  }
  const BuildResult result = build_packets(connection, carried, sink, bytes_max, now);
  if (joint.peer) hub_.written(*joint.peer, now);
  return result;
}

// Bytes of control frames that did not leave yet.
std::uint64_t ServerEngine::unsaid(const Joint& joint) {
  const bool speaks = joint.peer && joint.streams.find(session::kControlKey);
  return speaks ? hub_.sends(*joint.peer).queue(session::kControlKey).unsent() : 0;
}

// What was said before counts as much as the end itself: a REJECT, an ACK.
bool ServerEngine::close_if_said(Joint& joint, quic::Connection& connection, Instant now) {
  if (!joint.goodbye || (unsaid(joint) > 0 && now < joint.goodbye->deadline)) return false;
  connection.close(static_cast<std::uint64_t>(joint.goodbye->code), joint.goodbye->text);
  joint.goodbye.reset();
  return true;
}

void ServerEngine::remove(Joint& joint, Instant now) {
  if (joint.peer) hub_.lose_peer(*std::exchange(joint.peer, std::nullopt), now);
  timers_.set(joint.key.slot, std::nullopt);
  endpoint_.remove(joint.key);
  joint.used = false;
  drain_hub(now);
}

bool ServerEngine::write(PacketSink& sink, Instant now) {
  mark_ready_peers();
  for (std::size_t left = dirty_.size(); left > 0 && !sink.blocked(); --left) {
    Joint& joint = *joints_[dirty_.pop_front()];
    joint.dirty = false;
    if (joint.used && write_one(joint, sink, now)) mark(joint);
  }
  mark_ready_peers();
  return !dirty_.empty();
}

void ServerEngine::handle_timeout(Instant now) {
  hub_.handle_timeout(now);
  drain_hub(now);
  while (const auto slot = timers_.pop_due(now)) {
    Joint& joint = *joints_[*slot];
    quic::Connection* connection = joint.used ? endpoint_.find(joint.key) : nullptr;
    if (connection == nullptr) continue;
    connection->handle_timeout(now);
    drain_connection(joint, *connection, now);
  }
}

std::optional<Instant> ServerEngine::next_timeout() const {
  const std::optional<Instant> connections = timers_.next();
  const std::optional<Instant> peers = hub_.next_timeout();
  if (!connections) return peers;
  if (!peers) return connections;
  return std::min(*connections, *peers);
}

void ServerEngine::start_draining(Duration time_left, std::string_view text) {
  draining_ = true;
  hub_.drain(time_left, text);
}

bool ServerEngine::busy() const {
  return std::ranges::any_of(
      joints_, [&](const auto& joint) { return joint != nullptr && unsettled(*joint); });
}

std::vector<hub::PeerKey> ServerEngine::unsettled_peers() const {
  std::vector<hub::PeerKey> peers;
  for (const auto& joint : joints_) {
    if (joint != nullptr && unsettled(*joint)) peers.push_back(*joint->peer);
  }
  return peers;
}

bool ServerEngine::unsettled(const Joint& joint) const {
  return joint.used && joint.peer && !joint.goodbye && !hub_.settled(*joint.peer);
}

bool ServerEngine::closing() const {
  return std::ranges::any_of(joints_, [](const auto& joint) {
    return joint != nullptr && joint->used && (joint->goodbye || joint->dirty);
  });
}

void ServerEngine::close_all(ErrorCode code, std::string_view text, Instant now) {
  for (const auto& joint : joints_) {
    if (joint == nullptr || !joint->used) continue;
    if (joint->peer) {
      hub_.close_peer(*joint->peer, code, text, now);
    } else {
      endpoint_.find(joint->key)->close(static_cast<std::uint64_t>(code), text);
      mark(*joint);
    }
  }
  drain_hub(now);
}

}  // namespace orzatty::link
