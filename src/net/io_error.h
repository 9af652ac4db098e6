// Errors of the operating system as one line for a human.
#pragma once

#include <string>
#include <string_view>

#include "orzatty/error.h"

namespace orzatty::net {

// "`what`: No space left on device", for a value of errno.
Error io_error(std::string_view what, int number);

}  // namespace orzatty::net
