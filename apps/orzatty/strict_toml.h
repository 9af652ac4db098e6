// Reading TOML so that a mistake is never taken for a default: an unknown key or a value of another
// kind ends the reading with one line that names the place and, for a word, the nearest known one.
//
// Every reader throws a Problem, which read_toml() alone catches.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "failure.h"
#include "orzatty/time.h"

namespace orzatty::apps {

struct Problem {
  toml::source_position where;
  std::string text;
};

[[noreturn]] void reject(const toml::node& node, std::string text);

// ": did you mean 'listen'?"
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

// `place` is "" or such as " in [limits]".
void reject_unknown_keys(const toml::table& table, std::string_view place,
                         std::span<const std::string_view> known);

std::string read_string(const toml::node& node, std::string_view key);
std::uint64_t read_count(const toml::node& node, std::string_view key, std::uint64_t count_max);
Duration read_duration(const toml::node& node, std::string_view key);
bool read_bool(const toml::node& node, std::string_view key);

// Gives every table of an array of tables to `read`.
template <class Read>
void for_each_table(const toml::node& node, std::string_view key, Read read) {
  const auto* list = node.as_array();
  if (list == nullptr) reject(node, std::string(key) + " must be a list of tables");
  for (const toml::node& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) reject(item, std::string(key) + " must be a list of tables");
    read(*table);
  }
}

// kUsage, with "PATH:LINE: TEXT".
std::unexpected<Failure> failure_at(const std::filesystem::path& path,
                                    const toml::source_position& where, std::string_view text);

// What `read` makes of the whole text; `path` is for errors alone.
template <class Read>
auto read_toml(std::string_view text, const std::filesystem::path& path, Read read)
    -> Result<std::invoke_result_t<Read, const toml::table&>> {
  try {
    return read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return failure_at(path, error.source().begin, error.description());
  } catch (const Problem& problem) {
    return failure_at(path, problem.where, problem.text);
  }
}

}  // namespace orzatty::apps
