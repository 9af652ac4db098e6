// Publications: who may publish where, what is new of what they bring, and what is said to it. One
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "hub/hub_state.h"
#include "hub/publication.h"
#include "hub/requests.h"
#include "hub/sessions.h"
#include "hub/subscribing.h"
#include "session/server_session.h"
#include "wire/message.h"

namespace orzatty::hub {

class Publishing {
 public:
  // Of a producer whose messages come in any order, what is known lies in no more ranges above the
  // first that is missing. spec: PUBLISH-11
  static constexpr std::size_t kScatterMax = 1024;
  // So many need no room in the hub's memory: what is lost on a path makes no more.
  static constexpr std::size_t kScatterFree = 64;

  // All of them outlive this.
  Publishing(HubState& state, const Sessions& sessions, Subscribing& subscribing,
             Requests& requests);

  void handle_channel(const ChannelName& channel, std::size_t handler);
  void open(Peer& peer, const session::PublicationOpened& opened);
  void close(Peer& peer, PublicationId id);
  // A peer is about to go, with all of its publications.
  void forget(Peer& peer);
  void skip(Peer& peer, const session::PublicationSkipped& skipped);
  // What of `given` may be taken at all and was not there before; all else is answered.
  struct Fresh {
    Publication* publication;
    session::PublicationMessages messages;
    bool has_requests = false;
  };
  [[nodiscard]] std::optional<Fresh> fresh(Peer& peer, const session::PublicationMessages& given);
  // Messages that a handler is to be given, if they are for one; settle() when it was.
  [[nodiscard]] std::optional<HubOutput> take(Peer& peer, const Fresh& fresh);
  void settle();
  // Replies, which go to whoever waits for them. Answer with accept() or reject(), in order.
  [[nodiscard]] bool are_replies(const Publication& publication) const {
    return publication.endpoint != nullptr && publication.endpoint == replies_;
  }
  void accept(Peer& peer, Publication& publication, const session::PublicationMessages& given);
  void reject(Peer& peer, Publication& publication, const session::PublicationMessages& given,
              ErrorCode code);
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
  void begin(Peer& peer, Publication& publication, const wire::Publish& publish);
  [[nodiscard]] static bool is_same(const Publication& publication, const wire::Publish& publish);
  // Says which sequence is expected next.
  void answer(Peer& peer, PublicationId publication, Sequence next);
  void join(Peer& peer, Publication& publication, const wire::Publish& publish);
  void turn_away(Publication& publication);
  void recall_refusals(Peer& peer, const Publication& publication,
                       const wire::Publish& publish);
  std::uint64_t conclude(Producer& producer, Sequence from, Sequence to,
                         std::optional<ErrorCode> refusal);
  void leave(Publication& publication);
  // What of new messages may be taken; why not is said.
  [[nodiscard]] std::optional<Fresh> checked(Peer& peer, Publication& publication,
                                             const session::PublicationMessages& fresh);
  void take_scattered(Peer& peer, Publication& publication, session::PublicationMessages given);
  static void check_scatter(Peer& peer, Producer& producer);
  // What of `given` is new; the rest is acknowledged as known.
  [[nodiscard]] session::PublicationMessages acknowledge_known(
      Peer& peer, const Publication& publication, const session::PublicationMessages& given);
  // All of `known` has its fate, which is said again.
  void acknowledge(Peer& peer, const Publication& publication,
                   const session::PublicationMessages& known);
  // False when there is no room, which is said.
  bool store(Peer& peer, Publication& publication, const session::PublicationMessages& fresh);
  // The same where each may have another answer: requests, values of keys, and what is
  // too large for a datagram.
  void store_each(Peer& peer, Publication& publication, const session::PublicationMessages& fresh);
  [[nodiscard]] ErrorCode admit(const Peer& peer, Channel& channel,
                                const wire::MessageView& message, Offset offset);
  [[nodiscard]] ErrorCode expect_reply(const Peer& peer, Channel& channel,
                                       const wire::MessageView& message, Offset offset);
  [[nodiscard]] ErrorCode append_own(Channel& channel, Batch batch,
                                     const MessageAttributes& attributes);
  [[nodiscard]] HubOutput hand_over(Peer& peer, Publication& publication,
                                    const session::PublicationMessages& fresh);

  HubState& state_;
  const Sessions& sessions_;
  Subscribing& subscribing_;
  Requests& requests_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
  Endpoint* const replies_;  // among them
  // Of whom all was rejected as there was no room for the channel: by identity and channel.
  Producers turned_away_;
  ProducerId own_id_;
  Bytes own_frame_;  // reused

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
