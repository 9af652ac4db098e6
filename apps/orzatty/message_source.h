// A file, pipe or terminal cut into messages, read piece by piece: one per line, or in chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "failure.h"
#include "net/file_descriptor.h"

namespace orzatty::apps {

struct Framing {
  std::size_t chunk_size = 0;  // 0: by line, without its newline
  std::size_t message_size_max = 0;
};

// Asked before a read() that may have to wait for data; false ends the reading.
using WaitForInput = std::function<bool(int fd)>;

class MessageSource {
 public:
  // "-" is standard input.
  static Result<MessageSource> open(const std::string& path, Framing framing, WaitForInput wait);

  // The next message, valid until the next call; nothing at the end or when waiting was refused. A
  // last line needs no newline; an empty line is an empty message.
  Result<std::optional<std::string_view>> next();
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  static constexpr std::size_t kReadSize = 256 * 1024;

  MessageSource(std::string name, net::FileDescriptor owned, int fd, Framing framing,
                WaitForInput wait);
  Result<std::optional<std::string_view>> next_line();
  Result<std::optional<std::string_view>> next_chunk();
  // Reads more behind what is buffered; false at the end.
  Result<bool> read_more();
  std::string_view take(std::size_t size, std::size_t separator);
  [[nodiscard]] std::string_view rest() const {
    return std::string_view(buffer_).substr(begin_, end_ - begin_);
  }

  std::string name_;
  net::FileDescriptor owned_;
  int fd_;
  Framing framing_;
  WaitForInput wait_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet taken
  std::size_t end_ = 0;
  std::size_t searched_ = 0;  // bytes of rest() known to have no newline
  std::uint64_t count_ = 0;
};

}  // namespace orzatty::apps
