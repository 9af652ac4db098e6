#include "hub/pattern_bag.h"

#include "base/assert.h"

namespace orzatty::hub {

void PatternBag::add(const ChannelPattern& pattern) {
  ++counts_[std::string(pattern.text())];
  ++version_;
}

void PatternBag::remove(const ChannelPattern& pattern) {
  const auto found = counts_.find(pattern.text());
  ORZATTY_ASSERT(found != counts_.end());
  if (--found->second == 0) counts_.erase(found);
  ++version_;
}

bool PatternBag::may_match(const ChannelName& name) const {
  if (counts_.empty()) return false;
  if (counts_.contains(name.text())) return true;
  std::size_t steps = 0;
  if (!name.reserved()) return match("", name.text(), steps);
  const std::size_t dot = name.text().find('.');  // a wildcard does not match it in first place
  if (dot == std::string_view::npos) return false;
  return match(std::string(name.text().substr(0, dot + 1)), name.text().substr(dot + 1), steps);
}

bool PatternBag::match(const std::string& prefix, std::string_view rest, std::size_t& steps) const {
  if (++steps > kStepsMax || counts_.contains(prefix + ">")) return true;
  const std::size_t dot = rest.find('.');
  const bool last = dot == std::string_view::npos;
  for (const std::string_view token : {std::string_view("*"), rest.substr(0, dot)}) {
    std::string next = prefix + std::string(token);
    if (last) {
      if (counts_.contains(next)) return true;
      continue;
    }
    next += '.';
    if (begins_one(next) && match(next, rest.substr(dot + 1), steps)) return true;
  }
  return false;
}

bool PatternBag::begins_one(std::string_view prefix) const {
  const auto at = counts_.lower_bound(prefix);
  return at != counts_.end() && at->first.starts_with(prefix);
}

}  // namespace orzatty::hub
