// Assertions that stay on in release: an invariant of ours that does not hold ends the process with
// one line, before it can harm anybody's messages. Never for what a peer or the world can cause.
#pragma once

#include <cstddef>

namespace orzatty::base {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
// The world's fault, but nothing can go on: ends the process with one line too.
[[noreturn]] void memory_exhausted(std::size_t size);

}  // namespace orzatty::base

#define ORZATTY_ASSERT(expression) \
  (static_cast<bool>(expression)   \
       ? static_cast<void>(0)      \
       : ::orzatty::base::assertion_failed(#expression, __FILE__, __LINE__))

#define ORZATTY_UNREACHABLE() ::orzatty::base::assertion_failed("unreachable", __FILE__, __LINE__)
