// A whole client without I/O: the engine and the QUIC connection that carries it at the moment. The
// simulator runs the same. One thread at a time.
//
// A turn: handle_datagram() for all that arrived, handle_timeout() when next_timeout() has come,
// then write() until it says that nothing is left. When the engine wants a connection, on_event()
// is told so (ConnectWanted) and somebody who knows addresses calls connect().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/client_engine.h"
#include "link/packet_builder.h"
#include "link/packet_sink.h"
#include "link/stream_map.h"
#include "quic/connection.h"
#include "quic/credentials.h"

namespace orzatty::link {

// Told at once, as messages are borrowed: they are valid until on_event() returns. An
// implementation may append to outboxes, publish and subscribe, but not call the link.
class ClientEvents {
 public:
  virtual void on_event(client::EngineOutput& output, Instant now) = 0;

 protected:
  ~ClientEvents() = default;
};

class ClientLink final : private quic::StreamSink {
 public:
  static constexpr std::size_t kTurnBytes = 8 * 65'000;

  ClientLink(client::EngineConfig engine, const quic::ConnectionConfig& connection,
             std::shared_ptr<const quic::ClientCredentials> credentials, std::string server_name,
             ClientEvents& events, std::uint64_t seed, Instant now);
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;

  // A new connection, in place of one that is gone.
  void connect(const base::Address& local, const base::Address& remote, Instant now);
  // No socket, or no such host: the engine tries again later.
  void connect_failed(std::string_view text, Instant now);
  // The local address changed.
  void migrate(const base::Address& local, Instant now);

  void handle_datagram(const quic::Datagram& datagram, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  // True when a turn ended and there is more.
  [[nodiscard]] bool write(PacketSink& sink, Instant now);
  // After the engine was called from outside of on_event().
  void drain(Instant now);

  [[nodiscard]] client::ClientEngine& engine() { return engine_; }
  // Everything was sent and acknowledged by the transport.
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] bool has_connection() const { return connection_ != nullptr; }
  // The application has ended it, and the server was told. Whoever stays may repeat it for a server
  // that did not hear it.
  [[nodiscard]] bool has_left() const {
    return finished_ && (connection_ == nullptr || connection_->said_goodbye());
  }
  // And nothing will happen any more.
  [[nodiscard]] bool finished() const { return finished_ && connection_ == nullptr; }
  [[nodiscard]] Duration smoothed_rtt() const;

 private:
  void on_stream_bytes(quic::StreamId stream, BytesView bytes, quic::Fin fin) override;
  void on_datagram_frame(BytesView bytes) override;
  void drain_connection(Instant now);
  void handle_event(const quic::Event& event, Instant now);
  void handle_closed(const quic::Closed& closed, Instant now);
  void open_control(Instant now);
  void give_credit();
  // When an attempt to which nothing came back is given up; none when something did.
  [[nodiscard]] std::optional<Instant> unanswered_until() const;

  client::ClientEngine engine_;
  quic::ConnectionConfig config_;
  std::shared_ptr<const quic::ClientCredentials> credentials_;
  std::string server_name_;
  ClientEvents& events_;
  std::uint64_t seed_;
  std::unique_ptr<quic::Connection> connection_;
  StreamMap streams_;
  std::uint64_t control_credit_ = 0;
  std::uint64_t connection_credit_ = 0;
  Instant receiving_at_;
  Instant attempt_at_;     // when the connection was begun
  bool answered_ = false;  // something came back
  bool finished_ = false;
  bool close_due_ = false;  // its packet is not written yet
};

}  // namespace orzatty::link
