#include "state_folder.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "net/file.h"
#include "orzatty/bytes.h"

namespace orzatty::apps {
namespace {

constexpr std::string_view kContextBegin = "context-";
constexpr std::string_view kContextEnd = ".json";

// All that concerns files is the world's fault, also a state folder that others can enter.
std::unexpected<Failure> file_failure(const Error& error) {
  return failure(ExitCode::kFailed, error.text);
}

}  // namespace

Environment process_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
}

Result<std::string> read_text(const std::filesystem::path& path, std::size_t size_max) {
  const auto bytes = net::read_file(path, size_max);
  if (!bytes) return file_failure(bytes.error());
  return std::string(text_of(*bytes));
}

Result<std::string> read_secret(const std::filesystem::path& path) {
  auto text = read_text(path, kSecretSizeMax);
  if (!text) return text;
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty() || text->find('\n') != std::string::npos) {
    return failure(ExitCode::kFailed, path.string() + " must have one line: a token");
  }
  return text;
}

Result<void> write_secret(const std::filesystem::path& path, std::string_view text) {
  const auto written = net::write_file_atomically(path, bytes_of(text), 0600);
  if (!written) return file_failure(written.error());
  return {};
}

Result<StateFolder> StateFolder::locate(const std::string& flag, const Environment& environment) {
  if (!flag.empty()) return StateFolder(flag);
  if (const auto path = environment("ORZATTY_STATE"); !path.empty()) return StateFolder(path);
  // As the XDG specification says, a relative path counts as none.
  if (const auto path = environment("XDG_STATE_HOME"); path.starts_with('/')) {
    return StateFolder(std::filesystem::path(path) / "orzatty");
  }
  if (const auto home = environment("HOME"); !home.empty()) {
    return StateFolder(std::filesystem::path(home) / ".local" / "state" / "orzatty");
  }
  return failure(ExitCode::kUsage, "no state folder: give --state DIR, or set HOME");
}

Result<void> StateFolder::make() const {
  const auto made = net::make_private_folder(path_);
  if (!made) return file_failure(made.error());
  return {};
}

std::filesystem::path StateFolder::context(std::string_view name) const {
  if (name.empty()) return path_ / "context.json";
  std::string file(kContextBegin);
  file += name;
  file += kContextEnd;
  return path_ / file;
}

std::vector<std::string> StateFolder::context_names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(kContextBegin) || !file.ends_with(kContextEnd)) continue;
    names.push_back(
        file.substr(kContextBegin.size(), file.size() - kContextBegin.size() - kContextEnd.size()));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace orzatty::apps
