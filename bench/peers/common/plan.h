// What a program of bench/peers is asked to measure: the same words for every peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orzatty/time.h"

namespace orzatty::peers {

enum class Mode : std::uint8_t { kOneWay, kRoundTrip, kFanOut };

struct Plan {
  Mode mode = Mode::kOneWay;
  std::size_t size = 64;                    // bytes of a message
  Duration time = std::chrono::seconds(3);  // of sending
  std::size_t subscribers = 1;              // one, unless it is a fan-out
  std::string variant;                      // one of those that the peer has
};

// What a peer is, and what it can do.
struct Description {
  std::string name;
  std::string version;                // of the library
  std::vector<std::string> variants;  // the first is meant when none is named
  bool fans_out = false;
  bool has_broker = false;  // a process between the two
};

// The words of a command line, without the program's name. Fails with a line for the user.
std::expected<Plan, std::string> parse_plan(const Description& peer,
                                            std::span<const std::string_view> words);
std::string usage_of(const Description& peer);
std::string_view name_of(Mode mode);

}  // namespace orzatty::peers
