#include "net/wakeup.h"

#include <linux/membarrier.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "net/io_error.h"

namespace orzatty::net {
namespace {

long membarrier(int command) { return ::syscall(SYS_membarrier, command, 0, 0); }

}  // namespace

std::expected<std::unique_ptr<Wakeup>, Error> Wakeup::open(WakeupOrder order) {
  FileDescriptor event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event.is_open()) return std::unexpected(io_error("cannot open an eventfd", errno));
  if (best_order() == WakeupOrder::kBothPay) order = WakeupOrder::kBothPay;
  return std::unique_ptr<Wakeup>(new Wakeup(std::move(event), order));
}

WakeupOrder Wakeup::best_order() {
  static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
  return registered ? WakeupOrder::kSleeperPays : WakeupOrder::kBothPay;
}

void Wakeup::begin_sleep() {
  sleeping_.exchange(1, std::memory_order_seq_cst);
  if (order_ == WakeupOrder::kBothPay) return;
  const long result = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  ORZATTY_ASSERT(result == 0);  // It was registered, so it cannot fail.
}

void Wakeup::end_sleep() {
  if (sleeping_.exchange(0, std::memory_order_seq_cst) == 0) ++writes_owed_;
  if (writes_owed_ == 0) return;
  // The winner may not have written yet: then its write ends the next sleep early, and is read
  // then.
  std::uint64_t written = 0;
  if (::read(event_.number(), &written, sizeof(written)) == sizeof(written)) {
    writes_owed_ -= std::min(written, writes_owed_);
  }
}

void Wakeup::wake_sleeper() {
  if (sleeping_.exchange(0, std::memory_order_seq_cst) == 0) return;  // Another one won.
  constexpr std::uint64_t one = 1;
  ssize_t size = 0;
  do {
    size = ::write(event_.number(), &one, sizeof(one));
  } while (size < 0 && errno == EINTR);
  ORZATTY_ASSERT(size == sizeof(one));
}

}  // namespace orzatty::net
