#include "client/directs.h"

namespace orzatty::client {

// spec: RESUME-4
std::optional<Directs::Lost> Directs::advance(const session::DirectMessages& messages) {
  auto known = positions_.find(messages.channel);
  if (known == positions_.end()) {
    known = positions_.emplace(std::string(messages.channel), Position{}).first;
  }
  Position& position = known->second;
  if (!std::exchange(position.seen, true) && messages.first < position.next) {
    position.next = Sequence(0);
  }
  std::optional<Lost> lost;
  if (messages.first > position.next) lost = Lost{position.next, messages.first};
  position.next = messages.first + messages.count;
  return lost;
}

bool Directs::tell(std::vector<wire::HelloDirect>& into, std::size_t& size_max) const {
  for (const auto& [channel, position] : positions_) {
    const std::size_t size = 2 + channel.size() + wire::kVarintSizeMax;
    if (size > size_max) return false;
    size_max -= size;
    into.push_back({*ChannelName::parse(channel), position.next});
  }
  return true;
}

void Directs::lose() {
  for (auto& [channel, position] : positions_) position.seen = false;
}

// What came before WELCOME is of the new session already.
void Directs::begin_anew() {
  std::erase_if(positions_, [](const auto& known) { return !known.second.seen; });
}

}  // namespace orzatty::client
