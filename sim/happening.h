// What happens in a world, as values: what the clients' programs did and were told. Checkers judge
// by nothing else. Borrowed parts are valid until handle() returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "orzatty/message.h"

namespace orzatty::sim {

// One life of a client's process. A restarted one is another, with the same identity.
using ProgramId = StrongId<struct ProgramTag, std::uint32_t>;
// From one start of the server to its end.
using ServerLife = StrongId<struct ServerLifeTag, std::uint32_t>;
// Sessions in the order in which they began, over all lives of the server.
using SessionNumber = StrongId<struct SessionNumberTag, std::uint32_t>;

// Which message it is, as its payload says.
struct MessageName {
  ProgramId program;
  PublicationId publication;
  Sequence sequence;
  auto operator<=>(const MessageName&) const = default;
};

std::string_view fate_name(Fate fate);

struct ServerRose {
  ServerLife life;
};
struct ServerFell {
  ServerLife life;
};
// An auditor has a perfect link and reads everything: what it is told is the hub's log.
enum class Role : std::uint8_t { kClient, kAuditor, kIntruder };
struct ProgramBegan {
  ProgramId program;
  std::string_view identity;
  Role role = Role::kClient;
};
struct ProgramKilled {
  ProgramId program;
};
// From now on no fault is at work, and everything has to come to rest.
struct Healed {};

struct Published {
  ProgramId program;
  PublicationId publication;
  std::string_view channel;
  Sequence sequence;
  std::optional<std::chrono::milliseconds> time_to_live = {};
  std::string_view key = {};  // of which it is a value, where only the newest ones count
  DeliveryMode mode = DeliveryMode::kReliable;  // of its publication
};
// A publication of a producer that outlives its process: those of a name are one producer.
struct ProducerNamed {
  ProgramId program;
  PublicationId publication;
  std::string_view producer;
  ProducerEpoch epoch;
};
struct FateTold {
  ProgramId program;
  PublicationId publication;
  std::string_view channel;
  Sequence from;
  Sequence to;
  Fate fate = Fate::kUnknown;
  std::optional<Offset> first_offset;  // when accepted, and still known
  ErrorCode code = ErrorCode::kNone;
  ServerLife life;  // whose server said so
};
// What the outbox of a publication counts, after each turn of the engine.
struct Counted {
  ProgramId program;
  PublicationId publication;
  Sequence published;
  std::uint64_t waiting = 0;
  std::uint64_t waiting_bytes_max = 0;  // what its outbox may hold
};

struct SubscriptionAsked {
  ProgramId program;
  SubscriptionId subscription;
  const ChannelPattern* pattern = nullptr;
  StartPosition start;
};
struct SubscriptionConfirmed {
  ProgramId program;
  SubscriptionId subscription;
  ServerLife life;
};
struct SubscriptionOver {
  ProgramId program;
  SubscriptionId subscription;
  ErrorCode code = ErrorCode::kNone;
};
struct SeenMessage {
  MessageName name;
  bool intact = false;
};
struct MessagesSeen {
  ProgramId program;
  SubscriptionId subscription;
  std::string_view channel;
  std::string_view publisher;
  Offset first;
  std::span<const SeenMessage> messages;
  ServerLife life;
};
struct GapSeen {
  ProgramId program;
  SubscriptionId subscription;
  std::string_view channel;
  Gap gap;
  ServerLife life;
};
struct ResetSeen {
  ProgramId program;
  SubscriptionId subscription;
  std::string_view channel;
  ServerLife life;
};
// A program was let in, as `identity`; `resumed`: into the session that it had.
struct WasWelcomed {
  ProgramId program;
  std::string_view identity;
  bool resumed = false;
};

// A session of the server and what is sent to it alone, over all connections that it has.
struct SessionBegan {
  SessionNumber session;
};
struct SessionAway {  // its connection is gone
  SessionNumber session;
};
struct SessionBack {
  SessionNumber session;
};
struct SessionOver {
  SessionNumber session;
};
struct DirectSent {
  SessionNumber session;
  Sequence sequence;
};
struct DirectSeen {
  ProgramId program;
  SessionNumber session;
  Sequence sequence;
  bool intact = false;
};
struct DirectLost {
  ProgramId program;
  Sequence from;
  Sequence to;
};

// A message that wants a reply, and what became of the wish. A request is named like its message.
struct RequestAsked {
  ProgramId program;
  MessageName request;
  Duration patience = Duration::zero();
};
struct ReplyGiven {
  std::string_view identity;
  MessageName request;
};
struct ReplySeen {
  ProgramId program;
  MessageName request;
  std::string_view responder;
  bool intact = false;
  ServerLife life;
};
struct ReplyPassedOver {  // as the program does not wait for it, or not any more
  ProgramId program;
  MessageName request;
  ServerLife life;
};
struct RequestOver {  // without a reply
  ProgramId program;
  MessageName request;
  std::string_view how;  // "timeout", "refused", "lost" or "cancelled"
};

// Everything is healed, and somebody has not come to rest.
struct StillWaiting {
  std::string_view who;
};

// What the logs of the hub hold is more than ever before.
struct HubGrew {
  std::uint64_t bytes = 0;
};
// What somebody sent who was not let in has changed something.
struct IntruderActed {};
// Somebody who was never let in was told more than that.
struct IntruderHeard {
  ProgramId program;
  std::string_view what;
};
// A session ended for a reason that no fault explains.
struct SessionBroken {
  ProgramId program;
  ErrorCode code = ErrorCode::kNone;
  std::string_view text;
};

using Happening =
    std::variant<ServerRose, ServerFell, ProgramBegan, ProgramKilled, Healed, Published, FateTold,
                 Counted, SubscriptionAsked, SubscriptionConfirmed, SubscriptionOver, MessagesSeen,
                 GapSeen, ResetSeen, IntruderHeard, SessionBroken, ProducerNamed, WasWelcomed,
                 SessionBegan, SessionAway, SessionBack, SessionOver, DirectSent, DirectSeen,
                 DirectLost, HubGrew, IntruderActed, StillWaiting, RequestAsked, ReplyGiven,
                 ReplySeen, ReplyPassedOver, RequestOver>;

}  // namespace orzatty::sim
