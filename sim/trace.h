// What happened, as one number: two runs of a seed are the same when their traces are. With lines()
// it is also told, for whoever replays a seed.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "orzatty/bytes.h"
#include "orzatty/time.h"

namespace orzatty::sim {

class Trace {
 public:
  void add(std::uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9fb21c651e98df25ULL;
    hash_ ^= hash_ >> 32;
  }
  void add(Instant when) { add(static_cast<std::uint64_t>(when.time_since_epoch().count())); }
  void add(BytesView bytes) {
    add(bytes.size());
    while (bytes.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      add(word);
      bytes = bytes.subspan(sizeof word);
    }
    std::uint64_t rest = 0;
    if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
    add(rest);
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

  // Lines are made only for whoever listens.
  [[nodiscard]] bool told() const { return static_cast<bool>(listener); }
  void tell(std::string_view line) const {
    if (listener) listener(now, line);
  }
  Instant now;  // of the world
  std::function<void(Instant, std::string_view)> listener;

 private:
  std::uint64_t hash_ = 0x243f6a8885a308d3ULL;
};

}  // namespace orzatty::sim
