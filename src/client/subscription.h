// One subscription of a client: what it asked for, how far it is in each channel, and what the
// names on the current connection mean. Outlives connections: it subscribes again where it stands.
// One thread.
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arrivals.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/limits.h"
#include "orzatty/message.h"
#include "wire/alias.h"
#include "wire/alias_table.h"
#include "wire/hello.h"
#include "wire/producer.h"
#include "wire/subscribe.h"

namespace orzatty::client {

class Subscription {
 public:
  // Of the positions in one SUBSCRIBE, which is one control frame.
  static constexpr std::size_t kPositionBytesMax = 48 * 1024;

  Subscription(SubscriptionId id, ChannelPattern pattern, const StartPosition& start,
               const Limits& limits)
      : id_(id),
        pattern_(std::move(pattern)),
        start_(start),
        channel_count_max_(limits.subscription_channel_count_max),
        // Between any two ranges something is on a stream that has not ended, or was on one of the
        // connection before.
        scatter_max_(2 * (std::size_t{limits.subscription_count_max} +
                          limits.passing_stream_count_max)) {}

  // What to ask for on a new connection.
  [[nodiscard]] wire::Subscribe request();
  // Where it stands, for a HELLO that asks for the session: as much as `size_max` bytes hold.
  void tell(std::vector<wire::HelloPosition>& into, std::size_t& size_max);
  // The connection is gone, and with it the aliases.
  void lose();

  // What ALIAS means for a channel that was known already.
  struct Introduced {
    bool reset = false;       // it began a new life
    std::vector<Gap> missed;  // it goes on further ahead, and nobody will say more of it
  };
  [[nodiscard]] std::expected<Introduced, ProtocolError> introduce(const wire::Alias& alias);
  [[nodiscard]] std::expected<void, ProtocolError> introduce(const wire::Producer& producer);

  // Messages or a gap at [from, to) of a channel came. `known` of them had been seen before, and of
  // datagrams some may be missing before them.
  struct Advanced {
    std::string_view channel;
    std::uint64_t known = 0;
    std::optional<Gap> lost;
  };
  [[nodiscard]] std::expected<Advanced, ProtocolError> advance(ChannelAlias alias, Offset from,
                                                               Offset to);
  // The same on a passing stream, of [from, to) the first part alone: `count` of them, that had been
  // seen before or not. With `reset`, ask again. What is of the life before is known.
  struct Arrived {
    std::string_view channel;
    bool reset = false;  // the channel began a new life
    bool known = false;
    std::uint64_t count = 0;
  };
  [[nodiscard]] std::expected<Arrived, ProtocolError> arrive(const wire::Alias& alias, Offset from,
                                                             Offset to);
  // All below has come, of a channel whose beginning is known.
  [[nodiscard]] std::optional<Offset> position(const ChannelName& channel) const;
  [[nodiscard]] std::string_view publisher(ProducerAlias producer);
  [[nodiscard]] bool knows(ChannelAlias channel) { return aliases_.find(channel.value()) != nullptr; }
  [[nodiscard]] bool knows(ProducerAlias producer) {
    return producer_aliases_.find(producer.value()) != nullptr;
  }
  // A datagram of a channel that was not introduced is dropped, and told when that is.
  void drop_early(ChannelAlias alias, Offset to);

  // SUBSCRIBED came, and said in how many channels it begins.
  void confirm(std::uint64_t channel_count) { begins_in_ = channel_count; }
  // True once: where it begins is known in each of them, so that nothing from there on can be left
  // out unnoticed, on whatever connection. spec: SUBSCRIBE-2
  [[nodiscard]] bool become_ready();

  bool ended = false;      // the application wants no more; ENDED will follow

 private:
  struct Position {
    ChannelEpoch epoch;
    std::optional<ChannelEpoch> over{};  // which it took the place of on this connection
    base::Arrivals<Offset> had{};
    bool begun = false;      // where it begins is known; a passing stream may come before its ALIAS
    bool told = false;       // stood in the SUBSCRIBE of this connection
    bool replaying = false;  // did not, and the server begins where we have been already
    bool as_datagrams = false;
  };
  struct Early {
    ChannelAlias alias;
    Offset to;
  };
  // Beyond them a lost beginning is told by what comes next alone.
  static constexpr std::size_t kEarlyCountMax = 64;
  using Positions = std::map<ChannelName, Position>;

  static Position begun_at(const wire::Alias& alias, std::optional<ChannelEpoch> over = {}) {
    return {.epoch = alias.epoch,
            .over = over,
            .had = base::Arrivals<Offset>(alias.next),
            .begun = true};
  }
  // What datagrams that came before the ALIAS of their channel held, and nobody kept.
  [[nodiscard]] std::optional<Gap> take_early(ChannelAlias alias, Position& position) const;
  // What is missing below `to`.
  [[nodiscard]] static std::vector<Gap> missing(const Position& position, Offset to);

  SubscriptionId id_;
  ChannelPattern pattern_;
  StartPosition start_;
  std::size_t channel_count_max_;
  std::size_t scatter_max_;
  Positions positions_;
  bool ready_ = false;

  // Of this connection. Tables, not hashes: the numbers are the peer's.
  std::optional<std::uint64_t> begins_in_;        // channels
  wire::AliasTable aliases_{channel_count_max_};  // with the place in channels_
  std::vector<Positions::value_type*> channels_;
  wire::AliasTable producer_aliases_{64 * 1024};  // with the place in publishers_
  std::deque<std::string> publishers_;            // stable: they are lent out
  std::vector<Early> early_;
};

}  // namespace orzatty::client
