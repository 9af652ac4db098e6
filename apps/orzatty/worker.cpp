#include "worker.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "net/io_error.h"

namespace orzatty::apps {

bool Conversation::was_told() const {
  pollfd ready{.fd = descriptor_.number(), .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, 0) == 1;
}

bool Conversation::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // Without a signal when nobody is there any more.
    const ssize_t size = ::send(descriptor_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

bool Conversation::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::recv(descriptor_.number(), bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

Result<Worker> Worker::start(const std::function<int(Conversation&)>& work) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return std::unexpected(failure_of(net::io_error("cannot make a pair of sockets", errno)));
  }
  net::FileDescriptor ours(ends[0]);
  net::FileDescriptor theirs(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) {
    return std::unexpected(failure_of(net::io_error("cannot start a process", errno)));
  }
  if (process == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // it ended before we could ask for that
    ours = net::FileDescriptor();
    Conversation conversation(std::move(theirs));
    ::_exit(work(conversation));  // what the parent left in its buffers is the parent's to write
  }
  return Worker(Conversation(std::move(ours)), process);
}

Worker::Worker(Worker&& other) noexcept
    : conversation_(std::move(other.conversation_)), process_(std::exchange(other.process_, 0)) {}

Worker::~Worker() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  await();
}

bool Worker::await() {
  const pid_t process = std::exchange(process_, 0);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace orzatty::apps
