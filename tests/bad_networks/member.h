// One client of a fleet: it publishes numbers to a channel of its own and listens to its
// neighbour's, and keeps a record of everything that it was told.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "orzatty/client.h"

namespace orzatty::fleet {

struct Task {
  std::uint32_t number = 0;
  std::uint32_t neighbour = 0;
  std::uint64_t messages = 0;
  std::size_t size = 100;  // of a message
};

// What a subscription was told, in this order.
struct Happening {
  enum class Kind : std::uint8_t { kMessage, kGap, kReset };
  Kind kind = Kind::kMessage;
  std::uint64_t first = 0;   // the offset, or where the gap begins
  std::uint64_t second = 0;  // the number, or where it ends
};

struct Told {
  Fate fate = Fate::kUnknown;
  std::uint64_t offset = 0;
};

class Member {
 public:
  explicit Member(const Task& task);
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // Connects and subscribes; from any thread.
  std::expected<void, Error> begin(const std::string& address, ClientOptions options);
  // The next of its numbers; false when there is no room for it now, or never again.
  [[nodiscard]] bool send_next();
  [[nodiscard]] bool all_sent() const { return gone_ || sent_ == task_.messages; }
  // Its neighbour's last number was here, and its own all have a fate.
  [[nodiscard]] bool complete() const {
    return next_.load() >= task_.messages && told_.load() == task_.messages;
  }
  void end();

  // After end().
  [[nodiscard]] const Task& task() const { return task_; }
  [[nodiscard]] const std::vector<Happening>& heard() const { return heard_; }
  [[nodiscard]] const std::vector<std::optional<Told>>& fates() const { return fates_; }
  // How long it was without a session, each time; when the last of them ended, since 1970.
  [[nodiscard]] const std::vector<Duration>& absences() const { return absences_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& causes() const { return causes_; }
  [[nodiscard]] std::chrono::milliseconds last_return() const { return last_return_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] const ClientStats& stats() const { return stats_; }

 private:
  void on_state(const StateEvent& event);
  void on_report(const DeliveryReport& report);
  void on_message(const Message& message);

  const Task task_;
  std::uint64_t sent_ = 0;
  bool gone_ = false;  // its client has ended
  std::atomic<std::uint64_t> next_{0};  // of the neighbour's numbers
  std::atomic<std::uint64_t> told_{0};

  // Whoever runs the client's I/O writes these, one thread at a time.
  std::vector<Happening> heard_;
  std::vector<std::optional<Told>> fates_;
  std::vector<Duration> absences_;
  std::optional<Instant> away_since_;
  std::map<std::string, std::uint64_t> causes_;  // of the absences
  std::chrono::milliseconds last_return_{};
  std::string failure_;
  ClientStats stats_;

  std::optional<Client> client_;
  std::optional<Publisher> publisher_;
  std::optional<Subscription> subscription_;
};

}  // namespace orzatty::fleet
