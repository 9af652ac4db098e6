// Assertions that stay on in release: an invariant of ours that does not hold ends the process with
// one line, before it can harm anybody's messages. Never for what a peer or the world can cause.
#pragma once

namespace orzatty::base {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace orzatty::base

#define ORZATTY_ASSERT(expression)                                                       \
  (static_cast<bool>(expression)                                                         \
       ? static_cast<void>(0)                                                            \
       : ::orzatty::base::assertion_failed(#expression, __FILE__, __LINE__))

#define ORZATTY_UNREACHABLE() ::orzatty::base::assertion_failed("unreachable", __FILE__, __LINE__)
