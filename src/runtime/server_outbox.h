// What Server::publish() was given, on its way into the hub: queued by any thread, stored by the
// server's. In order per channel; a channel that is full waits by itself and holds up no other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/message.h"

namespace orzatty::runtime {

class ServerOutbox {
 public:
  // Of memory, for all that waits: beyond that a publisher should know that it is too fast.
  static constexpr std::size_t kSizeMax = 64 * 1024 * 1024;
  // What is stored in one turn, before packets have theirs: less than a millisecond's work.
  static constexpr std::size_t kTurnCount = 1024;
  static constexpr std::size_t kTurnBytes = 1024 * 1024;

  struct Item {
    ChannelName channel;
    MessageType type;
    Bytes payload;
    MessageAttributes attributes = {};
    Bytes key = {};  // what the attributes refer to
  };

  // Any thread.
  enum class Pushed : std::uint8_t { kQueued, kFull, kClosed };
  [[nodiscard]] Pushed push(Item item);
  // Something was pushed that store() did not see.
  [[nodiscard]] bool has_new() const { return has_new_.load(std::memory_order_acquire); }

  // The server's thread. Nothing is taken any more; what waits stays.
  void close();
  // There may be room again in channels that were full.
  void retry() { untried_ = parked_.size(); }
  // Hands one item to the hub: kOverloaded when its channel has no room for it now. Anything else
  // settles it.
  using Store = std::function<ErrorCode(const Item& item)>;
  // A turn of what there may be room for. True when there is more to do at once.
  [[nodiscard]] bool store(const Store& store);
  [[nodiscard]] bool empty() const { return line_.empty() && parked_.empty() && !has_new(); }
  // How many messages wait, by channel.
  [[nodiscard]] std::map<ChannelName, std::size_t> waiting();

 private:
  class Turn;

  void take_new();
  void store_parked(Turn& turn);
  void store_line(Turn& turn);
  static std::size_t size_of(const Item& item);

  std::mutex mutex_;
  std::vector<Item> new_;
  bool closed_ = false;
  std::atomic<bool> has_new_{false};
  std::atomic<std::size_t> size_{0};  // of all items, wherever they are

  // The server's thread's.
  std::vector<Item> taken_;  // reused
  std::deque<Item> line_;
  std::map<ChannelName, std::deque<Item>> parked_;  // of channels that were full
  std::optional<ChannelName> tried_;                // the parked one that had its turn last
  std::size_t untried_ = 0;                         // parked ones since retry()
};

}  // namespace orzatty::runtime
