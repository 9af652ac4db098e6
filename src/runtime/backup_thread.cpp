#include "runtime/backup_thread.h"

#include "net/clock.h"
#include "runtime/client_runtime.h"

namespace orzatty {

BackupThread::BackupThread(ClientRuntime& runtime)
    : runtime_(runtime), thread_([this] { run(); }) {}

BackupThread::~BackupThread() {
  stopping_.store(true);
  runtime_.wakeup_->wake();
  thread_.join();
}

void BackupThread::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (pump_alone()) {
      sleep();
    } else {
      stand_by();
    }
  }
}

bool BackupThread::pump_alone() {
  if (runtime_.pump_count_.load(std::memory_order_relaxed) != seen_pumps_) return false;
  const std::unique_lock lock(runtime_.pump_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  Instant active = net::now();
  for (Instant now = active; now - active < ClientRuntime::kSpin; now = net::now()) {
    runtime_.link_.engine().wake_all();
    if (runtime_.pump(now)) active = now;
    if (stopping_.load(std::memory_order_relaxed)) break;
  }
  seen_pumps_ = runtime_.pump_count_.load(std::memory_order_relaxed);
  return true;
}

void BackupThread::stand_by() {
  seen_pumps_ = runtime_.pump_count_.load(std::memory_order_relaxed);
  std::this_thread::sleep_for(kStandBy);
}

void BackupThread::sleep() {
  std::optional<Instant> until;
  runtime_.wakeup_->begin_sleep();
  {
    // What was appended before the flag was up is seen here, what comes later wakes us.
    const std::unique_lock lock(runtime_.pump_mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return runtime_.wakeup_->end_sleep();
    runtime_.link_.engine().wake_all();
    const bool blocked = runtime_.sink_.blocked();
    if (runtime_.link_.engine().has_transport() && !blocked && runtime_.has_unsent()) {
      return runtime_.wakeup_->end_sleep();
    }
    until = runtime_.link_.next_timeout();
  }
  if (!stopping_.load()) static_cast<void>(runtime_.idle_.wait(until));
  runtime_.wakeup_->end_sleep();
}

}  // namespace orzatty
