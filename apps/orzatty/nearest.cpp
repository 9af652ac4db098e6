#include "nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace orzatty::apps {

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);  // of the table: distances from left[0, i)
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known) {
  const auto distance = [&](std::string_view candidate) {
    // "drop" is short for "drop_oldest", however many letters that has more.
    if (!word.empty() && candidate.starts_with(word)) return std::size_t{0};
    return edit_distance(word, candidate);
  };
  const auto found = std::ranges::min_element(known, {}, distance);
  if (found == known.end()) return std::nullopt;
  return *found;
}

}  // namespace orzatty::apps
