// Patterns, each as often as it was put in: whether one of them matches a name is found without
// asking each. One string a pattern and no tree, so what they cost is known. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "orzatty/channel.h"

namespace orzatty::hub {

class PatternBag {
 public:
  // What one question may look up. Patterns that differ in where their wildcards stand could make
  // it look at all of them otherwise.
  static constexpr std::size_t kStepsMax = 64;
  // What was answered for a name before.
  struct Answer {
    std::uint64_t version = 0;  // of the bag; 0 is none
    bool yes = false;
  };

  void add(const ChannelPattern& pattern);
  void remove(const ChannelPattern& pattern);
  // Also when that could not be ruled out in kStepsMax steps. spec: NAME-2, NAME-3
  [[nodiscard]] bool may_match(const ChannelName& name) const;
  // The same, searched only if the patterns are not those of the last time.
  [[nodiscard]] bool may_match(const ChannelName& name, Answer& last) const {
    if (last.version != version_) last = {version_, may_match(name)};
    return last.yes;
  }
  [[nodiscard]] bool empty() const { return counts_.empty(); }

 private:
  // Some pattern begins with `prefix`, which is whole tokens, and its rest matches `rest`.
  [[nodiscard]] bool match(const std::string& prefix, std::string_view rest,
                           std::size_t& steps) const;
  [[nodiscard]] bool begins_one(std::string_view prefix) const;

  std::map<std::string, std::uint32_t, std::less<>> counts_;  // by text
  std::uint64_t version_ = 1;
};

}  // namespace orzatty::hub
