// All channels by name, and when each has to be looked at: because a message gets too old, or
// because nobody uses the channel any more. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/segment.h"
#include "base/timer_queue.h"
#include "hub/channel.h"
#include "hub/hub.h"

namespace orzatty::hub {

class ChannelTable {
 public:
  // An empty channel without users is kept this long, as it knows its producers: longer than a
  // client takes to come back.
  static constexpr Duration kUnusedKept = std::chrono::seconds(60);

  // All of them outlive the table.
  ChannelTable(const HubConfig& config, base::Prng& prng, base::SegmentPool& pool,
               std::vector<ChannelTraffic>& traffic)
      : config_(config), prng_(prng), pool_(pool), traffic_(traffic) {}

  [[nodiscard]] Channel* find(std::string_view name) const;
  // nullptr when there are as many as there may be. It must not exist.
  [[nodiscard]] Channel* make(const ChannelName& name);
  // Visits channels that match, in the order of names, from behind the name `seen` on, as long as
  // visit() wants more and there is `work` left, of which each name takes one. What was seen then,
  // or nothing when no name is left.
  template <class Visit>
  [[nodiscard]] std::optional<std::string> look_on(const ChannelPattern& pattern, std::string seen,
                                                   std::size_t& work, Visit visit) const {
    const std::string_view prefix = literal_prefix(pattern);
    auto it = seen.empty() ? channels_.lower_bound(prefix) : channels_.upper_bound(seen);
    for (; it != channels_.end() && it->first.starts_with(prefix); ++it) {
      if (work == 0) return seen;
      --work;
      seen = it->first;
      if (pattern.matches(it->second->name()) && !visit(*it->second)) return seen;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t size() const { return channels_.size(); }

  // After anything of it may have changed: sets its timer, or frees it when nothing of it is
  // needed. True when it is gone.
  bool settle(Channel& channel, Instant now);
  [[nodiscard]] std::optional<Instant> next_timeout() const { return timers_.next(); }
  // A channel whose time has come; trim() and settle() it.
  [[nodiscard]] Channel* pop_due(Instant now);

 private:
  // What all names that match begin with.
  static std::string_view literal_prefix(const ChannelPattern& pattern);
  void set_timer(Channel& channel, std::optional<Instant> deadline);
  void free(Channel& channel);

  const HubConfig& config_;
  base::Prng& prng_;
  base::SegmentPool& pool_;
  std::vector<ChannelTraffic>& traffic_;  // by rule
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels_;
  base::TimerQueue timers_;  // by slot
  std::vector<Channel*> slots_;
  std::vector<std::uint32_t> free_slots_;
};

}  // namespace orzatty::hub
