#include "interruption.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>

#include "net/clock.h"
#include "net/io_error.h"

namespace orzatty::apps {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

int milliseconds_until(std::optional<Instant> until) {
  if (!until) return -1;
  const Duration rest =
      std::clamp<Duration>(*until - net::now(), Duration::zero(), std::chrono::hours(1));
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(rest).count());
}

}  // namespace

class Interruption::Call {
 public:
  void set(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    call_ = std::move(call);
    if (signalled_ && call_) call_();
  }
  void run() {
    const std::lock_guard lock(mutex_);
    signalled_ = true;
    if (call_) call_();
  }

 private:
  std::mutex mutex_;
  std::function<void()> call_;
  bool signalled_ = false;
};

Result<std::unique_ptr<Interruption>> Interruption::watch(ExitCode hard_exit) {
  const sigset_t set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // A reader that has gone is an error of write(), like any other.
  net::FileDescriptor event(::eventfd(0, EFD_CLOEXEC));
  net::FileDescriptor signals(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!event.is_open() || !signals.is_open()) {
    return std::unexpected(failure_of(net::io_error("cannot watch for signals", errno)));
  }
  return std::unique_ptr<Interruption>(
      new Interruption(std::move(event), std::move(signals), hard_exit));
}

Interruption::Interruption(net::FileDescriptor event, net::FileDescriptor signals,
                           ExitCode hard_exit)
    : event_(std::move(event)),
      signals_(std::move(signals)),
      hard_exit_(hard_exit),
      call_(std::make_unique<Call>()),
      thread_([this] { run(); }) {}

Interruption::~Interruption() {
  ending_.store(true);
  // To itself, as the watching thread waits for signals alone.
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void Interruption::on_first(std::function<void()> call) { call_->set(std::move(call)); }

bool Interruption::sleep_until(Instant until) const {
  while (!happened() && net::now() < until) {
    pollfd waiting{.fd = event_.number(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, milliseconds_until(until));
  }
  return !happened();
}

bool Interruption::wait_readable(int fd, std::optional<Instant> until) const {
  std::array<pollfd, 2> waiting = {{{.fd = event_.number(), .events = POLLIN, .revents = 0},
                                    {.fd = fd, .events = POLLIN, .revents = 0}}};
  while (!happened()) {
    const int count = ::poll(waiting.data(), waiting.size(), milliseconds_until(until));
    if (count == 0 || (count > 0 && waiting[1].revents != 0)) break;
  }
  return !happened();
}

void Interruption::run() {
  for (;;) {
    signalfd_siginfo signal{};
    const ssize_t size = ::read(signals_.number(), &signal, sizeof(signal));
    if (ending_.load()) return;
    if (size != sizeof(signal)) continue;
    if (happened_.exchange(true)) ::_exit(static_cast<int>(hard_exit_));
    const std::uint64_t one = 1;
    (void)!::write(event_.number(), &one, sizeof(one));
    call_->run();
  }
}

}  // namespace orzatty::apps
