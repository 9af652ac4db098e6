// Ctrl-C and SIGTERM as a value and a call, instead of a handler that may do nothing.
//
// Make it before any other thread, which then inherit that the signals are blocked; a thread of its
// own waits for them. The second signal ends the process at once, with the exit code given.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "failure.h"
#include "net/file_descriptor.h"
#include "orzatty/time.h"

namespace orzatty::apps {

class Interruption {
 public:
  // A second signal means "at once": `hard_exit` is then the exit code.
  static Result<std::unique_ptr<Interruption>> watch(ExitCode hard_exit);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // Called in the watching thread, or now when it has happened before. Replaces the last call; when
  // this returns none of that is running.
  void on_first(std::function<void()> call);
  [[nodiscard]] bool happened() const { return happened_.load(std::memory_order_relaxed); }

  // Until the time has come: false when it was interrupted.
  bool sleep_until(Instant until) const;
  // Until `fd` can be read, or `until`: false when it was interrupted. A regular file always can.
  bool wait_readable(int fd, std::optional<Instant> until) const;

 private:
  Interruption(net::FileDescriptor event, net::FileDescriptor signals, ExitCode hard_exit);
  void run();

  class Call;                    // the callback with its lock
  net::FileDescriptor event_;    // readable once it has happened or the watch ends
  net::FileDescriptor signals_;  // signalfd
  ExitCode hard_exit_;
  std::atomic<bool> happened_{false};
  std::atomic<bool> ending_{false};
  std::unique_ptr<Call> call_;
  std::thread thread_;
};

}  // namespace orzatty::apps
