#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace orzatty::base {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "orzatty: bug: %s does not hold (%s:%d); please report this\n", expression,
               file, line);
  std::abort();
}

void memory_exhausted(std::size_t size) {
  std::fprintf(stderr, "orzatty: out of memory (%zu bytes)\n", size);
  std::abort();
}

}  // namespace orzatty::base
