// Publications: who may publish where, what is new of what they bring, and what is said to it. One
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "hub/hub_state.h"
#include "hub/publication.h"
#include "hub/subscribing.h"
#include "session/server_session.h"

namespace orzatty::hub {

class Publishing {
 public:
  // Both outlive this.
  Publishing(HubState& state, Subscribing& subscribing);

  void handle_channel(const ChannelName& channel, std::size_t handler);
  void open(Peer& peer, const session::PublicationOpened& opened);
  void close(Peer& peer, PublicationId id);
  // A peer is about to go, with all of its publications.
  void forget(Peer& peer);
  void skip(Peer& peer, const session::PublicationSkipped& skipped);
  // Messages that a handler is to be given, if they are for one; settle() when it was.
  [[nodiscard]] std::optional<HubOutput> take(Peer& peer,
                                              const session::PublicationMessages& given);
  void settle();
  // What became of messages of a producer of the peer: the beginning of the range, at least.
  void tell_fates(Peer& peer, wire::Fate question);
  // The sequence that a producer may send next; nothing when nobody knows it.
  [[nodiscard]] std::optional<Sequence> next_of(const ProducerId& producer,
                                                const ChannelName& channel,
                                                std::string_view identity);
  // Of the server itself.
  [[nodiscard]] ErrorCode publish(const ChannelName& name, MessageType type, BytesView payload,
                                  const MessageAttributes& attributes);

 private:
  void join(Peer& peer, Publication& publication, const wire::Publish& publish);
  void recall_refusals(const Peer& peer, const Publication& publication,
                       const wire::Publish& publish);
  void leave(Publication& publication);
  // What of `given` is new; the rest is acknowledged as known.
  [[nodiscard]] session::PublicationMessages acknowledge_known(
      Peer& peer, const Publication& publication, const session::PublicationMessages& given);
  void store(Peer& peer, Publication& publication, const session::PublicationMessages& fresh);
  [[nodiscard]] HubOutput hand_over(Peer& peer, Publication& publication,
                                    const session::PublicationMessages& fresh);
  void reject(Peer& peer, Publication& publication, const session::PublicationMessages& given,
              ErrorCode code);

  HubState& state_;
  Subscribing& subscribing_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
  // Of whom all was rejected as there was no room for the channel: by identity and channel.
  Producers turned_away_;
  ProducerId own_id_;

  // Messages that a handler is looking at: accepted when it is done. spec: PUBLISH-4
  struct Handed {
    PeerKey peer;
    session::RemoteStream stream;
    wire::AckRun run;
    std::uint64_t bytes = 0;
    std::uint32_t nonce = 0;
  };
  std::optional<Handed> handed_;
};

}  // namespace orzatty::hub
