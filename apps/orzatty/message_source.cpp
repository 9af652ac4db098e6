#include "message_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/io_error.h"

namespace orzatty::apps {

Result<MessageSource> MessageSource::open(const std::string& path, Framing framing,
                                          WaitForInput wait) {
  if (path == "-") return MessageSource("standard input", {}, 0, framing, std::move(wait));
  net::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return std::unexpected(failure_of(net::io_error("cannot read " + path, errno)));
  }
  struct stat state{};
  if (::fstat(file.number(), &state) == 0 && S_ISDIR(state.st_mode)) {
    return std::unexpected(failure_of(net::io_error("cannot read " + path, EISDIR)));
  }
  const int fd = file.number();
  return MessageSource(path, std::move(file), fd, framing, std::move(wait));
}

MessageSource::MessageSource(std::string name, net::FileDescriptor owned, int fd, Framing framing,
                             WaitForInput wait)
    : name_(std::move(name)),
      owned_(std::move(owned)),
      fd_(fd),
      framing_(framing),
      wait_(std::move(wait)) {}

Result<std::optional<std::string_view>> MessageSource::next() {
  auto message = framing_.chunk_size == 0 ? next_line() : next_chunk();
  if (message && *message) ++count_;
  return message;
}

Result<std::optional<std::string_view>> MessageSource::next_line() {
  for (;;) {
    const std::size_t newline = rest().find('\n', searched_);
    const std::size_t size = newline == std::string_view::npos ? rest().size() : newline;
    if (size > framing_.message_size_max) {
      return failure(ExitCode::kFailed,
                     "line " + std::to_string(count_ + 1) + " of " + name_ + " has more than " +
                         std::to_string(framing_.message_size_max) +
                         " bytes (message_size_max): cut the file with --chunk, or "
                         "raise it with --message-size-max");
    }
    if (newline != std::string_view::npos) return take(size, 1);
    searched_ = size;
    const auto more = read_more();
    if (!more) return std::unexpected(more.error());
    if (*more) continue;
    if (rest().empty()) return std::nullopt;
    return take(rest().size(), 0);
  }
}

Result<std::optional<std::string_view>> MessageSource::next_chunk() {
  while (rest().size() < framing_.chunk_size) {
    const auto more = read_more();
    if (!more) return std::unexpected(more.error());
    if (*more) continue;
    if (rest().empty()) return std::nullopt;
    return take(rest().size(), 0);
  }
  return take(framing_.chunk_size, 0);
}

std::string_view MessageSource::take(std::size_t size, std::size_t separator) {
  const std::string_view message = rest().substr(0, size);
  begin_ += size + separator;
  searched_ = 0;
  return message;
}

Result<bool> MessageSource::read_more() {
  if (begin_ > 0) {
    // Less than one message is left, so this moves little: what was read came in large pieces.
    buffer_.replace(0, end_ - begin_, buffer_, begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kReadSize) buffer_.resize(std::max(end_ + kReadSize, 2 * end_));
  for (;;) {
    if (!wait_(fd_)) return false;
    const ssize_t size = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (size > 0) {
      end_ += static_cast<std::size_t>(size);
      return true;
    }
    if (size == 0) return false;
    if (errno == EINTR || errno == EAGAIN) continue;
    return std::unexpected(failure_of(net::io_error("cannot read " + name_, errno)));
  }
}

}  // namespace orzatty::apps
