#include "quic/two_ends.h"

#include <gnutls/gnutls.h>
#include <gtest/gtest.h>

namespace orzatty::quic::test {
namespace {

// TLS judges dates by this clock.
constexpr std::int64_t kUnixTime = 1'800'000'000;

}  // namespace

SelfSigned self_signed(SelfSignedOptions options) {
  gnutls_global_set_time_function([](time_t* out) {
    if (out != nullptr) *out = kUnixTime;
    return time_t{kUnixTime};
  });
  if (options.unix_time == 0) options.unix_time = kUnixTime;
  return *make_self_signed(options);
}

std::shared_ptr<const ServerCredentials> server_credentials(const SelfSigned& certificate) {
  return *ServerCredentials::from_pem(certificate.certificate_pem, certificate.private_key_pem);
}

std::shared_ptr<const ClientCredentials> trusting(const SelfSigned& certificate) {
  return *ClientCredentials::make({.kind = Trust::Kind::kAuthorities,
                                   .authorities_pem = certificate.certificate_pem,
                                   .pins = {}});
}

std::shared_ptr<const ClientCredentials> pinning(const SelfSigned& certificate) {
  return *ClientCredentials::make(
      {.kind = Trust::Kind::kPin,
       .authorities_pem = {},
       .pins = {read_certificate(certificate.certificate_pem)->fingerprint}});
}

std::shared_ptr<const ClientCredentials> trusting_anyone() {
  return *ClientCredentials::make(
      {.kind = Trust::Kind::kAnyone, .authorities_pem = {}, .pins = {}});
}

void End::on_stream_bytes(StreamId stream, BytesView bytes, Fin fin) {
  received[stream] += text_of(bytes);
  if (fin == Fin::kYes) finished.insert(stream);
  if (granting_) credit_.emplace_back(stream, bytes.size());
}

void End::send(StreamId stream, std::string bytes, Fin fin) {
  Outgoing& out = outgoing[stream];
  if (!bytes.empty()) out.chunks.push_back(std::move(bytes));
  out.fin = fin == Fin::kYes;
}

void End::poll() {
  for (const auto& [stream, size] : credit_) {
    connection_->grant_stream_credit(stream, size);
    connection_->grant_connection_credit(size);
  }
  credit_.clear();
  while (auto event = connection_->poll()) {
    if (const auto* writable = std::get_if<StreamWritable>(&*event)) {
      outgoing[writable->stream].blocked = false;
    }
    events.push_back(std::move(*event));
  }
}

std::optional<Written> End::write_datagrams(std::span<std::byte> out, Instant now) {
  while (!outgoing_datagrams.empty()) {
    const auto& [tag, text] = outgoing_datagrams.front();
    const BytesView view = bytes_of(text);
    const Written written = connection_->write_datagram_frame(out, tag, std::span(&view, 1), now);
    const bool refused = written.status == WriteStatus::kDatagramRefused;
    if (refused) refused_datagrams.push_back(tag);
    const bool goes_on = refused || written.status == WriteStatus::kRoomLeft;
    if (written.taken > 0 || refused) outgoing_datagrams.pop_front();
    if (!goes_on) return written;
  }
  return std::nullopt;
}

Written End::write(std::span<std::byte> out, Instant now) {
  if (const auto written = write_datagrams(out, now)) return *written;
  for (auto& [stream, data] : outgoing) {
    while (data.ready()) {
      const bool has_chunk = data.chunk < data.chunks.size();
      const BytesView view =
          has_chunk ? bytes_of(data.chunks[data.chunk]).subspan(data.sent) : BytesView{};
      const bool last = data.chunk + 1 >= data.chunks.size();
      const Fin fin = data.fin && last ? Fin::kYes : Fin::kNo;
      const std::span<const BytesView> views(&view, has_chunk ? 1 : 0);
      const Written written = connection_->write(out, stream, views, fin, now);
      const bool took =
          written.status == WriteStatus::kPacket || written.status == WriteStatus::kRoomLeft;
      if (took) {
        data.sent += written.taken;
        const bool whole = written.taken == view.size();
        // A packet may be a probe or carry something older, and take none of an empty end.
        const bool fin_taken = has_chunk ? whole : written.status == WriteStatus::kRoomLeft;
        if (fin == Fin::kYes && fin_taken) data.fin_sent = true;
        if (has_chunk && whole) {
          ++data.chunk;
          data.sent = 0;
        }
      }
      switch (written.status) {
        case WriteStatus::kPacket:
        case WriteStatus::kIdle:
        case WriteStatus::kClosed:
          return written;
        case WriteStatus::kRoomLeft:
          break;
        case WriteStatus::kStreamBlocked:
          data.blocked = true;
          break;
        case WriteStatus::kStreamGone:
        case WriteStatus::kDatagramRefused:
          data.gone = true;
          break;
      }
    }
  }
  return connection_->write(out, now);
}

World::World(const WorldConfig& config, std::shared_ptr<const ServerCredentials> credentials)
    : link(config.link),
      endpoint(config.server, std::move(credentials), config.seed, now),
      random_(config.seed),
      seed_(config.seed) {}

End& World::connect(const ConnectionConfig& config,
                    std::shared_ptr<const ClientCredentials> credentials,
                    const std::string& server_name, const base::Address& address) {
  auto connection = Connection::connect(config, std::move(credentials), address, kServerAddress,
                                        server_name, seed_ * 1000 + clients_.size(), now);
  auto end = std::make_unique<End>(connection.get());
  clients_.push_back({std::move(connection), std::move(end), address});
  return *clients_.back().end;
}

std::vector<End*> World::ends() {
  std::vector<End*> all;
  for (Client& client : clients_) all.push_back(client.end.get());
  for (Peer& peer : accepted_) {
    if (!peer.removed) all.push_back(peer.end.get());
  }
  return all;
}

void World::pump() {
  for (End* end : ends()) pump_end(*end);
}

void World::pump_end(End& end) {
  end.poll();
  for (;;) {
    std::array<std::byte, 1500> out{};
    const Written written = end.write(out, now);
    if (written.status != WriteStatus::kPacket) break;
    end.packet_sizes.push_back(written.packet.size);
    send(written.packet.local, written.packet.remote, std::span(out).first(written.packet.size));
  }
  end.connection().burst_sent(now);
  end.poll();
}

void World::send(const base::Address& from, const base::Address& to, BytesView bytes) {
  if (random_.chance(link.loss) || bytes.size() > link.packet_size_max) return;
  base::Address source = from;
  base::Address target = to;
  if (const auto found = rebound_.find(from); found != rebound_.end()) source = found->second;
  for (const auto& [inside, outside] : rebound_) {
    if (target == outside) target = inside;
  }
  Bytes arriving = copy_of(bytes);
  if (link.damage > 0 && random_.chance(link.damage)) {
    arriving[random_.next() % arriving.size()] ^= std::byte{1};
    ++damaged_count;
  }
  flying_.emplace(now + link.delay, Flying{source, target, std::move(arriving)});
}

void World::deliver(const Flying& datagram) {
  if (datagram.to == kServerAddress) return deliver_to_server(datagram);
  const auto has_address = [&](const Client& client) { return client.address == datagram.to; };
  // The newest address of a client that migrated is not known here: who has its IP takes it.
  const auto has_ip = [&](const Client& client) { return client.address.ip == datagram.to.ip; };
  auto client = std::ranges::find_if(clients_, has_address);
  if (client == clients_.end()) client = std::ranges::find_if(clients_, has_ip);
  if (client == clients_.end()) return;
  client->connection->handle_datagram({datagram.to, datagram.from, datagram.bytes}, now,
                                      *client->end);
  pump_end(*client->end);
}

void World::deliver_to_server(const Flying& datagram) {
  if (!server_answers) return;
  const Datagram incoming{kServerAddress, datagram.from, datagram.bytes};
  const Routed routed = endpoint.route(incoming, scratch, now);
  if (const auto* reply = std::get_if<Reply>(&routed)) {
    EXPECT_LE(reply->size, datagram.bytes.size());
    return send(kServerAddress, datagram.from, std::span(scratch).first(reply->size));
  }
  ConnectionKey key;
  if (const auto* accepted = std::get_if<Accepted>(&routed)) {
    key = accepted->key;
    accepted_.push_back({key, std::make_unique<End>(endpoint.find(key))});
  } else if (const auto* known = std::get_if<Known>(&routed)) {
    key = known->key;
  } else {
    return;
  }
  for (Peer& peer : accepted_) {
    if (peer.key != key || peer.removed) continue;
    peer.end->connection().handle_datagram(incoming, now, *peer.end);
    pump_end(*peer.end);
    return;
  }
}

Routed World::throw_at_server(BytesView bytes, const base::Address& from) {
  return endpoint.route({kServerAddress, from, bytes}, scratch, now);
}

void World::forget_server_connections() {
  for (Peer& peer : accepted_) {
    endpoint.remove(peer.key);
    peer.removed = true;
  }
}

std::optional<Instant> World::next_event() {
  std::optional<Instant> next;
  if (!flying_.empty()) next = flying_.begin()->first;
  for (End* end : ends()) {
    const auto timeout = end->connection().next_timeout();
    if (timeout && (!next || *timeout < *next)) next = timeout;
  }
  return next;
}

void World::step(Instant at) {
  now = std::max(now, at);
  while (!flying_.empty() && flying_.begin()->first <= now) {
    const Flying datagram = std::move(flying_.begin()->second);
    flying_.erase(flying_.begin());
    deliver(datagram);
  }
  for (End* end : ends()) {
    const auto timeout = end->connection().next_timeout();
    if (!timeout || *timeout > now) continue;
    end->connection().handle_timeout(now);
    pump_end(*end);
  }
  for (Peer& peer : accepted_) {
    if (peer.removed || !peer.end->connection().closed()) continue;
    peer.end->poll();
    endpoint.remove(peer.key);
    peer.removed = true;
  }
}

bool World::run_until(const std::function<bool()>& done, Duration at_most) {
  const Instant end = now + at_most;
  pump();
  while (!done()) {
    const auto next = next_event();
    if (!next || *next > end) return false;
    step(*next);
  }
  return true;
}

void World::run_for(Duration duration) {
  const Instant end = now + duration;
  run_until([] { return false; }, duration);
  now = end;
}

}  // namespace orzatty::quic::test
