// A command of the shell that is given bytes and gives bytes back.
#pragma once

#include <cstddef>
#include <string>

#include "failure.h"
#include "orzatty/bytes.h"

namespace orzatty::apps {

// What `command` writes when `input` is its standard input. Fails when it cannot be run, ends with
// another code than 0, or writes more than `size_max`. Waits for its end.
Result<std::string> run_shell(const std::string& command, BytesView input, std::size_t size_max);

}  // namespace orzatty::apps
