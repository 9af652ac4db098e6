// What the programs of this folder are told: [SIZE] [SECONDS], and for some one of two words.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "orzatty/time.h"

namespace orzatty::raw {

struct Arguments {
  std::size_t size = 0;
  Duration time = std::chrono::seconds(3);
  std::string_view word = {};  // one of the two; the first when nothing is said
};

struct Words {
  std::string_view first;
  std::string_view second;
};

// What was left out is as in `usual`. Nothing when it makes no sense: the usage was told.
std::optional<Arguments> arguments(int count, char** words, Arguments usual,
                                   std::optional<Words> choice = std::nullopt);

}  // namespace orzatty::raw
