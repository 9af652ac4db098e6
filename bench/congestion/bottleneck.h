// Transfers that share one bottleneck, in virtual time: QUIC connections of ours, each from a
// client to a server of its own, over one path that all of them fill.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "lab/path.h"
#include "quic/connection.h"
#include "quic/credentials.h"
#include "quic/endpoint.h"

namespace orzatty::congestion {

struct Scene {
  std::vector<quic::CongestionControl> flows;
  Duration round_trip{};
  double loss = 0;                                                // each way
  std::uint64_t rate = 100'000'000 / 8;                           // bytes per second
  Duration queue{};                                               // at the bottleneck
  std::uint64_t window = quic::ConnectionConfig{}.stream_window;  // that the server gives, and
  std::uint64_t window_max = quic::ConnectionConfig{}.stream_window_max;  // grows by itself
  Duration length = std::chrono::seconds(30);
  std::uint64_t seed = 1;
};

// What each flow got through, in bytes per second of the time after the first tenth. All bytes were
// checked: a wrong one ends the program.
std::vector<double> play(const Scene& scene);

}  // namespace orzatty::congestion
