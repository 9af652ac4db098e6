#include "context.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <system_error>

#include "state_folder.h"

namespace orzatty::apps {
namespace {

using Json = nlohmann::ordered_json;

struct Field {
  const char* name;
  std::string Context::* member;
};
constexpr std::array<Field, 5> kFields = {{{"server", &Context::server},
                                           {"token", &Context::token},
                                           {"token_file", &Context::token_file},
                                           {"ca", &Context::ca},
                                           {"pin", &Context::pin}}};

}  // namespace

std::string text_of(const Context& context) {
  Json json = Json::object();
  for (const Field& field : kFields) {
    const std::string& value = context.*field.member;
    if (!value.empty()) json[field.name] = value;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Context> parse_context(std::string_view text, const std::string& name) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return failure(ExitCode::kFailed, name + " is no context (a JSON object): remove it");
  }
  Context context;
  for (const auto& [key, value] : json.items()) {
    const auto field =
        std::ranges::find_if(kFields, [&](const Field& known) { return key == known.name; });
    if (field == kFields.end() || !value.is_string()) {
      return failure(ExitCode::kFailed,
                     name + " has a field that is not understood: '" + key + "'");
    }
    context.*field->member = value.get<std::string>();
  }
  if (context.server.empty()) return failure(ExitCode::kFailed, name + " names no server");
  return context;
}

Result<std::optional<Context>> load_context(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::status(path, error).type() == std::filesystem::file_type::not_found) {
    return std::nullopt;
  }
  const auto text = read_text(path, kSecretSizeMax);
  if (!text) return std::unexpected(text.error());
  return parse_context(*text, path.string());
}

Result<void> save_context(const std::filesystem::path& path, const Context& context) {
  return write_secret(path, text_of(context));
}

bool is_context_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_' ||
           character == '.';
  });
}

}  // namespace orzatty::apps
