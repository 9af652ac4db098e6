#include "quic/connection.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/assert.h"
#include "quic/connection_state.h"
#include "quic/credentials.h"
#include "quic/error_translation.h"
#include "quic/sockaddr.h"

namespace orzatty::quic {
namespace {

// Nothing of QUIC is shorter: a short header, the id, and the sample for header protection. ngtcp2
// ends the process on an empty one.
constexpr std::size_t kDatagramSizeMin = 21;
constexpr std::int64_t kNoStream = -1;

std::uint8_t* raw(std::span<std::byte> bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

struct Vectors {
  std::array<ngtcp2_vec, Connection::kSpanMax> vectors;
  std::size_t count = 0;
  std::size_t size = 0;  // of all bytes

  explicit Vectors(std::span<const BytesView> bytes) {
    for (const BytesView& view : bytes.first(std::min(bytes.size(), vectors.size()))) {
      // ngtcp2 takes what it only reads as non-const.
      auto* data = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(view.data()));
      vectors[count++] = {data, view.size()};
      size += view.size();
    }
  }
};

// Made where it is returned: there is one for each packet. `taken` is negative when the packet says
// nothing of what was offered.
Written packet(ConnectionState& state, ngtcp2_ssize size, ngtcp2_ssize taken = -1) {
  state.path_out.translate();
  return Written{.status = WriteStatus::kPacket,
                 .taken = static_cast<std::size_t>(std::max<ngtcp2_ssize>(taken, 0)),
                 .included = taken >= 0,
                 .packet = {.size = static_cast<std::size_t>(size),
                            .local = state.path_out.local(),
                            .remote = state.path_out.remote(),
                            .ecn = static_cast<std::uint8_t>(state.packet_info.ecn)}};
}

// What is left to say when the connection is closing or closed.
Written write_close(ConnectionState& state, std::span<std::byte> out, std::uint64_t time) {
  state.packet_info = {};
  state.packet_open = false;
  const std::size_t size = state.closing.write(state.native(), state.path_out.native(), out, time);
  if (size == 0) return Written{.status = WriteStatus::kClosed};
  return packet(state, static_cast<ngtcp2_ssize>(size));
}

// A packet that is finished, or nothing.
Written finished(ConnectionState& state, ngtcp2_ssize size, ngtcp2_ssize taken) {
  state.packet_open = false;
  if (size == 0) return Written{.status = WriteStatus::kIdle};
  return packet(state, size, taken);
}

Written stream_gone(ConnectionState& state, StreamId stream, int error) {
  const bool known = std::ranges::find(state.shut, stream) != state.shut.end();
  if (error == NGTCP2_ERR_STREAM_SHUT_WR && !known) {
    state.shut.push_back(stream);
    state.events.push(StreamStopped{stream, 0});
  }
  return Written{.status = WriteStatus::kStreamGone};
}

}  // namespace

std::unique_ptr<Connection> Connection::connect(
    const ConnectionConfig& config, std::shared_ptr<const ClientCredentials> credentials,
    const base::Address& local, const base::Address& remote, const std::string& server_name,
    std::uint64_t seed, Instant now) {
  return std::make_unique<Connection>(std::make_unique<ConnectionState>(
      config, std::move(credentials), Ends{local, remote}, server_name, seed, now));
}

Connection::Connection(std::unique_ptr<ConnectionState> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

void Connection::handle_datagram(const Datagram& datagram, Instant now, StreamSink& sink) {
  ORZATTY_ASSERT(!state_->packet_open);
  const std::uint64_t time = state_->advance(now);
  if (datagram.bytes.size() < kDatagramSizeMin) return;
  if (!state_->closing.open()) return state_->closing.handle_datagram();
  SocketPath path(datagram.local, datagram.remote);
  const ngtcp2_path native_path = path.view();
  const ngtcp2_pkt_info info{datagram.ecn};
  state_->sink = &sink;
  const int error = ngtcp2_conn_read_pkt(
      state_->native(), &native_path, &info,
      reinterpret_cast<const std::uint8_t*>(datagram.bytes.data()), datagram.bytes.size(), time);
  state_->sink = nullptr;
  if (error != 0) return state_->fail(error);
  // The TLS session has done its work: 10 KB per connection. Not within its own callbacks.
  if (state_->established && state_->tls != nullptr) state_->drop_tls();
  state_->blocked.announce(state_->native(), state_->events);
}

void Connection::handle_timeout(Instant now) {
  ORZATTY_ASSERT(!state_->packet_open);
  const std::uint64_t time = state_->advance(now);
  if (!state_->closing.open()) return state_->closing.handle_timeout(time);
  const int error = ngtcp2_conn_handle_expiry(state_->native(), time);
  if (error != 0) state_->fail(error);
}

std::optional<Event> Connection::poll() { return state_->events.pop(); }

std::optional<Instant> Connection::next_timeout() const {
  std::uint64_t time = 0;
  if (state_->closing.open()) {
    time = ngtcp2_conn_get_expiry(state_->native());
  } else if (const auto deadline = state_->closing.deadline()) {
    time = *deadline;
  } else {
    return {};
  }
  constexpr auto kNever = static_cast<std::uint64_t>(Instant::max().time_since_epoch().count());
  if (time >= kNever) return {};
  return Instant(Duration(static_cast<Duration::rep>(time)));
}

std::optional<StreamId> Connection::open_stream(StreamKind kind) {
  if (!state_->closing.open()) return {};
  std::int64_t stream = kNoStream;
  const int error = kind == StreamKind::kBidirectional
                        ? ngtcp2_conn_open_bidi_stream(state_->native(), &stream, nullptr)
                        : ngtcp2_conn_open_uni_stream(state_->native(), &stream, nullptr);
  if (error != 0) return {};
  return StreamId(stream);
}

void Connection::grant_streams(StreamKind kind, std::uint64_t count) {
  if (kind == StreamKind::kBidirectional) {
    ngtcp2_conn_extend_max_streams_bidi(state_->native(), count);
  } else {
    ngtcp2_conn_extend_max_streams_uni(state_->native(), count);
  }
}

void Connection::grant_stream_credit(StreamId stream, std::uint64_t size) {
  // The stream may have ended meanwhile; then there is nobody to give it to.
  static_cast<void>(ngtcp2_conn_extend_max_stream_offset(state_->native(), stream.value(), size));
}

void Connection::grant_connection_credit(std::uint64_t size) {
  ngtcp2_conn_extend_max_offset(state_->native(), size);
}

void Connection::reset_stream(StreamId stream, std::uint64_t code) {
  if (!state_->closing.open()) return;
  state_->blocked.remove(stream);
  if (std::ranges::find(state_->shut, stream) == state_->shut.end()) {
    state_->shut.push_back(stream);
  }
  const int error = ngtcp2_conn_shutdown_stream_write(state_->native(), 0, stream.value(), code);
  ORZATTY_ASSERT(error == 0);
}

void Connection::stop_stream(StreamId stream, std::uint64_t code) {
  if (!state_->closing.open()) return;
  const int error = ngtcp2_conn_shutdown_stream_read(state_->native(), 0, stream.value(), code);
  ORZATTY_ASSERT(error == 0);
}

Written Connection::write(std::span<std::byte> out, StreamId stream,
                          std::span<const BytesView> bytes, Fin fin, Instant now) {
  ConnectionState& state = *state_;
  const std::uint64_t time = state.advance(now);
  if (!state.closing.open()) return write_close(state, out, time);
  const Vectors vectors(bytes);
  // ngtcp2 tells a stream that lacks credit, but not a connection that does.
  if (vectors.size > 0 && ngtcp2_conn_get_max_data_left(state.native()) == 0) {
    state.blocked.add(stream);
    state.blocked.connection_blocked();
    return Written{.status = WriteStatus::kStreamBlocked};
  }
  std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
  if (fin == Fin::kYes && vectors.count == bytes.size()) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
  ngtcp2_ssize taken = -1;
  const ngtcp2_ssize size = ngtcp2_conn_writev_stream(
      state.native(), state.path_out.native(), &state.packet_info, raw(out), out.size(), &taken, flags,
      stream.value(), vectors.vectors.data(), vectors.count, time);
  if (size >= 0) return finished(state, size, taken);
  switch (size) {
    case NGTCP2_ERR_WRITE_MORE:
      state.packet_open = true;
      return Written{WriteStatus::kRoomLeft, static_cast<std::size_t>(taken), true, {}};
    case NGTCP2_ERR_STREAM_DATA_BLOCKED: {
      state.blocked.add(stream);
      if (state.packet_open) return Written{.status = WriteStatus::kStreamBlocked};
      // ngtcp2 has begun a packet nevertheless.
      const Written rest = write(out, now);
      return rest.status == WriteStatus::kIdle ? Written{.status = WriteStatus::kStreamBlocked}
                                               : rest;
    }
    case NGTCP2_ERR_STREAM_SHUT_WR:
    case NGTCP2_ERR_STREAM_NOT_FOUND:
      return stream_gone(state, stream, static_cast<int>(size));
    default:
      state.fail(static_cast<int>(size));
      return write_close(state, out, time);
  }
}

Written Connection::write(std::span<std::byte> out, Instant now) {
  ConnectionState& state = *state_;
  const std::uint64_t time = state.advance(now);
  if (!state.closing.open()) return write_close(state, out, time);
  const ngtcp2_ssize size = ngtcp2_conn_writev_stream(
      state.native(), state.path_out.native(), &state.packet_info, raw(out), out.size(), nullptr,
      NGTCP2_WRITE_STREAM_FLAG_NONE, kNoStream, nullptr, 0, time);
  if (size >= 0) return finished(state, size, -1);
  state.fail(static_cast<int>(size));
  return write_close(state, out, time);
}

std::size_t Connection::burst_size_max() const {
  ngtcp2_conn_info info{};
  ngtcp2_conn_get_conn_info(state_->native(), &info);
  const bool measured = info.min_rtt != UINT64_MAX && info.min_rtt > 0;
  if (!measured) return std::numeric_limits<std::size_t>::max();
  const double rate = static_cast<double>(info.cwnd) / static_cast<double>(info.min_rtt);
  const double burst = rate * static_cast<double>(kBurst.count());
  // Two packets, which most receivers acknowledge at once.
  return std::max(static_cast<std::size_t>(burst), 2 * packet_size_max());
}

Written Connection::write_datagram_frame(std::span<std::byte> out, std::uint64_t tag,
                                         std::span<const BytesView> bytes, Instant now) {
  ConnectionState& state = *state_;
  const std::uint64_t time = state.advance(now);
  if (!state.closing.open()) return write_close(state, out, time);
  const Vectors vectors(bytes);
  ORZATTY_ASSERT(vectors.size > 0 && vectors.count == bytes.size());
  int accepted = 0;
  const ngtcp2_ssize size = ngtcp2_conn_writev_datagram(
      state.native(), state.path_out.native(), &state.packet_info, raw(out), out.size(), &accepted,
      NGTCP2_WRITE_DATAGRAM_FLAG_MORE, tag, vectors.vectors.data(), vectors.count, time);
  const std::size_t taken = accepted != 0 ? vectors.size : 0;
  if (size >= 0) return finished(state, size, static_cast<ngtcp2_ssize>(taken));
  switch (size) {
    case NGTCP2_ERR_WRITE_MORE:
      state.packet_open = true;
      return Written{.status = WriteStatus::kRoomLeft, .taken = taken, .included = true};
    case NGTCP2_ERR_INVALID_STATE:
    case NGTCP2_ERR_INVALID_ARGUMENT:
      return Written{.status = WriteStatus::kDatagramRefused};
    default:
      state.fail(static_cast<int>(size));
      return write_close(state, out, time);
  }
}

void Connection::burst_sent(Instant now) {
  const std::uint64_t time = state_->advance(now);
  if (state_->closing.open()) ngtcp2_conn_update_pkt_tx_time(state_->native(), time);
}

void Connection::close(std::uint64_t code, std::string_view text) {
  state_->close({CloseOrigin::kLocal, code, std::string(text)}, ClosedBy::kApplication);
}

void Connection::migrate(const base::Address& local, Instant now) {
  const std::uint64_t time = state_->advance(now);
  if (!state_->closing.open()) return;
  const base::Address remote = address_of(ngtcp2_conn_get_path(state_->native())->remote);
  SocketPath path(local, remote);
  const ngtcp2_path native_path = path.view();
  if (ngtcp2_conn_initiate_immediate_migration(state_->native(), &native_path, time) == 0) return;
  // Too early, or no spare id of the server: then it looks to the server like a NAT's new binding,
  // which it checks by itself.
  ngtcp2_conn_set_local_addr(state_->native(), &native_path.local);
}

bool Connection::established() const { return state_->established; }
bool Connection::closed() const { return state_->closing.gone(); }
bool Connection::said_goodbye() const { return state_->closing.said(); }

Duration Connection::smoothed_rtt() const {
  ngtcp2_conn_info info{};
  ngtcp2_conn_get_conn_info(state_->native(), &info);
  return Duration(static_cast<Duration::rep>(info.smoothed_rtt));
}

std::uint64_t Connection::congestion_window() const {
  ngtcp2_conn_info info{};
  ngtcp2_conn_get_conn_info(state_->native(), &info);
  return info.cwnd;
}

std::uint64_t Connection::bytes_in_flight() const {
  ngtcp2_conn_info info{};
  ngtcp2_conn_get_conn_info(state_->native(), &info);
  return info.bytes_in_flight;
}

std::size_t Connection::packet_size_max() const {
  return ngtcp2_conn_get_path_max_tx_udp_payload_size(state_->native());
}

}  // namespace orzatty::quic
