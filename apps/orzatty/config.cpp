#include "config.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/limits_table.h"
#include "runtime/identity.h"
#include "state_folder.h"
#include "strict_toml.h"

namespace orzatty::apps {
namespace {

constexpr std::size_t kConfigSizeMax = 4 * 1024 * 1024;

constexpr std::array<std::pair<std::string_view, SlowPolicy>, 4> kPolicies = {
    {{"wait", SlowPolicy::kWait},
     {"drop_oldest", SlowPolicy::kDropOldest},
     {"latest", SlowPolicy::kLatest},
     {"disconnect", SlowPolicy::kDisconnect}}};

constexpr std::array<std::pair<std::string_view, DeliveryMode>, kDeliveryModeCount> kModes = {
    {{"reliable", DeliveryMode::kReliable},
     {"unordered", DeliveryMode::kUnordered},
     {"datagram", DeliveryMode::kDatagram},
     {"latest", DeliveryMode::kLatest}}};

std::string read_listen(const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr) return read_string(node, "listen");
  std::string addresses;
  for (const toml::node& address : *list) {
    if (!addresses.empty()) addresses += ',';
    addresses += read_string(address, "listen");
  }
  if (addresses.empty()) reject(node, "listen must name at least one address");
  return addresses;
}

std::vector<std::string> read_hosts(const toml::node& node) {
  const auto* list = node.as_array();
  if (list == nullptr) reject(node, "metrics_hosts must be a list of names");
  std::vector<std::string> names;
  for (const toml::node& name : *list) names.push_back(read_string(name, "metrics_hosts"));
  return names;
}

// A path of the file, seen from where the process runs.
std::filesystem::path read_path(const toml::node& node, std::string_view key,
                                const std::filesystem::path& folder) {
  return folder / read_string(node, key);
}

NamedToken read_token(const toml::table& table, const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 3> keys = {"identity", "token", "token_file"};
  reject_unknown_keys(table, " in tokens", keys);
  const auto* identity = table.get("identity");
  const auto* token = table.get("token");
  const auto* file = table.get("token_file");
  if (identity == nullptr || (token == nullptr) == (file == nullptr)) {
    reject(table, "a token needs an identity, and either a token or a token_file");
  }
  NamedToken named = {.identity = read_string(*identity, "identity"), .token = {}};
  if (const auto problem = runtime::problem_of_identity(named.identity)) {
    reject(*identity, "the identity " + *problem);
  }
  if (token != nullptr) {
    named.token = read_string(*token, "token");
    return named;
  }
  auto secret = read_secret(read_path(*file, "token_file", folder));
  if (!secret) reject(*file, secret.error().text);
  named.token = std::move(*secret);
  return named;
}

std::vector<NamedToken> read_tokens(const toml::node& node, const std::filesystem::path& folder) {
  std::vector<NamedToken> tokens;
  for_each_table(node, "tokens", [&](const toml::table& table) {
    NamedToken token = read_token(table, folder);
    const bool known = std::ranges::any_of(
        tokens, [&](const NamedToken& other) { return other.token == token.token; });
    if (known) reject(table, "'" + token.identity + "' has the same token as another identity");
    tokens.push_back(std::move(token));
  });
  return tokens;
}

std::string read_server_secret(const toml::node& node, const std::filesystem::path& folder) {
  auto secret = read_secret(read_path(node, "secret_file", folder));
  if (!secret) reject(node, secret.error().text);
  if (secret->size() < ServerOptions::kSecretSizeMin) {
    reject(node,
           "the secret of secret_file is too short: 'orzatty token make --file FILE' makes one");
  }
  return std::move(*secret);
}

Limits read_limits(const toml::node& node) {
  const auto* table = node.as_table();
  if (table == nullptr) reject(node, "limits must be a table: [limits]");
  std::vector<std::string_view> keys;
  for (const auto& limit : base::count_limits()) keys.push_back(limit.name);
  for (const auto& limit : base::duration_limits()) keys.push_back(limit.name);
  reject_unknown_keys(*table, " in [limits]", keys);
  Limits limits;
  for (const auto& limit : base::count_limits()) {
    if (const auto* value = table->get(limit.name)) {
      limits.*limit.member = static_cast<std::uint32_t>(
          read_count(*value, limit.name, std::numeric_limits<std::uint32_t>::max()));
    }
  }
  for (const auto& limit : base::duration_limits()) {
    if (const auto* value = table->get(limit.name)) {
      limits.*limit.member = read_duration(*value, limit.name);
    }
  }
  if (const auto problem = base::problem_of(limits)) reject(node, *problem);
  return limits;
}

// The value of a key that is one of a few words.
template <class Word, std::size_t count>
Word read_word(const toml::node& node, std::string_view key,
               const std::array<std::pair<std::string_view, Word>, count>& words) {
  const std::string text = read_string(node, key);
  std::vector<std::string_view> names;
  for (const auto& [known, word] : words) {
    if (known == text) return word;
    names.push_back(known);
  }
  reject(node, "unknown " + std::string(key) + " '" + text + "'" + suggestion(text, names));
}

// The keys that [[channel]] and [channel_default] share.
ChannelConfig read_channel_config(const toml::table& table) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  ChannelConfig config;
  if (const auto* count = table.get("retention_count")) {
    config.retention.count = read_count(*count, "retention_count", most);
  }
  if (const auto* bytes = table.get("retention_bytes")) {
    config.retention.bytes = read_count(*bytes, "retention_bytes", most);
  }
  if (const auto* age = table.get("retention_age")) {
    config.retention.age = read_duration(*age, "retention_age");
  }
  if (const auto* mode = table.get("mode")) config.mode = read_word(*mode, "mode", kModes);
  if (const auto* policy = table.get("slow_policy")) {
    config.slow_policy = read_word(*policy, "slow_policy", kPolicies);
  }
  if (const auto* priority = table.get("priority")) {
    config.priority = static_cast<std::uint8_t>(read_count(*priority, "priority", kPriorityMax));
  }
  if (config.retention.count == 0 && config.retention.bytes == 0) {
    reject(table,
           "a channel needs a bound for its memory: give retention_bytes or retention_count");
  }
  return config;
}

ChannelRule read_rule(const toml::table& table) {
  constexpr std::array<std::string_view, 7> keys = {
      "pattern",       "mode",        "retention_count", "retention_bytes",
      "retention_age", "slow_policy", "priority"};
  reject_unknown_keys(table, " in [[channel]]", keys);
  const auto* node = table.get("pattern");
  if (node == nullptr) reject(table, "a [[channel]] needs a pattern");
  const std::string text = read_string(*node, "pattern");
  auto pattern = ChannelPattern::parse(text);
  if (!pattern) {
    reject(*node, "'" + text +
                      "' is no pattern: write words joined by dots, where * stands for "
                      "one word and a last > for the rest");
  }
  return {.pattern = std::move(*pattern), .config = read_channel_config(table)};
}

ChannelConfig read_channel_default(const toml::node& node) {
  constexpr std::array<std::string_view, 6> keys = {
      "mode", "retention_count", "retention_bytes", "retention_age", "slow_policy", "priority"};
  const auto* table = node.as_table();
  if (table == nullptr) reject(node, "channel_default must be a table: [channel_default]");
  reject_unknown_keys(*table, " in [channel_default]", keys);
  return read_channel_config(*table);
}

Config read_config(const toml::table& root, const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 11> keys = {
      "listen", "metrics",   "metrics_hosts", "certificate",     "key",    "secret_file",
      "tokens", "busy_poll", "limits",        "channel_default", "channel"};
  reject_unknown_keys(root, "", keys);
  Config config;
  if (const auto* node = root.get("listen")) config.listen = read_listen(*node);
  if (const auto* node = root.get("metrics")) config.metrics = read_string(*node, "metrics");
  if (const auto* node = root.get("metrics_hosts")) config.metrics_hosts = read_hosts(*node);
  const auto* certificate = root.get("certificate");
  const auto* key = root.get("key");
  if ((certificate == nullptr) != (key == nullptr)) {
    reject(certificate != nullptr ? *certificate : *key, "certificate and key belong together");
  }
  if (certificate != nullptr) {
    config.certificate = read_path(*certificate, "certificate", folder);
    config.key = read_path(*key, "key", folder);
  }
  if (const auto* node = root.get("secret_file")) config.secret = read_server_secret(*node, folder);
  if (const auto* node = root.get("tokens")) config.tokens = read_tokens(*node, folder);
  if (const auto* node = root.get("busy_poll")) config.busy_poll = read_bool(*node, "busy_poll");
  if (const auto* node = root.get("limits")) config.limits = read_limits(*node);
  if (const auto* node = root.get("channel_default")) {
    config.channel_default = read_channel_default(*node);
  }
  if (const auto* node = root.get("channel")) {
    for_each_table(*node, "channel",
                   [&](const toml::table& table) { config.channels.push_back(read_rule(table)); });
  }
  return config;
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::filesystem::path& path) {
  return read_toml(text, path,
                   [&](const toml::table& root) { return read_config(root, path.parent_path()); });
}

Result<Config> load_config(const std::filesystem::path& path) {
  const auto text = read_text(path, kConfigSizeMax);
  if (!text) return std::unexpected(text.error());
  return parse_config(*text, path);
}

std::string_view name(SlowPolicy policy) {
  for (const auto& [text, known] : kPolicies) {
    if (known == policy) return text;
  }
  return "unknown";
}

}  // namespace orzatty::apps
