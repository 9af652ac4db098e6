// Which publications there are: who may publish where, and as which producer. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "hub/hub_state.h"
#include "hub/publication.h"
#include "hub/subscribing.h"
#include "session/server_session.h"

namespace orzatty::hub {

class Publications {
 public:
  // Of a producer whose messages come in any order, what is known lies in no more ranges above the
  // first that is missing. spec: PUBLISH-11
  static constexpr std::size_t kScatterMax = 1024;
  // So many need no room in the hub's memory: what is lost on a path makes no more.
  static constexpr std::size_t kScatterFree = 64;

  // Both outlive this.
  Publications(HubState& state, Subscribing& subscribing);

  void handle_channel(const ChannelName& channel, std::size_t handler);
  void open(Peer& peer, const session::PublicationOpened& opened);
  void close(Peer& peer, PublicationId id);
  // A peer is about to go, with all of its publications.
  void forget(Peer& peer);
  // Of replies, which go to whoever waits for them.
  [[nodiscard]] bool are_replies(const Publication& publication) const {
    return publication.endpoint != nullptr && publication.endpoint == replies_;
  }
  // What became of messages of a producer of the peer: the beginning of the range, at least.
  void tell_fates(Peer& peer, wire::Fate question);
  // The sequence that a producer may send next; nothing when nobody knows it.
  [[nodiscard]] std::optional<Sequence> next_of(const ProducerId& producer,
                                                const ChannelName& channel,
                                                std::string_view identity);
  // Says which sequence is expected next.
  void answer(Peer& peer, PublicationId publication, Sequence next);
  std::uint64_t conclude(Producer& producer, Sequence from, Sequence to,
                         std::optional<ErrorCode> refusal);
  static void check_scatter(Peer& peer, Producer& producer);

 private:
  void begin(Peer& peer, Publication& publication, const wire::Publish& publish);
  [[nodiscard]] static bool is_same(const Publication& publication, const wire::Publish& publish);
  void join(Peer& peer, Publication& publication, const wire::Publish& publish);
  void turn_away(Publication& publication);
  void recall_refusals(Peer& peer, const Publication& publication, const wire::Publish& publish);
  void leave(Publication& publication);

  HubState& state_;
  Subscribing& subscribing_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
  Endpoint* const replies_;  // among them
  // Of whom all was rejected as there was no room for the channel: by identity and channel.
  Producers turned_away_;
};

}  // namespace orzatty::hub
