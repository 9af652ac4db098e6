// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "orzatty/bytes.h"

namespace orzatty::base {

[[nodiscard]] bool is_utf8(BytesView bytes);

}  // namespace orzatty::base
