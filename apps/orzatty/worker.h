// A process forked from this one, with a conversation of values between the two. Start it while
// this process has no other thread.
#pragma once

#include <sys/types.h>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>

#include "failure.h"
#include "net/file_descriptor.h"

namespace orzatty::apps {

// One end of it. Both sides are the same program, so a value travels as it lies in memory.
class Conversation {
 public:
  explicit Conversation(net::FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  // False when the other end is gone.
  template <class Value>
    requires std::is_trivially_copyable_v<Value>
  bool tell(const Value& value) {
    return write(std::as_bytes(std::span(&value, 1)));
  }
  // Waits for it; nothing when the other end is gone.
  template <class Value>
    requires std::is_trivially_copyable_v<Value> && std::default_initializable<Value>
  [[nodiscard]] std::optional<Value> hear() {
    Value value{};
    if (!read(std::as_writable_bytes(std::span(&value, 1)))) return std::nullopt;
    return value;
  }
  // Whether hear() would not have to wait.
  [[nodiscard]] bool was_told() const;

 private:
  bool write(std::span<const std::byte> bytes);
  bool read(std::span<std::byte> bytes);

  net::FileDescriptor descriptor_;
};

class Worker {
 public:
  // `work` runs in the new process, which then ends with what it returned. It dies with this one.
  static Result<Worker> start(const std::function<int(Conversation&)>& work);
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept = delete;
  ~Worker();  // kills it, unless it was awaited

  [[nodiscard]] Conversation& conversation() { return conversation_; }
  // Waits until it has ended by itself: false when it did not return 0.
  bool await();

 private:
  Worker(Conversation conversation, pid_t process)
      : conversation_(std::move(conversation)), process_(process) {}

  Conversation conversation_;
  pid_t process_;  // 0: none any more
};

}  // namespace orzatty::apps
