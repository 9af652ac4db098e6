// How often what happened: faults that hit, and the "sometimes" markers, which show that the mix
// reaches the corners that it is meant to reach.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "sim/checker.h"

namespace orzatty::sim {

class Tally final : public Checker {
 public:
  Tally() : Checker("tally") {}
  void handle(const Happening& happening) override;
  void add(std::string_view what, std::uint64_t count = 1) {
    if (count > 0) counts_[std::string(what)] += count;
  }
  [[nodiscard]] std::uint64_t count(const std::string& what) const {
    const auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
  }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

 private:
  void note_order(const MessagesSeen& seen);

  // Behind the last of what was seen, where.
  std::map<std::tuple<ProgramId, SubscriptionId, ServerLife, std::string>, Offset> next_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace orzatty::sim
