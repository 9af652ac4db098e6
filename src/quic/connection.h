// One QUIC connection, client's or server's, as a state machine without I/O.
//
// The contract: after handle_datagram() or handle_timeout() call poll() until it is empty, then
// write() until it gives no packet. Received bytes go to the StreamSink at once (see stream.h), all
// else comes out of poll() as values. Bytes to send are borrowed from the caller, who keeps them
// where they are until StreamAcked covers them, or the stream is reset or closed, or the connection
// is gone. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "base/address.h"
#include "orzatty/bytes.h"
#include "orzatty/time.h"
#include "quic/stream.h"

namespace orzatty::quic {

class ClientCredentials;
class ConnectionState;  // holds ngtcp2's and GnuTLS's objects; connection_state.h

enum class CongestionControl : std::uint8_t {
  kCubic,  // takes every loss for congestion: 25 times slower at 2 % loss and 40 ms
  kBbr,    // sends at the rate that it measures; paced, so burst_sent() must be called
};

enum class PacketProtection : std::uint8_t {
  kFastest,  // ipsec-mb where this build and this processor have what it takes, else GnuTLS
  kGnutls,
};

struct ConnectionConfig {
  std::uint64_t stream_window = 2 * 1024 * 1024;      // bytes a peer may send on one stream
  std::uint64_t stream_window_max = 8 * 1024 * 1024;  // the same, once half of it is used up in less
                                                      // than two round trips; at least the above
  std::uint64_t connection_window = 8 * 1024 * 1024;  // and on all together
  std::uint64_t bidi_stream_count = 0;  // streams that the peer may open before grant_streams()
  std::uint64_t uni_stream_count = 0;
  Duration handshake_timeout = std::chrono::seconds(15);
  Duration idle_timeout = std::chrono::seconds(30);
  Duration ack_delay_max = std::chrono::milliseconds(5);
  // Fits IPv6 and Ethernet. Packets begin with 1200 bytes, and path discovery tries this size first
  // as soon as the handshake is done, then smaller ones. 1200 to 65527.
  std::size_t packet_size_max = 1452;
  // The largest DATAGRAM frame that is taken, its type and length included; 0: none is.
  std::uint64_t datagram_frame_size_max = 65535;  // whatever fits a packet
  CongestionControl congestion_control = CongestionControl::kBbr;
  PacketProtection packet_protection = PacketProtection::kFastest;
  // ALPN; who does not offer it is refused. Empty: none is asked for.
  std::string application_protocol = "orzatty/1";
  // A client's: what the last AddressTokenReceived from that server held. With it a server under
  // load asks for no further round trip. One that it does not know does no harm.
  Bytes address_token{};
};

struct Datagram {
  base::Address local;
  base::Address remote;
  BytesView bytes;
  std::uint8_t ecn = 0;  // the two bits of the IP header
};

// Who ended a connection, and why.
enum class CloseOrigin : std::uint8_t {
  kLocal,        // close() was called here
  kPeer,         // the peer's application, with `code` and `text` of its own
  kTransport,    // a QUIC error, by the peer or found here
  kCertificate,  // the peer's certificate was refused here, or ours there
  kAlpn,         // no common protocol
  kIdle,         // silence for longer than the idle timeout
  kHandshakeTimeout,
  kStatelessReset,  // the peer has forgotten this connection
};

// Events.
struct HandshakeCompleted {};
struct StreamOpened {
  StreamId stream;
};  // by the peer
struct StreamAcked {
  StreamId stream;
  std::uint64_t size;
};  // that many more bytes, in order
struct StreamWritable {
  StreamId stream;
};  // the peer gave credit to a blocked one
struct StreamReset {
  StreamId stream;
  std::uint64_t code;
};  // by the peer, on what it sent
// The peer wants no more of ours. Found out when bytes are offered, and ngtcp2 1.11 does not tell
// the code: it is 0.
struct StreamStopped {
  StreamId stream;
  std::uint64_t code;
};
struct StreamClosed {
  StreamId stream;
};  // both ways done; its id is gone
struct StreamsGranted {};  // open_stream() may succeed now
// What became of a DATAGRAM frame, by the tag that it was written with. A lost one may have arrived
// nevertheless; of some nothing is ever said.
struct DatagramFrameAcked {
  std::uint64_t tag;
};
struct DatagramFrameLost {
  std::uint64_t tag;
};
struct PathChanged {
  base::Address local;
  base::Address remote;
};
struct AddressTokenReceived {
  Bytes token;
};  // for the next connection to this server
struct Closed {
  CloseOrigin origin = CloseOrigin::kLocal;
  std::uint64_t code = 0;
  std::string text;
};
using Event = std::variant<HandshakeCompleted, StreamOpened, StreamAcked, StreamWritable,
                           StreamReset, StreamStopped, StreamClosed, StreamsGranted,
                           DatagramFrameAcked, DatagramFrameLost, PathChanged, AddressTokenReceived,
                           Closed>;

struct Packet {
  std::size_t size = 0;  // 0: nothing to send now
  base::Address local;
  base::Address remote;
  std::uint8_t ecn = 0;
};

enum class WriteStatus : std::uint8_t {
  kPacket,         // a packet is finished; send it
  kRoomLeft,       // the bytes were taken and the packet can take more (of any stream)
  kIdle,           // nothing to send, or congestion control and pacing do not allow it now
  kStreamBlocked,  // the peer gave this stream no credit; try another. StreamWritable follows
  kStreamGone,     // the stream was reset, stopped or closed; do not offer it again
  kDatagramRefused,  // the peer takes none of that size; do not offer it again
                     // (these leave a packet that has room as it is: go on with it, or finish it)
  kClosed,         // the connection is closing or gone
};

struct Written {
  WriteStatus status = WriteStatus::kIdle;
  std::size_t taken = 0;  // of the bytes offered, from their start
  // The packet says something of the stream or datagram: also the end behind those bytes, if that
  // was offered and all of them were taken. What was lost before may have left no room for it.
  bool included = false;
  Packet packet{};  // with kPacket
};

class Connection {
 public:
  // A client's connection; `server_name` is verified against the certificate unless it is pinned.
  static std::unique_ptr<Connection> connect(const ConnectionConfig& config,
                                             std::shared_ptr<const ClientCredentials> credentials,
                                             const base::Address& local,
                                             const base::Address& remote,
                                             const std::string& server_name, std::uint64_t seed,
                                             Instant now);
  explicit Connection(std::unique_ptr<ConnectionState> state);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void handle_datagram(const Datagram& datagram, Instant now, StreamSink& sink);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Event> poll();
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // Empty when the peer has not granted one; StreamsGranted tells when to try again.
  [[nodiscard]] std::optional<StreamId> open_stream(StreamKind kind);
  void grant_streams(StreamKind kind, std::uint64_t count);
  void grant_stream_credit(StreamId stream, std::uint64_t size);
  void grant_connection_credit(std::uint64_t size);
  void reset_stream(StreamId stream, std::uint64_t code);  // of our sending side
  void stop_stream(StreamId stream, std::uint64_t code);   // of our receiving side

  // Builds into `out` (at least packet_size_max) one packet, with bytes of `stream` if any are
  // given. The same `out` must be passed again until the status is not kRoomLeft; a call without a
  // stream finishes the packet, or makes one of what the transport has to say by itself. At most
  // kSpanMax spans are looked at. A packet with room must be finished before anything is handled.
  static constexpr std::size_t kSpanMax = 8;
  Written write(std::span<std::byte> out, StreamId stream, std::span<const BytesView> bytes,
                Fin fin, Instant now);
  Written write(std::span<std::byte> out, Instant now);
  // The same with a DATAGRAM frame, which is taken whole or not at all, must not be empty, and is
  // not borrowed: it is in the packet, or was not taken.
  Written write_datagram_frame(std::span<std::byte> out, std::uint64_t tag,
                               std::span<const BytesView> bytes, Instant now);
  // How much may be built in one go: what the path takes in kBurst. More would wait at a
  // bottleneck, or be lost there, and the pacer makes up for it by a pause in which nothing urgent
  // leaves either.
  static constexpr Duration kBurst = std::chrono::milliseconds(1);  // no timer is much finer
  [[nodiscard]] std::size_t burst_size_max() const;
  // After a burst of packets was built, so that pacing knows (ngtcp2_conn_update_pkt_tx_time).
  void burst_sent(Instant now);

  // The next write() makes the packet that says so; `text` is cut to fit it.
  void close(std::uint64_t code, std::string_view text);
  // Moves a client's connection to another local address (RFC 9000, section 9). PathChanged follows
  // when the server has been heard there.
  void migrate(const base::Address& local, Instant now);

  [[nodiscard]] bool established() const;   // the handshake is complete
  [[nodiscard]] bool closed() const;        // nothing will come out of it any more
  [[nodiscard]] bool said_goodbye() const;  // its end was sent, or came from the peer
  [[nodiscard]] Duration smoothed_rtt() const;
  [[nodiscard]] std::uint64_t congestion_window() const;
  [[nodiscard]] std::uint64_t bytes_in_flight() const;
  [[nodiscard]] std::size_t packet_size_max() const;  // of the current path
  [[nodiscard]] ConnectionState& state() { return *state_; }

 private:
  std::unique_ptr<ConnectionState> state_;
};

}  // namespace orzatty::quic
