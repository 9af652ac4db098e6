#include "net/poller.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "net/clock.h"
#include "net/io_error.h"

namespace orzatty::net {
namespace {

using Events = std::array<epoll_event, Poller::kReadyCountMax>;

std::uint32_t events_of(Interest interest) {
  return interest == Interest::kRead ? EPOLLIN : EPOLLIN | EPOLLOUT;
}

std::optional<Duration> time_left(std::optional<Instant> until) {
  if (!until) return std::nullopt;
  return std::max(*until - now(), Duration::zero());
}

int wait_precisely(int fd, Events& events, std::optional<Duration> timeout) {
  timespec time{};
  if (timeout) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*timeout);
    time.tv_sec = seconds.count();
    time.tv_nsec = (*timeout - seconds).count();
  }
  return ::epoll_pwait2(fd, events.data(), static_cast<int>(events.size()),
                        timeout ? &time : nullptr, nullptr);
}

int wait_coarsely(int fd, Events& events, std::optional<Duration> timeout) {
  int milliseconds = -1;
  if (timeout) {
    // Upwards: a timer that fires early would be found not due, and spin.
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
    milliseconds =
        static_cast<int>(std::min<std::int64_t>(rounded, std::numeric_limits<int>::max()));
  }
  return ::epoll_wait(fd, events.data(), static_cast<int>(events.size()), milliseconds);
}

}  // namespace

std::expected<Poller, Error> Poller::open() {
  FileDescriptor descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!descriptor.is_open()) return std::unexpected(io_error("cannot open an epoll set", errno));
  return Poller(std::move(descriptor));
}

std::expected<void, Error> Poller::add(int fd, std::uint64_t token, Interest interest) {
  epoll_event event{};
  event.events = events_of(interest);
  event.data.u64 = token;
  if (::epoll_ctl(descriptor_.number(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return std::unexpected(io_error("cannot wait for a descriptor", errno));
}

void Poller::change(int fd, std::uint64_t token, Interest interest) {
  epoll_event event{};
  event.events = events_of(interest);
  event.data.u64 = token;
  const int result = ::epoll_ctl(descriptor_.number(), EPOLL_CTL_MOD, fd, &event);
  ORZATTY_ASSERT(result == 0);
}

void Poller::remove(int fd) {
  const int result = ::epoll_ctl(descriptor_.number(), EPOLL_CTL_DEL, fd, nullptr);
  ORZATTY_ASSERT(result == 0);
}

std::span<const Ready> Poller::wait(std::optional<Instant> until) {
  const auto timeout = time_left(until);
  Events events;
  int count = -1;
  if (precise_) {
    count = wait_precisely(descriptor_.number(), events, timeout);
    // Old kernels say ENOSYS, and old sandboxes EPERM for calls that they do not know.
    precise_ = count >= 0 || (errno != ENOSYS && errno != EPERM);
  }
  if (!precise_) count = wait_coarsely(descriptor_.number(), events, timeout);
  if (count < 0) {
    ORZATTY_ASSERT(errno == EINTR);
    return {};
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::uint32_t found = events[i].events;
    ready_[i] = {.token = events[i].data.u64,
                 .readable = (found & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0,
                 .writable = (found & EPOLLOUT) != 0};
  }
  return std::span(ready_).first(static_cast<std::size_t>(count));
}

}  // namespace orzatty::net
