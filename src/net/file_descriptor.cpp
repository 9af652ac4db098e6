#include "net/file_descriptor.h"

#include <unistd.h>

namespace orzatty::net {

FileDescriptor::~FileDescriptor() {
  // close() is not retried: on Linux the number is free even after EINTR.
  if (number_ >= 0) ::close(number_);
}

}  // namespace orzatty::net
