#include <algorithm>
#include <array>

#include "lab/fault_script.h"

namespace orzatty::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMegabit = 1'000'000 / 8;  // bytes per second

// One room away from an access point that the neighbours share: the radio repeats what it loses,
// which shows as jitter, until somebody opens the microwave, which shows as bursts.
FaultScript wifi() {
  const Conditions way{.delay = 2ms,
                       .jitter = 8ms,
                       .rate = 50 * kMegabit,
                       .loss = 0.002,
                       .bursts = {.begins = 0.0005, .ends = 0.1, .loss = 0.6}};
  return {.seed = {}, .network = {.up = way, .down = way, .rebind_every = {}}, .phases = {}};
}

// 4G in a train: a deep queue before a slow uplink, a tunnel every half minute, and a new address
// every minute.
FaultScript mobile() {
  Network network;
  network.up = {.delay = 30ms,
                .jitter = 30ms,
                .rate = 5 * kMegabit,
                .queue_bytes = 512 * 1024,
                .loss = 0.01,
                .bursts = {.begins = 0.001, .ends = 0.1, .loss = 0.5}};
  network.down = network.up;
  network.down.rate = 20 * kMegabit;
  network.rebind_every = 60s;
  Network tunnel = network;
  tunnel.up.open = tunnel.down.open = false;
  return {.seed = {},
          .network = network,
          .phases = {{.from = 10s, .to = 12s, .every = 30s, .network = tunnel}}};
}

// A geostationary satellite: 36,000 km up and down are 270 ms, whatever is paid for.
FaultScript satellite() {
  Network network;
  network.up = {.delay = 270ms,
                .jitter = 10ms,
                .rate = 3 * kMegabit,
                .queue_bytes = 1024 * 1024,
                .loss = 0.01};
  network.down = network.up;
  network.down.rate = 25 * kMegabit;
  return {.seed = {}, .network = network, .phases = {}};
}

// Everything at once, and more of it than any network in use has.
FaultScript hostile() {
  const Conditions way{.delay = 50ms,
                       .jitter = 50ms,
                       .rate = 2 * kMegabit,
                       .queue_bytes = 64 * 1024,
                       .loss = 0.1,
                       .bursts = {.begins = 0.002, .ends = 0.1, .loss = 0.9},
                       .reordering = 0.1,
                       .duplication = 0.02,
                       .corruption = 0.02,
                       .truncation = 0.01};
  const Network network{.up = way, .down = way, .rebind_every = 5s};
  Network hole = network;
  hole.up.open = hole.down.open = false;
  return {.seed = {},
          .network = network,
          .phases = {{.from = 12s, .to = 14s, .every = 15s, .network = hole}}};
}

}  // namespace

std::span<const Preset> presets() {
  static const std::array<Preset, 4> kAll = {
      {{"wifi", "jitter and bursts of a shared radio, 50 Mbit/s", wifi()},
       {"mobile", "4G in a train: deep queues, tunnels, new addresses", mobile()},
       {"satellite", "540 ms round trip, 1 % loss", satellite()},
       {"hostile", "all faults at once, 10 % loss and bursts", hostile()}}};
  return kAll;
}

const Preset* find_preset(std::string_view name) {
  const auto found = std::ranges::find(presets(), name, &Preset::name);
  return found == presets().end() ? nullptr : &*found;
}

}  // namespace orzatty::lab
