#include "runtime/server_outbox.h"

#include <utility>

namespace orzatty::runtime {

// What may still be stored in this turn. A try that fails counts too, as it costs time.
class ServerOutbox::Turn {
 public:
  explicit Turn(const Store& store) : store_(store) {}

  [[nodiscard]] bool over() const { return count_ >= kTurnCount || bytes_ >= kTurnBytes; }
  // False when the item has to wait.
  [[nodiscard]] bool store(const Item& item) {
    ++count_;
    if (store_(item) == ErrorCode::kOverloaded) return false;
    bytes_ += item.payload.size();
    return true;
  }
  void count() { ++count_; }

 private:
  const Store& store_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

std::size_t ServerOutbox::size_of(const Item& item) {
  return sizeof(Item) + item.channel.text().size() + item.payload.size() + item.key.size();
}

ServerOutbox::Pushed ServerOutbox::push(Item item) {
  const std::size_t size = size_of(item);
  const std::lock_guard lock(mutex_);
  if (closed_) return Pushed::kClosed;
  if (size_.load(std::memory_order_relaxed) + size > kSizeMax) return Pushed::kFull;
  size_.fetch_add(size, std::memory_order_relaxed);
  new_.push_back(std::move(item));
  has_new_.store(true);
  return Pushed::kQueued;
}

void ServerOutbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool ServerOutbox::store(const Store& store) {
  take_new();
  Turn turn(store);
  store_parked(turn);
  store_line(turn);
  return untried_ > 0 || !line_.empty();
}

void ServerOutbox::take_new() {
  if (!has_new()) return;
  {
    const std::lock_guard lock(mutex_);
    taken_.swap(new_);
    has_new_.store(false);
  }
  for (Item& item : taken_) line_.push_back(std::move(item));
  taken_.clear();
}

// Round and round, so that each has its turn however many there are.
void ServerOutbox::store_parked(Turn& turn) {
  while (untried_ > 0 && !turn.over()) {
    auto channel = tried_ ? parked_.upper_bound(*tried_) : parked_.begin();
    if (channel == parked_.end()) channel = parked_.begin();
    std::deque<Item>& items = channel->second;
    bool room = true;
    while (!items.empty() && !turn.over()) {
      room = turn.store(items.front());
      if (!room) break;
      size_.fetch_sub(size_of(items.front()), std::memory_order_relaxed);
      items.pop_front();
    }
    if (room && !items.empty()) return;  // it goes on where it was interrupted
    tried_ = channel->first;
    --untried_;
    if (items.empty()) parked_.erase(channel);
  }
}

void ServerOutbox::store_line(Turn& turn) {
  while (!line_.empty() && !turn.over()) {
    Item& item = line_.front();
    const auto parked = parked_.empty() ? parked_.end() : parked_.find(item.channel);
    if (parked != parked_.end()) {
      turn.count();
      parked->second.push_back(std::move(item));
    } else if (turn.store(item)) {
      size_.fetch_sub(size_of(item), std::memory_order_relaxed);
    } else {
      ChannelName channel = item.channel;
      parked_[std::move(channel)].push_back(std::move(item));
    }
    line_.pop_front();
  }
}

std::map<ChannelName, std::size_t> ServerOutbox::waiting() {
  take_new();
  std::map<ChannelName, std::size_t> counts;
  for (const Item& item : line_) ++counts[item.channel];
  for (const auto& [channel, items] : parked_) counts[channel] += items.size();
  return counts;
}

}  // namespace orzatty::runtime
