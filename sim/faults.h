// Everything that can go wrong in a simulated world, and how often a seed has it. A seed draws a
// random subset, so that some faults meet alone and others in company; a standard seed has at least
// three.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

namespace orzatty::sim {

enum class Fault : std::uint8_t {
  kLoss,
  kBursts,
  kReordering,
  kDuplication,
  kCorruption,
  kTruncation,
  kJitter,
  kLowRate,
  kSmallMtu,
  kPartition,
  kOneWayPartition,
  kRebinding,
  kMove,
  kClientPause,
  kServerPause,
  kClientCrash,
  kServerCrash,
  kClockOffset,
  kIntruder,
  kSmallBuffers,
  kShortRetention,
  kDeadlines,
  kTwin,
  kThief,
};

struct FaultRow {
  Fault fault;
  std::string_view name;
  double chance;  // that a seed has it
};

constexpr std::array<FaultRow, 24> kFaults = {{
    {Fault::kLoss, "loss", 0.50},              // 0.1 to 40 % of datagrams, one by one
    {Fault::kBursts, "bursts", 0.25},          // many in a row
    {Fault::kReordering, "reordering", 0.30},  // late by up to four delays
    {Fault::kDuplication, "duplication", 0.25},
    {Fault::kCorruption, "corruption", 0.25},  // 0.1 to 30 % of datagrams
    {Fault::kTruncation, "truncation", 0.10},
    {Fault::kJitter, "jitter", 0.40},
    {Fault::kLowRate, "low rate", 0.20},  // 30 kB/s to 1 MB/s, with a queue
    {Fault::kSmallMtu, "small mtu", 0.10},
    {Fault::kPartition, "partition", 0.30},  // 0.2 to 15 s, for one client
    {Fault::kOneWayPartition, "one-way partition", 0.15},
    {Fault::kRebinding, "rebinding", 0.25},       // the NAT forgets, the client does not know
    {Fault::kMove, "move", 0.15},                 // the client has a new address, and knows
    {Fault::kClientPause, "client pause", 0.20},  // 0.1 to 15 s
    {Fault::kServerPause, "server pause", 0.15},
    {Fault::kClientCrash, "client crash", 0.20},  // back after 0.05 to 5 s, where it stored
    {Fault::kServerCrash, "server crash", 0.25},  // back after 0.05 to 5 s, with nothing
    {Fault::kClockOffset, "clock offset", 0.30},  // clocks differ by up to an hour
    {Fault::kIntruder, "intruder", 0.20},         // somebody without a valid token tries
    {Fault::kSmallBuffers, "small buffers",
     0.30},  // windows, outboxes and a hub that are always full
    {Fault::kShortRetention, "short retention", 0.35},  // channels that keep little of the past
    {Fault::kDeadlines, "deadlines", 0.25},  // messages that are worth nothing after 20 ms to 5 s
    {Fault::kTwin, "twin", 0.15},    // a second process of a named producer, beside the first
    {Fault::kThief, "thief", 0.15},  // comes back with the id of another's session
}};

using FaultSet = std::set<Fault>;
constexpr std::size_t kFaultCountMin = 3;

constexpr std::string_view name(Fault fault) {
  return kFaults[static_cast<std::size_t>(fault)].name;
}

}  // namespace orzatty::sim
