#include "shell_command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/file_descriptor.h"

namespace orzatty::apps {
namespace {

Failure failed(const std::string& what) {
  return {ExitCode::kFailed, what + ": " + std::strerror(errno)};
}

// In memory, so that nobody has to write while somebody reads.
Result<net::FileDescriptor> file_of(BytesView bytes) {
  net::FileDescriptor file(::memfd_create("request", MFD_CLOEXEC));
  if (!file.is_open()) return std::unexpected(failed("cannot keep the request"));
  while (!bytes.empty()) {
    const auto written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(failed("cannot keep the request"));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  ::lseek(file.number(), 0, SEEK_SET);
  return file;
}

// The signals that this process takes as values, or ignores, are ordinary ones for a command: what
// writes on to nobody is ended by SIGPIPE.
Result<pid_t> spawn(const std::string& command, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &pipe);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  std::array<char*, 4> words = {shell.data(), option.data(), text.data(), nullptr};
  pid_t child = 0;
  errno = ::posix_spawn(&child, "/bin/sh", &actions, &attributes, words.data(), environ);
  const int problem = errno;
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  errno = problem;
  if (problem != 0) return std::unexpected(failed("cannot run a shell"));
  return child;
}

// One byte more than `size_max` shows that it is too much.
std::string read_all(int fd, std::size_t size_max) {
  std::string text;
  std::array<char, 64 * 1024> piece;
  while (text.size() <= size_max) {
    const auto size = ::read(fd, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace

Result<std::string> run_shell(const std::string& command, BytesView input, std::size_t size_max) {
  auto request = file_of(input);
  if (!request) return std::unexpected(request.error());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(failed("no pipe to a command"));
  net::FileDescriptor reader(ends[0]);
  net::FileDescriptor writer(ends[1]);
  const auto child = spawn(command, request->number(), writer.number());
  if (!child) return std::unexpected(child.error());
  writer = net::FileDescriptor();
  std::string text = read_all(reader.number(), size_max);
  reader = net::FileDescriptor();  // one that writes on is ended by it
  int status = 0;
  while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) continue;
  if (text.size() > size_max) {
    return failure(ExitCode::kFailed,
                   "the command wrote more than a message may hold: " + std::to_string(size_max));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  return failure(ExitCode::kFailed, WIFEXITED(status)
                                        ? "the command ended with exit code " +
                                              std::to_string(WEXITSTATUS(status))
                                        : "the command was ended by a signal");
}

}  // namespace orzatty::apps
