#include "runtime/writer_lock.h"

namespace orzatty::runtime {

void WriterLock::lock() {
  std::unique_lock guard(mutex_);
  freed_.wait(guard, [this] { return may_take(); });
  take();
}

bool WriterLock::try_lock_for(Duration patience) {
  std::unique_lock guard(mutex_);
  if (!freed_.wait_for(guard, patience, [this] { return may_take(); })) return false;
  take();
  return true;
}

void WriterLock::take() {
  owner_ = std::this_thread::get_id();
  ++depth_;
}

void WriterLock::unlock() {
  const std::lock_guard guard(mutex_);
  if (--depth_ == 0) freed_.notify_one();
}

}  // namespace orzatty::runtime
