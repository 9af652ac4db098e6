// The inside of a Connection: ngtcp2's and GnuTLS's objects, and what the callbacks recorded.
// Pinned to its place, because ngtcp2 holds a pointer to it.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "orzatty/bytes.h"
#include "quic/address_tokens.h"
#include "quic/blocked_streams.h"
#include "quic/closing.h"
#include "quic/connection.h"
#include "quic/connection_ids.h"
#include "quic/event_queue.h"
#include "quic/keyed_random.h"
#include "quic/packet_protection.h"
#include "quic/sockaddr.h"
#include "quic/stateless_replies.h"
#include "quic/tls_session.h"

namespace orzatty::quic {

// Who is at the two ends.
struct Ends {
  base::Address local;
  base::Address remote;
};

// What a server knows of a client when it lets it in.
struct Admission {
  FirstPacket packet;
  VerifiedToken token;
  ConnectionKey key;
};

class ConnectionState {
 public:
  // A client's.
  ConnectionState(const ConnectionConfig& connection_config,
                  std::shared_ptr<const ClientCredentials> credentials, const Ends& ends,
                  const std::string& server_name, std::uint64_t seed, Instant now);
  // A server's; `server_ids` must outlive it.
  ConnectionState(const ConnectionConfig& connection_config,
                  std::shared_ptr<const ServerCredentials> credentials, const Ends& ends,
                  const Admission& admission, ConnectionIds& server_ids, Instant now);
  ~ConnectionState();
  ConnectionState(const ConnectionState&) = delete;
  ConnectionState& operator=(const ConnectionState&) = delete;

  // Time for ngtcp2. Never runs backwards, because ngtcp2 ends the process then, and a datagram may
  // be stamped before a timer that was handled first.
  std::uint64_t advance(Instant now);

  // For the callbacks.
  void handshake_completed();
  // A server's: the client needs no Retry the next time that it comes from there.
  void send_address_token(const base::Address& client);
  void issue_id(ngtcp2_cid& id, std::uint8_t* reset_token, std::size_t size);
  void retire_id(const ngtcp2_cid& id);
  void stream_closed(StreamId stream);

  // Frees what only the handshake needed.
  void drop_tls();

  // Ends. The first reason counts, later ones are ignored.
  void close(Closed reason, ClosedBy by);  // says so to the peer
  void vanish(Closed reason);              // says nothing
  void fail(int error);                    // of a call of ngtcp2

  const ConnectionConfig config;
  KeyedRandom random;
  PacketKeys keys;
  std::unique_ptr<TlsSession> tls;  // until the handshake is complete
  EventQueue events;
  BlockedStreams blocked;
  std::vector<StreamId> shut;  // whose sending side was reset, by whomever
  Closing closing;
  StreamSink* sink = nullptr;  // while a datagram is handled
  bool established = false;
  bool stateless_reset = false;    // came from the peer
  bool packet_open = false;        // a packet was begun that can take more
  PathOut path_out;                // of the packet that is being written
  ngtcp2_pkt_info packet_info{};

  [[nodiscard]] ngtcp2_conn* native() const { return connection_.get(); }

 private:
  struct Deleter {
    void operator()(ngtcp2_conn* connection) const { ngtcp2_conn_del(connection); }
  };
  void make_client(const Ends& ends);
  void make_server(const Ends& ends, const Admission& admission);
  void track(const ConnectionId& id);
  void drain();

  ConnectionIds* ids_ = nullptr;  // a client has none
  ConnectionKey key_;
  std::vector<ConnectionId> own_ids_;  // in `ids_`
  std::uint64_t last_time_ = 0;
  std::unique_ptr<ngtcp2_conn, Deleter> connection_;  // last: its deletion calls back
};

}  // namespace orzatty::quic
