#include "output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "escape.h"
#include "net/io_error.h"

namespace orzatty::apps {

void tell(std::string_view text) {
  // One write, so that lines of several processes in one log do not mix.
  const std::string line = "orzatty: " + escaped(text) + "\n";
  Output error(2);
  error.write(line);
  (void)error.flush();  // Nobody is left to be told that nobody can be told.
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

Output::Output(int fd) : fd_(fd) {}

void Output::write(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferSize) {
    write_through(buffer_);
    buffer_.clear();
    if (bytes.size() > kBufferSize) return write_through(bytes);
  }
  buffer_ += bytes;
}

Result<void> Output::flush() {
  write_through(buffer_);
  buffer_.clear();
  if (error_number_ == 0) return {};
  if (error_number_ == EPIPE) return failure(ExitCode::kFailed, {});
  return std::unexpected(failure_of(net::io_error("cannot write the output", error_number_)));
}

void Output::write_through(std::string_view bytes) {
  while (!bytes.empty() && error_number_ == 0) {
    const ssize_t size = ::write(fd_, bytes.data(), bytes.size());
    if (size >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {  // somebody who shares it made it non-blocking
      pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      error_number_ = errno;
    }
  }
}

}  // namespace orzatty::apps
