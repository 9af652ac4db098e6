#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace orzatty::base {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "orzatty: bug: %s does not hold (%s:%d); please report this\n", expression,
               file, line);
  std::abort();
}

}  // namespace orzatty::base
