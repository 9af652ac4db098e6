// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>

#include "orzatty/bytes.h"

namespace orzatty::base {

[[nodiscard]] bool is_utf8(BytesView bytes);
// The size of the character at the front, 1 to 4; 0 when there is no whole and valid one.
[[nodiscard]] std::size_t utf8_character_size(BytesView bytes);

}  // namespace orzatty::base
