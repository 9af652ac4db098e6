// Sessions by their ids: who has which, and those whose connection died, with what each needs to go
// on. They wait for a bounded time, in bounded memory; the one that waits longest goes first. One
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/slab.h"
#include "hub/direct_log.h"
#include "hub/pattern_bag.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/time.h"
#include "wire/subscribe.h"
#include "wire/welcome.h"

namespace orzatty::hub {

struct DetachedSession {
  SessionId id;
  std::string identity;
  base::SlabKey peer;  // that it was last
  ErrorCode code = ErrorCode::kNone;
  std::vector<wire::Subscribe> subscriptions;  // as they would be asked for now
  std::map<std::string, std::shared_ptr<DirectLog>, std::less<>> directs;
  std::vector<wire::WelcomeProducer> producers;  // whose `next` is looked up when it goes on
  std::uint64_t size = 0;  // what it holds, but for what the channels hold anyway
  Instant until;
};

class Sessions {
 public:
  // All that wait may hold this part of hub_size_max: the rest is for channels.
  static constexpr std::uint64_t kHubShare = 8;

  explicit Sessions(const Limits& limits) : limits_(limits) {}

  // The peer of a session that has a connection.
  void attach(const SessionId& id, base::SlabKey peer) { attached_[id] = peer; }
  void release(const SessionId& id, base::SlabKey peer);
  [[nodiscard]] std::optional<base::SlabKey> find_attached(const SessionId& id) const;

  // From now on it waits. False when it holds too much for that.
  [[nodiscard]] bool keep(DetachedSession session, Instant now);
  // One that waits, if it is of that identity: it waits no longer.
  [[nodiscard]] std::optional<DetachedSession> take(const SessionId& id, std::string_view identity);
  // The session that was last this peer, and whether so much more may be put into it.
  [[nodiscard]] DetachedSession* find(base::SlabKey peer);
  [[nodiscard]] bool has_room(const DetachedSession& session, std::uint64_t size) const;
  void add_size(DetachedSession& session, std::uint64_t size);
  [[nodiscard]] std::optional<DetachedSession> take(base::SlabKey peer);
  // One whose time is over, or that is one too many.
  [[nodiscard]] std::optional<DetachedSession> pop_due(Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  [[nodiscard]] std::size_t size() const { return detached_.size(); }
  // Some of those that wait are subscribed to it, and will be again.
  [[nodiscard]] bool subscribed(const ChannelName& channel, PatternBag::Answer& last) const {
    return patterns_.may_match(channel, last);
  }
  // In the order of ids.
  [[nodiscard]] const std::map<SessionId, DetachedSession>& detached() const { return detached_; }

 private:
  using PeerName = std::pair<std::uint32_t, std::uint32_t>;
  struct Waiting {
    SessionId id;
    Instant until;
  };
  static PeerName name_of(base::SlabKey peer) { return {peer.slot, peer.generation}; }
  [[nodiscard]] DetachedSession extract(std::map<SessionId, DetachedSession>::iterator found);
  [[nodiscard]] bool is_over(const Waiting& waiting) const;
  void drop_stale();

  Limits limits_;
  std::map<SessionId, base::SlabKey> attached_;
  std::map<SessionId, DetachedSession> detached_;
  std::map<PeerName, SessionId> by_peer_;  // of those that are detached
  std::deque<Waiting> order_;  // since longest first; those that wait no more among them
  PatternBag patterns_;        // of the subscriptions of those that are detached
  std::uint64_t held_ = 0;
};

}  // namespace orzatty::hub
