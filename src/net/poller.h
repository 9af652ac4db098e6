// The set of sockets and wake-ups that a thread sleeps on: an epoll set, with a timeout to the
// nanosecond. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "net/file_descriptor.h"
#include "orzatty/error.h"
#include "orzatty/time.h"

namespace orzatty::net {

// kReadWrite while a send is blocked, and only then: a socket is nearly always writable.
enum class Interest : std::uint8_t { kRead, kReadWrite };

struct Ready {
  std::uint64_t token = 0;  // as given to add()
  bool readable = false;    // also for an error that a receive would report
  bool writable = false;
};

class Poller {
 public:
  static constexpr std::size_t kReadyCountMax = 16;  // the rest is found by the next wait()

  static std::expected<Poller, Error> open();

  // `token` is whatever the caller recognises it by. The descriptor must stay open until remove().
  std::expected<void, Error> add(int fd, std::uint64_t token, Interest interest);
  void change(int fd, std::uint64_t token, Interest interest);
  void remove(int fd);

  // Sleeps until something is ready, `until` has come, or a signal; empty: for ever. What it
  // returns is valid until the next call; it is empty when the time has come or a signal.
  [[nodiscard]] std::span<const Ready> wait(std::optional<Instant> until);

 private:
  explicit Poller(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  FileDescriptor descriptor_;
  std::array<Ready, kReadyCountMax> ready_{};
  bool precise_ = true;  // the kernel has epoll_pwait2
};

}  // namespace orzatty::net
