// The hub: who receives what. Channels by name, publications into them, subscriptions out of them,
// handlers and direct messages of an embedding program. Everything by value, in one thread, without
// I/O: the transport's driver feeds bytes in and pulls bytes out.
//
// The contract: after each handle_*() call poll() until it is empty, before the bytes that were
// given become invalid. Then, for every peer of take_ready(), flush() and pull packets from
// sends().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/slab.h"
#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/channel_traffic.h"
#include "orzatty/error.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "session/server_session.h"
#include "session/transport.h"

namespace orzatty::hub {

// One connected peer. Keys are not reused: an old one finds nothing.
using PeerKey = base::SlabKey;

// The first rule whose pattern matches a channel's name gives its properties.
struct ChannelRule {
  ChannelPattern pattern;
  ChannelConfig config;
};

struct HubConfig {
  Limits limits;
  std::vector<ChannelRule> rules;
  ChannelConfig channel_default;

  // The first of `rules` that matches, or their number: then it is channel_default that counts.
  [[nodiscard]] std::size_t rule_of(const ChannelName& channel) const;
  [[nodiscard]] const ChannelConfig& properties_of(const ChannelName& channel) const;
};

// What the hub asks of, or tells, whoever runs it.
struct AuthenticationNeeded {
  PeerKey peer;
  wire::Hello hello;
};  // answer: admit() or refuse()
struct PeerJoined {
  PeerKey peer;
  std::string identity;
};
// Its connection is gone without a goodbye; its session waits, and PeerResumed or PeerLeft follows.
struct PeerDetached {
  PeerKey peer;
  std::string identity;
  ErrorCode code = ErrorCode::kNone;
};
struct PeerResumed {
  PeerKey peer;
  PeerKey was;
  std::string identity;
};
struct PeerLeft {
  PeerKey peer;
  std::string identity;
  ErrorCode code = ErrorCode::kNone;
};
struct HandlerMessages {  // for a channel that handle_channel() claimed
  PeerKey peer;
  std::size_t handler = 0;
  std::string_view channel;
  std::string_view publisher;
  Sequence first;
  std::uint64_t count = 0;
  BytesView frames;  // whole and validated (wire::MessageRange); borrowed
};
struct SubscriberSlow {
  std::string identity;
  std::string channel;
  SlowPolicy policy;
};
struct TransportClosed {
  PeerKey peer;
  ErrorCode code = ErrorCode::kNone;
  std::string text;
};
using HubOutput = std::variant<AuthenticationNeeded, PeerJoined, PeerDetached, PeerResumed,
                               PeerLeft, HandlerMessages, SubscriberSlow, TransportClosed>;

struct HubCounters {
  std::uint64_t messages_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
  std::uint64_t handed_over = 0;  // to handlers, and replies to who waits for them
  std::uint64_t messages_out = 0;  // given to subscribers' streams
  std::uint64_t bytes_out = 0;
  std::uint64_t missed = 0;    // positions told as gaps
  std::uint64_t peers = 0;     // with a connection
  std::uint64_t detached = 0;  // without one, that may come back
  std::uint64_t resumed = 0;   // times that one did
  std::uint64_t channels = 0;
  std::uint64_t subscriptions = 0;
  std::array<std::uint64_t, kErrorCodeEnd> rejected_by{};   // the same as `rejected`
  std::array<std::uint64_t, kGapReasonCount> skipped_by{};  // by publishers, by GapReason
  std::vector<ChannelTraffic> traffic;  // by number of the rule; the last one is of the default
  std::uint64_t datagrams_dropped = 0;  // that came late, too early or to nobody, or found no room
  std::uint64_t datagrams_lost = 0;     // of those that left, as far as the transport knows
};

// A subscription that has not consumed all that a channel of it holds, as far as it said
// (CONSUMED).
struct SubscriptionLag {
  std::string identity;
  std::string channel;
  SubscriptionId subscription;
  std::uint64_t messages = 0;
};

class Hub {
 public:
  // `seed` draws epochs and nonces.
  Hub(HubConfig config, std::uint64_t seed, Instant now);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // A transport came up, or is gone. A session that did not end by CLOSE waits for its client, for
  // session_retention; of any other nothing is left.
  PeerKey open_peer(Instant now);
  void lose_peer(PeerKey peer, Instant now);
  void handle_control(PeerKey peer, BytesView bytes, session::Fin fin, Instant now);
  void handle_stream(PeerKey peer, session::RemoteStream stream, BytesView bytes, session::Fin fin,
                     Instant now);
  void handle_stream_reset(PeerKey peer, session::RemoteStream stream, Instant now);
  // Before the peer was admitted it has no effect.
  void handle_datagram(PeerKey peer, BytesView bytes, Instant now);
  // Everything whose time has come, of all peers and channels.
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  [[nodiscard]] std::optional<HubOutput> poll();

  // Answers to AuthenticationNeeded. `session` is 128 random bits drawn by the caller.
  void admit(PeerKey peer, std::string identity, const SessionId& session, Instant now);
  void refuse(PeerKey peer, ErrorCode code, std::string_view text, Instant now);
  void close_peer(PeerKey peer, ErrorCode code, std::string_view text, Instant now);
  // Tells all peers that the server is going away.
  void drain(Duration time_left, std::string_view text);

  // Messages to this channel go to the embedding program instead of a log: an endpoint.
  void handle_channel(const ChannelName& channel, std::size_t handler);
  // Into the peer's own direct log, also while its session waits for it; kNone when it was taken,
  // kOverloaded when it is full, kChannelLimit when the peer has too many, kClosedByUser when it is
  // gone, kMessageTooLarge, kTextInvalid.
  [[nodiscard]] ErrorCode send_direct(PeerKey peer, const ChannelName& channel, MessageType type,
                                      BytesView payload, const MessageAttributes& attributes = {});
  // Into a hub channel, as the server itself (identity "$server"): kNone when it was stored,
  // kOverloaded when there is no memory or the channel holds all it may for somebody who is waited
  // for, kChannelLimit, kNameInvalid when it is longer than the limit, kMessageTooLarge,
  // kTextInvalid.
  [[nodiscard]] ErrorCode publish(const ChannelName& channel, MessageType type, BytesView payload,
                                  Instant now, const MessageAttributes& attributes = {});

  // The transport's driver. References are valid until the next call that takes a PeerKey ends it.
  [[nodiscard]] bool has_peer(PeerKey peer) const;
  // Everything there is for the peer was sent and acknowledged; so it is for one that is gone.
  [[nodiscard]] bool settled(PeerKey peer) const;
  // Identities of sessions that wait although there is something for them, one for each.
  [[nodiscard]] std::vector<std::string> waited_for() const;
  [[nodiscard]] session::SendTable& sends(PeerKey peer);
  [[nodiscard]] session::Refill& source(PeerKey peer);
  [[nodiscard]] std::vector<session::Credit>& credits(PeerKey peer);
  // Before packets of the peer are built, and after.
  void flush(PeerKey peer, Instant now);
  void written(PeerKey peer, Instant now);
  // Bytes of a stream were acknowledged by the transport, or the transport closed the stream.
  void acked(PeerKey peer, session::StreamKey stream, std::uint64_t size, Instant now);
  void stream_closed(PeerKey peer, session::StreamKey stream, Instant now);
  void datagram_acked(PeerKey peer, session::DatagramTag tag);
  void datagram_lost(PeerKey peer, session::DatagramTag tag);
  // Peers that may have something to send or to credit since the last call, each once, in order.
  void take_ready(std::vector<PeerKey>& into);

  [[nodiscard]] std::string_view identity(PeerKey peer) const;
  [[nodiscard]] const HubCounters& counters() const;
  // What all channels' logs hold, pinned pieces included; at most hub_size_max.
  [[nodiscard]] std::size_t held_bytes() const;
  // Who is furthest behind, slowest first, one entry for each of its channels; only those that are
  // behind. Looks at every subscription: for metrics, not for every turn.
  [[nodiscard]] std::vector<SubscriptionLag> slowest_subscriptions(std::size_t count_max) const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace orzatty::hub
