// A whole server without I/O: QUIC's front door, the hub, and what joins each connection to its peer.
// One shard is one of these; the simulator runs the same. One thread.
//
// A turn: handle_datagram() for all that arrived, handle_timeout() when next_timeout() has come, then
// write() until it says that nothing is left.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ring.h"
#include "base/timer_queue.h"
#include "hub/hub.h"
#include "link/packet_builder.h"
#include "link/packet_sink.h"
#include "link/stream_map.h"
#include "quic/endpoint.h"

namespace orzatty::link {

// What happens in the hub is told at once, as messages are borrowed: they are valid until on_event()
// returns. An implementation may call the hub's answers (admit, refuse, send_direct, publish), but
// not the engine.
class ServerEvents {
 public:
  virtual void on_event(hub::HubOutput& output, Instant now) = 0;

 protected:
  ~ServerEvents() = default;
};

struct ServerEngineConfig {
  quic::EndpointConfig endpoint;
  hub::HubConfig hub;
};

class ServerEngine final : private quic::StreamSink {
 public:
  // What one connection may send before the others have their turn.
  static constexpr std::size_t kTurnBytes = 8 * 65'000;
  // For so long what a peer was told before its end may take to leave, if it lets it: a round trip
  // of most networks.
  static constexpr Duration kGoodbyeMax = std::chrono::milliseconds(200);

  ServerEngine(const ServerEngineConfig& config,
               std::shared_ptr<const quic::ServerCredentials> credentials, ServerEvents& events,
               std::uint64_t seed, Instant now);
  ServerEngine(const ServerEngine&) = delete;
  ServerEngine& operator=(const ServerEngine&) = delete;

  // Answers to strangers go to `sink` at once.
  void handle_datagram(const quic::Datagram& datagram, PacketSink& sink, Instant now);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  // Packets of all who have something to say. True when a turn ended and there is more.
  [[nodiscard]] bool write(PacketSink& sink, Instant now);

  // After the hub was called from outside of on_event().
  void drain_hub(Instant now);
  // Tells all peers that the server goes away, and gives publishers no more credit.
  void start_draining(Duration time_left, std::string_view text);
  // Something is queued or in flight for somebody.
  [[nodiscard]] bool busy() const;
  // For whom.
  [[nodiscard]] std::vector<hub::PeerKey> unsettled_peers() const;
  // Closes every connection; write() sends the goodbyes, for as long as closing().
  void close_all(ErrorCode code, std::string_view text, Instant now);
  [[nodiscard]] bool closing() const;

  [[nodiscard]] hub::Hub& hub() { return hub_; }
  [[nodiscard]] quic::Endpoint& endpoint() { return endpoint_; }
  [[nodiscard]] std::size_t connection_count() const { return endpoint_.size(); }

 private:
  // The end of a session, whose connection closes when its last frames have left.
  struct Goodbye {
    ErrorCode code = ErrorCode::kNone;
    std::string text;
    Instant deadline;
  };
  struct Joint {  // one connection and the peer that it carries
    quic::ConnectionKey key;
    std::optional<hub::PeerKey> peer;
    StreamMap streams;
    std::optional<Goodbye> goodbye;
    std::uint64_t control_credit = 0;     // to be given back
    std::uint64_t connection_credit = 0;
    bool granted = false;  // streams, after authentication
    bool dirty = false;
    bool used = false;
  };

  void on_stream_bytes(quic::StreamId stream, BytesView bytes, quic::Fin fin) override;
  void on_datagram_frame(BytesView bytes) override;
  void drain_connection(Joint& joint, quic::Connection& connection, Instant now);
  void handle_event(Joint& joint, quic::Connection& connection, const quic::Event& event,
                    Instant now);
  void join(Joint& joint, Instant now);
  void give_credit(Joint& joint, quic::Connection& connection);
  void mark(Joint& joint);
  void mark_ready_peers();
  void remove(Joint& joint, Instant now);
  [[nodiscard]] Joint* find(hub::PeerKey peer);
  [[nodiscard]] Joint& joint_of(quic::ConnectionKey key);
  [[nodiscard]] bool unsettled(const Joint& joint) const;
  [[nodiscard]] bool write_one(Joint& joint, PacketSink& sink, Instant now);
  [[nodiscard]] BuildResult build(Joint& joint, quic::Connection& connection, PacketSink& sink,
                                  Instant now);
  [[nodiscard]] std::uint64_t unsaid(const Joint& joint);
  bool close_if_said(Joint& joint, quic::Connection& connection, Instant now);

  Limits limits_;
  quic::Endpoint endpoint_;
  hub::Hub hub_;
  ServerEvents& events_;
  std::vector<std::unique_ptr<Joint>> joints_;   // by slot of the connection
  std::vector<std::uint32_t> slots_;             // by slot of the peer
  base::TimerQueue timers_;                      // by slot of the connection
  base::Ring<std::uint32_t> dirty_;
  std::vector<hub::PeerKey> ready_;              // reused
  Joint* receiving_ = nullptr;                   // whose datagram is being read
  Instant receiving_at_;
  bool draining_ = false;
};

}  // namespace orzatty::link
