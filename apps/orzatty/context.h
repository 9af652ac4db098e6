// A context: which server, whom to be there, and how to recognise it. Saved in the state folder, so
// that commands need no options.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "failure.h"

namespace orzatty::apps {

struct Context {
  std::string server;
  std::string token;
  std::string token_file;
  std::string ca;  // path of a file with certificates
  std::string pin;
  bool operator==(const Context&) const = default;
};

std::string text_of(const Context& context);
// `name` is for the error.
Result<Context> parse_context(std::string_view text, const std::string& name);

// Nothing when there is no such file.
Result<std::optional<Context>> load_context(const std::filesystem::path& path);
Result<void> save_context(const std::filesystem::path& path, const Context& context);

// Letters, digits, '-', '_' and '.': it becomes part of a file's name.
bool is_context_name(std::string_view name);

}  // namespace orzatty::apps
