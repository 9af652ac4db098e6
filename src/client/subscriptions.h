// All subscriptions of a client, and what the server says about each. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>

#include "client/publication.h"
#include "client/subscription.h"
#include "session/client_session.h"

namespace orzatty::client {

class Subscriptions {
 public:
  using Result = std::expected<void, ProtocolError>;

  explicit Subscriptions(const Limits& limits) : limits_(limits) {}

  [[nodiscard]] SubscriptionId add(const ChannelPattern& pattern, const StartPosition& start);
  void remove(SubscriptionId id, Outputs& outputs);
  // A session was welcomed, and is there until lose().
  void open(session::ClientSession& session);
  // Likewise, of the session before: `listed` go on by themselves.
  Result resume(session::ClientSession& session, const std::vector<SubscriptionId>& listed);
  [[nodiscard]] bool wants(SubscriptionId id) const;
  void tell(std::vector<wire::HelloPosition>& into, std::size_t size_max);
  void lose(Outputs& outputs);

  Result subscribed(const session::SubscribedReceived& subscribed, Outputs& outputs);
  Result ended(const wire::Ended& ended, Outputs& outputs);
  Result introduced(const session::ChannelIntroduced& introduced, Outputs& outputs);
  Result introduced(const session::ProducerIntroduced& introduced);
  Result missed(const session::DeliveryGap& gap, Outputs& outputs);
  // Nothing when nobody wants them any more, or has seen them before.
  [[nodiscard]] std::expected<std::optional<Delivered>, ProtocolError> delivered(
      const session::DeliveryMessages& messages);
  [[nodiscard]] std::expected<std::optional<Delivered>, ProtocolError> delivered(
      const wire::DeliverDatagram& datagram, Outputs& outputs);

  // The same of a passing stream, from the front of `rest`, which what was looked at is taken off.
  [[nodiscard]] std::expected<std::optional<Delivered>, ProtocolError> arrived(
      session::DeliveryMessages& rest, Outputs& outputs);
  // Up to where all was handed out, of the channel that these messages are of.
  [[nodiscard]] std::optional<Offset> position(const session::DeliveryMessages& messages);

 private:
  Result missed_passing(Subscription& subscription, const session::DeliveryGap& gap,
                        Outputs& outputs);
  static void tell_missed(SubscriptionId id, const Subscription::Advanced& advanced, Gap gap,
                          Outputs& outputs);
  // Nothing for a subscription that was there once: what is still on its way is of no interest.
  // spec: STREAM-6
  [[nodiscard]] std::expected<Subscription*, ProtocolError> find(SubscriptionId id);

  const Limits limits_;
  std::map<std::uint64_t, std::unique_ptr<Subscription>> items_;  // by id
  std::uint64_t next_id_ = 0;
  session::ClientSession* session_ = nullptr;
};

}  // namespace orzatty::client
