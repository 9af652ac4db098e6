// Standard output and standard error as the commands use them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "failure.h"

namespace orzatty::apps {

// One line on standard error, "orzatty: TEXT", whatever control characters `text` has.
void tell(std::string_view text);

bool is_terminal(int fd);

// A buffered way out of the process that remembers its first error, so that callers look once.
class Output {
 public:
  static constexpr std::size_t kBufferSize = 256 * 1024;  // several pipes' worth: few system calls

  explicit Output(int fd = 1);
  // What is still buffered is lost: flush() tells whether it could be written, a destructor cannot.
  ~Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view bytes);
  void write_line(std::string_view line) {
    write(line);
    write("\n");
  }
  // Fails with what went wrong now or before; without a text when the reader has gone.
  Result<void> flush();
  [[nodiscard]] bool is_broken() const { return error_number_ != 0; }
  [[nodiscard]] bool has_buffered() const { return !buffer_.empty(); }

 private:
  void write_through(std::string_view bytes);

  int fd_;
  int error_number_ = 0;
  std::string buffer_;
};

}  // namespace orzatty::apps
