// What many seeds came to: for people, and as JSON for machines.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "sim/worker.h"

namespace orzatty::sim {

class Summary {
 public:
  void add(const Task& task, const Outcome& outcome);
  void compared(bool same) { ++(same ? compared_ : different_); }
  [[nodiscard]] bool good() const { return failed_.empty() && different_ == 0; }
  [[nodiscard]] std::uint64_t seed_count() const { return seed_count_; }

  [[nodiscard]] std::string text(double wall_seconds) const;
  [[nodiscard]] std::string json(double wall_seconds) const;

 private:
  std::uint64_t seed_count_ = 0;
  std::uint64_t datagram_count_ = 0;
  std::uint64_t compared_ = 0;
  std::uint64_t different_ = 0;
  // Of the smallest seed in each respect.
  struct Least {
    std::uint64_t clients = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t messages = clients;
    std::uint64_t faults = clients;
    Duration virtual_time = Duration::max();
  };
  Least least_;
  Duration virtual_time_ = Duration::zero();
  std::vector<std::uint64_t> failed_;
  std::map<std::string, std::uint64_t> counts_;
  std::map<std::string, std::uint64_t> seeds_with_;  // it at least once
};

}  // namespace orzatty::sim
