#include "runtime/pump_lock.h"

namespace orzatty::runtime {

void PumpLock::lock() {
  std::unique_lock line(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  if (ticket == serving_) return;
  waiting_.fetch_add(1);
  sleeper_.wake();
  served_.wait(line, [&] { return ticket == serving_; });
  waiting_.fetch_sub(1);
}

bool PumpLock::try_lock() {
  const std::lock_guard line(mutex_);
  if (next_ticket_ != serving_) return false;
  ++next_ticket_;
  return true;
}

void PumpLock::unlock() {
  const std::lock_guard line(mutex_);
  ++serving_;
  if (next_ticket_ != serving_) served_.notify_all();
}

}  // namespace orzatty::runtime
