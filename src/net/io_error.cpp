#include "net/io_error.h"

#include <system_error>

namespace orzatty::net {

Error io_error(std::string_view what, int number) {
  // The message of generic_category() is safe with threads, which strerror() is not.
  std::string text(what);
  text += ": ";
  text += std::generic_category().message(number);
  return Error{.kind = ErrorKind::kIo, .code = ErrorCode::kNone, .text = std::move(text)};
}

}  // namespace orzatty::net
