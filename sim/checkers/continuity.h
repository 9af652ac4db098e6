// The subscription's account: published = delivered + gaps + in flight. The stream of a
// subscription is contiguous but for true gaps, begins where it was asked to, and begins anew only
// when the channel did; when everything has come to rest, nothing is in flight.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/arrivals.h"
#include "sim/archive.h"
#include "sim/checker.h"
#include "sim/server_host.h"

namespace orzatty::sim {

class Continuity final : public Checker {
 public:
  Continuity(const Archive& archive, const ServerConfig& server)
      : Checker("continuity"), archive_(archive), server_(server) {}
  void handle(const Happening& happening) override;
  void finish() override;
  [[nodiscard]] std::string unrest() const override;

 private:
  struct Cursor {
    ServerLife life;
    Offset next;
    bool began_anew = false;  // and nothing came since
    // The account of this life of the channel.
    Offset begin = {};
    std::uint64_t delivered = 0;
    std::uint64_t missed = 0;
  };
  struct Confirmation {
    ServerLife life;
    std::map<std::string, std::uint64_t, std::less<>> sizes;  // of all channels, then
  };
  // Of a channel that keeps no order.
  struct Scattered {
    ServerLife life;
    bool began_anew = false;
    std::optional<Offset> first = {};  // the lowest that came
    base::Arrivals<Offset> had{};
  };
  struct Subscription {
    ChannelPattern pattern;
    StartPosition start;
    std::optional<Confirmation> confirmed;
    std::map<std::string, Cursor, std::less<>> cursors;
    std::map<std::string, Scattered, std::less<>> scattered = {};
  };
  using Key = std::pair<ProgramId, SubscriptionId>;

  void handle(const SubscriptionConfirmed& confirmed);
  void handle(const MessagesSeen& seen);
  void handle(const GapSeen& seen);
  void handle(const ResetSeen& seen);
  // [from, to) of a channel comes.
  enum class As : std::uint8_t { kDelivered, kMissed };
  void advance(const Key& key, std::string_view channel, ServerLife life, Offset from, Offset to,
               As as);
  // Likewise, of a channel that keeps no order: each offset comes once. Where it begins, and that
  // nothing is missing from there on, is seen at rest.
  void scatter(const Key& key, std::string_view channel, ServerLife life, Offset from, Offset to);
  // delivered + missed + in flight is what was published since the subscription began.
  void move(Cursor& cursor, std::string_view channel, Offset to, As as);
  void judge_start(const Subscription& subscription, std::string_view channel, ServerLife life,
                   Offset first);
  void judge_gap(const GapSeen& seen);
  // A position from which on a channel still has everything.
  [[nodiscard]] std::uint64_t kept_from(std::string_view channel, ServerLife life) const;
  [[nodiscard]] bool behind(const Subscription& subscription, const std::string& channel,
                            std::uint64_t size) const;
  // Nothing of the channel has come: whether something has to.
  [[nodiscard]] bool has_to_begin(const Subscription& subscription, const std::string& channel,
                                  std::uint64_t size) const;
  [[nodiscard]] bool has_holes(const Subscription& subscription, const Scattered& scattered,
                               const std::string& channel, std::uint64_t size) const;
  // Where a live subscription begins at the latest, in this life of the server.
  [[nodiscard]] std::optional<std::uint64_t> live_from(const Subscription& subscription,
                                                       std::string_view channel,
                                                       ServerLife life) const;

  const Archive& archive_;
  ServerConfig server_;
  ServerLife life_;
  std::set<ProgramId> auditors_;
  std::set<std::string, std::less<>> expiring_;  // channels with messages that have a deadline
  std::map<std::string, std::uint64_t, std::less<>> published_;  // into each channel, in all lives
  std::map<Key, Subscription> subscriptions_;
};

}  // namespace orzatty::sim
