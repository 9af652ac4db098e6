#include "runtime/backup_thread.h"

#include "net/clock.h"
#include "runtime/client_runtime.h"

namespace orzatty {

BackupThread::BackupThread(ClientRuntime& runtime)
    : runtime_(runtime), thread_([this] { run(); }) {}

BackupThread::~BackupThread() {
  stopping_.store(true);
  runtime_.socket_->backup().wake();
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
  const ClientRuntime::PumpGuard lock(runtime_.pump_lock_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  runtime_.pump_until_idle();
  seen_pumps_ = runtime_.pump_count_.load(std::memory_order_relaxed);
  return true;
}

void BackupThread::stand_by() {
  runtime_.waiting_threads_.wait_until_none();
  seen_pumps_ = runtime_.pump_count_.load(std::memory_order_relaxed);
  std::this_thread::sleep_for(kStandBy);
}

void BackupThread::sleep() {
  runtime::Sleeper& sleeper = runtime_.socket_->backup();
  sleeper.begin();
  if (const auto until = prepare_sleep(); until && !stopping_.load()) sleeper.wait(*until);
  sleeper.end();
}

// What was appended before the sleep began is seen here, what comes later wakes us.
std::optional<Instant> BackupThread::prepare_sleep() {
  const ClientRuntime::PumpGuard lock(runtime_.pump_lock_, std::try_to_lock);
  if (!lock.owns_lock() || runtime_.has_news()) return std::nullopt;
  runtime_.socket_->aim(runtime_.socket_->backup());
  runtime_.backup_until_ = runtime_.link_.next_timeout().value_or(net::now() + kSleepMax);
  return runtime_.backup_until_;
}

}  // namespace orzatty
