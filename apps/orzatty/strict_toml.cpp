#include "strict_toml.h"

#include <algorithm>
#include <optional>

#include "nearest.h"
#include "quantity.h"

namespace orzatty::apps {

void reject(const toml::node& node, std::string text) {
  throw Problem{node.source().begin, std::move(text)};
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  return ": did you mean '" + std::string(nearest(word, known).value_or("")) + "'?";
}

void reject_unknown_keys(const toml::table& table, std::string_view place,
                         std::span<const std::string_view> known) {
  for (const auto& [key, value] : table) {
    if (std::ranges::find(known, key.str()) != known.end()) continue;
    throw Problem{key.source().begin, "unknown key '" + std::string(key.str()) + "'" +
                                          std::string(place) + suggestion(key.str(), known)};
  }
}

std::string read_string(const toml::node& node, std::string_view key) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty()) reject(node, std::string(key) + " must be a text, in quotes");
  return *text;
}

std::uint64_t read_count(const toml::node& node, std::string_view key, std::uint64_t count_max) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 0 || static_cast<std::uint64_t>(*value) > count_max) {
    reject(node,
           std::string(key) + " must be a whole number from 0 to " + std::to_string(count_max));
  }
  return static_cast<std::uint64_t>(*value);
}

Duration read_duration(const toml::node& node, std::string_view key) {
  const auto text = node.value_exact<std::string>();
  const auto duration = text ? parse_duration(*text) : std::nullopt;
  if (!duration) {
    reject(node, std::string(key) + " must be a time such as \"250ms\", \"5s\", \"10m\", \"1h\"");
  }
  return *duration;
}

bool read_bool(const toml::node& node, std::string_view key) {
  const auto value = node.value_exact<bool>();
  if (!value) reject(node, std::string(key) + " must be true or false");
  return *value;
}

std::unexpected<Failure> failure_at(const std::filesystem::path& path,
                                    const toml::source_position& where, std::string_view text) {
  return failure(ExitCode::kUsage,
                 path.string() + ":" + std::to_string(where.line) + ": " + std::string(text));
}

}  // namespace orzatty::apps
