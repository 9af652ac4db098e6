#include "arguments.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace orzatty::raw {
namespace {

constexpr std::size_t kSizeMax = 65'000;

void tell_usage(std::string_view program, const std::optional<Words>& choice) {
  std::string usage = "usage: " + std::string(program.substr(program.rfind('/') + 1)) +
                      " [SIZE 1.." + std::to_string(kSizeMax) + "] [SECONDS]";
  if (choice) usage.append(" [").append(choice->first).append("|").append(choice->second) += ']';
  std::fprintf(stderr, "%s\n", usage.c_str());
}

}  // namespace

std::optional<Arguments> arguments(int count, char** words, Arguments usual,
                                   std::optional<Words> choice) {
  Arguments given = usual;
  if (choice) given.word = choice->first;
  if (count > 1) given.size = std::strtoul(words[1], nullptr, 10);
  if (count > 2) {
    given.time = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::strtod(words[2], nullptr)));
  }
  if (count > 3) given.word = words[3];
  const bool known = !choice || given.word == choice->first || given.word == choice->second;
  const bool few = count <= (choice ? 4 : 3);
  if (few && known && given.size > 0 && given.size <= kSizeMax) return given;
  tell_usage(words[0], choice);
  return std::nullopt;
}

}  // namespace orzatty::raw
