// Bytes as text, for output that people and programs read.
#pragma once

#include <string>

#include "orzatty/bytes.h"

namespace orzatty::apps {

std::string hex(BytesView bytes);
std::string base64(BytesView bytes);

}  // namespace orzatty::apps
