// Bytes as text, for output that people and programs read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "orzatty/bytes.h"

namespace orzatty::apps {

// Of the first character; 0 when the bytes do not begin with a whole one of UTF-8.
std::size_t utf8_character_size(std::string_view text);
bool is_utf8(std::string_view text);

std::string hex(BytesView bytes);
std::string base64(BytesView bytes);

}  // namespace orzatty::apps
