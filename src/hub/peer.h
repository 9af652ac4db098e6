// One connected peer: its session, what it publishes, what it subscribed to, what is sent to it
// alone. The hub owns it and gives it meaning. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/slab.h"
#include "hub/delivery.h"
#include "hub/direct_log.h"
#include "hub/publication.h"
#include "session/scratch.h"
#include "session/server_session.h"
#include "wire/hello.h"

namespace orzatty::hub {

// Shared, as a transport that is still there reads the bytes of a log that went on to another peer.
using DirectLogs = std::map<std::string, std::shared_ptr<DirectLog>, std::less<>>;

// What a HELLO says of the session before, until it is answered.
struct ReturnWish {
  std::optional<SessionId> session;
  std::vector<wire::HelloPosition> positions;
  std::vector<wire::HelloDirect> directs;
};

// Why a subscription cannot go on.
struct Failure {
  SubscriptionId subscription;
  ErrorCode code;
  std::string_view text;
};

class Peer final : public session::Refill {
 public:
  Peer(base::SlabKey own_key, const Limits& limits, std::uint64_t seed, Instant now)
      : key(own_key), session(limits, seed, now) {}

  // What goes out is decided at the moment at which a packet has room for it.
  void refill(session::StreamKey stream, session::SendQueue& queue) override;
  bool offer_datagram(session::StreamKey stream, session::SendQueue& queue,
                      session::Offer& offer) override;
  void datagram_taken(session::StreamKey stream) override;
  void datagram_refused(session::StreamKey stream) override;
  void datagram_acked(session::DatagramTag tag);
  void datagram_lost(session::DatagramTag tag);
  // The transport acknowledged bytes: there may be room for marks again. spec: CREDIT-4
  void acked(session::StreamKey stream, std::uint64_t size);

  Delivery& add_delivery(SubscriptionId id, ChannelPattern pattern);
  // Ends its stream behind what is queued on it.
  void remove_delivery(SubscriptionId id);
  [[nodiscard]] Delivery* find_delivery(SubscriptionId id);
  [[nodiscard]] const std::map<std::uint64_t, std::unique_ptr<Delivery>>& deliveries() const {
    return deliveries_;
  }
  // One of its subscriptions reads that channel too.
  void add_reader(Delivery& delivery, Channel& channel, Offset next);
  // Those of its subscriptions that read the channel of that epoch, in no order that means anything.
  // Valid until one begins or ends.
  using ReadersByChannel = std::multimap<ChannelEpoch, const ChannelReader*>;
  [[nodiscard]] std::pair<ReadersByChannel::const_iterator, ReadersByChannel::const_iterator>
  readers_of(ChannelEpoch channel);
  // The log of that name, opened when it is new; nullptr when there are too many.
  [[nodiscard]] DirectLog* direct_log(const ChannelName& channel);
  // Of a session that goes on; false when the client cannot have had so much.
  [[nodiscard]] bool adopt_direct_log(const ChannelName& channel, std::shared_ptr<DirectLog> log,
                                      Sequence next);
  // For whom they go on: this peer is given nothing of them any more.
  [[nodiscard]] DirectLogs lend_direct_logs();

  // Everything there is for it was sent and acknowledged.
  [[nodiscard]] bool settled();

  const base::SlabKey key;
  std::string identity;                               // empty before authentication
  std::vector<std::uint64_t> versions;                // that its HELLO offers
  std::unique_ptr<ReturnWish> return_wish;            // and asks for
  std::optional<SessionId> session_id;                // since WELCOME
  bool said_close = false;                            // it will not come back
  std::map<std::uint64_t, Publication> publications;  // by id
  std::vector<Channel*> channels_read;                // since the hub looked last
  std::vector<Failure> failures;                      // of subscriptions, since then
  std::uint64_t next_subscription = 0;                // ids below it were used
  std::size_t waiting_positions = 0;                  // of wildcards that look for channels
  DeliveryCounters counters;
  std::uint64_t datagrams_lost = 0;                   // since the hub looked last
  Instant written_at;     // when packets of it are built
  bool ready = false;     // stands in the hub's list
  bool lined_up = false;  // its session has something to say to the hub

 private:
  // What a stream carries, by key.
  struct Source {
    Delivery* delivery = nullptr;
    DirectLog* direct = nullptr;
  };
  void bind(session::StreamKey stream, const Source& source);
  void fail_exhausted(const Delivery& delivery);
  void fail_without_datagrams(const Delivery& delivery);
  struct Datagrams {
    DatagramsInFlight in_flight;
    Delivery::Datagram offered;
  };
  struct OpenedStream {
    session::StreamKey key;
    std::size_t preface_size = 0;
  };
  template <class Preface>
  OpenedStream open_stream(const Preface& preface);
  [[nodiscard]] session::Scratch& marks();
  void forget_readers(const Delivery& delivery);

  std::unique_ptr<session::Scratch> marks_;  // made with the first stream: most peers only publish
  std::vector<session::StreamKey> starved_;  // wait for room in it
  std::unique_ptr<Datagrams> datagrams_;     // made with the first: most peers get none
  bool takes_datagrams_ = true;              // as far as is known
  std::vector<Source> sources_;
  std::map<std::uint64_t, std::unique_ptr<Delivery>> deliveries_;  // by id
  std::optional<ReadersByChannel> readers_;  // since somebody asked: most peers never reply
  DirectLogs direct_logs_;

 public:
  // Last, so that it gives up its pins before the logs go.
  session::ServerSession session;
};

}  // namespace orzatty::hub
