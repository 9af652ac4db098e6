// What a network does over time: how it is, and phases in which it is otherwise. A value, made by
// whoever reads it from a file or a preset, and asked what holds now.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lab/path.h"
#include "orzatty/time.h"

namespace orzatty::lab {

// Both directions between clients and a server, as they are at a time.
struct Network {
  Conditions up;    // from the clients
  Conditions down;  // to the clients
  std::optional<Duration>
      rebind_every;  // the NAT forgets: a client has a new port seen from outside

  bool operator==(const Network&) const = default;
};

// A time in which the network is otherwise, once or again and again.
struct Phase {
  Duration from{};
  std::optional<Duration> to;     // not included; nothing: for ever
  std::optional<Duration> every;  // it begins again so long after it began; only with `to`
  Network network;

  [[nodiscard]] bool holds_at(Duration elapsed) const;
  // When it begins or ends next, after `elapsed`.
  [[nodiscard]] std::optional<Duration> next_edge(Duration elapsed) const;
  bool operator==(const Phase&) const = default;
};

struct FaultScript {
  std::optional<std::uint64_t> seed;  // nothing: whoever runs it draws one, and tells
  Network network;                    // while no phase holds
  std::vector<Phase> phases;          // where several hold, the last counts

  [[nodiscard]] const Network& at(Duration elapsed) const;
  // When at() may say something else, after `elapsed`.
  [[nodiscard]] std::optional<Duration> next_change(Duration elapsed) const;
  bool operator==(const FaultScript&) const = default;
};

// What is wrong with a script, as one line; nothing when it can be run. A reader that knows where
// the fault is says so itself.
std::optional<std::string_view> problem_of(const Phase& phase);
std::optional<std::string_view> problem_of(const Network& network);

// Networks as people meet them.
struct Preset {
  std::string_view name;
  std::string_view what;
  FaultScript script;
};
std::span<const Preset> presets();
const Preset* find_preset(std::string_view name);

}  // namespace orzatty::lab
