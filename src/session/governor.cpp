#include "session/governor.h"

#include <algorithm>

namespace orzatty::session {

void Governor::acknowledged(std::uint64_t size, bool waiting, Duration smoothed_rtt, Instant now) {
  if (!waiting) {
    window_open_ = false;
    return;
  }
  if (!window_open_) {
    window_open_ = true;
    window_start_ = now;
    window_bytes_ = 0;
    return;
  }
  window_bytes_ += size;
  const Duration window = now - window_start_;
  if (window < std::max(kWindow, smoothed_rtt)) return;

  const double seconds = std::chrono::duration<double>(window).count();
  const double measured = static_cast<double>(window_bytes_) / seconds;
  // A higher rate is believed at once, a lower one in steps: a lost packet is not a slower path.
  rate_ = std::max(measured, rate_ * 0.75);
  const double room = rate_ * std::chrono::duration<double>(config_.latency_target).count();
  room_ = std::clamp(static_cast<std::uint64_t>(room), std::min(kRoomMin, config_.room_max),
                     config_.room_max);
  window_start_ = now;
  window_bytes_ = 0;
}

}  // namespace orzatty::session
