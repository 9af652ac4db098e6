// The folder where a server made by `serve --dev` keeps its certificate, key and token, and where
// clients find their contexts. Only its owner may enter it; secrets are 0600.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace orzatty::apps {

// A variable of the environment, empty when it is not set: an argument, so that tests have their
// own.
using Environment = std::function<std::string(const char* name)>;
Environment process_environment();

// A certificate's, key's or token's file: none is larger.
inline constexpr std::size_t kSecretSizeMax = 256 * 1024;

Result<std::string> read_text(const std::filesystem::path& path, std::size_t size_max);
// The only line of a file.
Result<std::string> read_secret(const std::filesystem::path& path);
Result<void> write_secret(const std::filesystem::path& path, std::string_view text);

class StateFolder {
 public:
  // `flag`, else ORZATTY_STATE, else $XDG_STATE_HOME/orzatty, else ~/.local/state/orzatty. Touches
  // nothing.
  static Result<StateFolder> locate(const std::string& flag, const Environment& environment);

  // Makes it when it is missing.
  Result<void> make() const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path certificate() const { return path_ / "certificate.pem"; }
  [[nodiscard]] std::filesystem::path key() const { return path_ / "key.pem"; }
  [[nodiscard]] std::filesystem::path token() const { return path_ / "token"; }
  // By which a server is recognised as the one before by its clients.
  [[nodiscard]] std::filesystem::path secret() const { return path_ / "secret"; }
  // The one without a name is made by `serve --dev`.
  [[nodiscard]] std::filesystem::path context(std::string_view name) const;
  // The names of all saved ones, sorted.
  [[nodiscard]] std::vector<std::string> context_names() const;

 private:
  explicit StateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace orzatty::apps
