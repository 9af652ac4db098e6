// "Did you mean": the known word that is most like an unknown one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace orzatty::apps {

// Letters to insert, remove or replace (Levenshtein).
std::size_t edit_distance(std::string_view left, std::string_view right);

// Nothing when there is no known word. Of several equally near ones the first; one that begins with
// `word` is nearest of all.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> known);

}  // namespace orzatty::apps
