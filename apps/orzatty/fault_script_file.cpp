#include "fault_script_file.h"

#include <algorithm>
#include <array>
#include <limits>

#include "quantity.h"
#include "state_folder.h"
#include "strict_toml.h"

namespace orzatty::apps {
namespace {

using lab::Conditions;
using lab::FaultScript;
using lab::Network;
using lab::Phase;

constexpr std::size_t kScriptSizeMax = 1024 * 1024;

double read_probability(const toml::node& node, std::string_view key) {
  // 0 and 1 are whole numbers to TOML.
  const auto value = node.is_integer() || node.is_floating_point() ? node.value<double>()
                                                                   : std::optional<double>();
  if (!value || !(*value >= 0 && *value <= 1)) {
    reject(node, std::string(key) + " must be a probability from 0 to 1, such as 0.05 for 5 %");
  }
  return *value;
}

std::uint64_t read_rate(const toml::node& node, std::string_view key) {
  const auto text = node.value_exact<std::string>();
  if (text == "unlimited") return 0;
  const auto rate = text ? parse_rate(*text) : std::nullopt;
  if (!rate) {
    reject(node, std::string(key) +
                     R"( must be a rate such as "64kbit/s", "10Mbit/s", "1MB/s", or "unlimited")");
  }
  return *rate;
}

std::size_t read_mtu(const toml::node& node, std::string_view key) {
  const std::uint64_t mtu = read_count(node, key, Conditions::kMtuMax);
  if (mtu == 0) reject(node, std::string(key) + " must be 1 or more; black_hole lets nothing pass");
  return static_cast<std::size_t>(mtu);
}

using Read = void (*)(const toml::node& node, std::string_view key, Conditions& conditions);

template <double Conditions::* Member>
void probability(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.*Member = read_probability(node, key);
}
template <double lab::Bursts::* Member>
void burst_probability(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.bursts.*Member = read_probability(node, key);
}
template <Duration Conditions::* Member>
void duration(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.*Member = read_duration(node, key);
}
void rate(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.rate = read_rate(node, key);
}
void queue_bytes(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.queue_bytes = read_count(node, key, std::numeric_limits<std::uint32_t>::max());
}
void mtu(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.mtu = read_mtu(node, key);
}
void black_hole(const toml::node& node, std::string_view key, Conditions& conditions) {
  conditions.open = !read_bool(node, key);
}

struct Fault {
  std::string_view name;
  Read read;
};

constexpr std::array<Fault, 14> kFaults = {{
    {"delay", duration<&Conditions::delay>},
    {"jitter", duration<&Conditions::jitter>},
    {"rate", rate},
    {"queue_bytes", queue_bytes},
    {"mtu", mtu},
    {"loss", probability<&Conditions::loss>},
    {"burst_begins", burst_probability<&lab::Bursts::begins>},
    {"burst_ends", burst_probability<&lab::Bursts::ends>},
    {"burst_loss", burst_probability<&lab::Bursts::loss>},
    {"reordering", probability<&Conditions::reordering>},
    {"duplication", probability<&Conditions::duplication>},
    {"corruption", probability<&Conditions::corruption>},
    {"truncation", probability<&Conditions::truncation>},
    {"black_hole", black_hole},
}};

std::vector<std::string_view> fault_names() {
  std::vector<std::string_view> names;
  for (const Fault& fault : kFaults) names.push_back(fault.name);
  return names;
}

// What `more` says in addition to the keys of a network.
std::vector<std::string_view> network_keys(std::initializer_list<std::string_view> more) {
  std::vector<std::string_view> names = fault_names();
  names.insert(names.end(), {"rebind_every", "up", "down"});
  names.insert(names.end(), more);
  return names;
}

void read_conditions(const toml::table& table, Conditions& conditions) {
  for (const Fault& fault : kFaults) {
    if (const auto* node = table.get(fault.name)) fault.read(*node, fault.name, conditions);
  }
}

void read_direction(const toml::table& network, std::string_view name, Conditions& conditions) {
  const auto* node = network.get(name);
  if (node == nullptr) return;
  const auto* table = node->as_table();
  if (table == nullptr) reject(*node, std::string(name) + " must be a table");
  reject_unknown_keys(*table, " in " + std::string(name), fault_names());
  read_conditions(*table, conditions);
}

// Changes what the table states; whoever calls it has rejected unknown keys.
void read_network(const toml::table& table, Network& network) {
  read_conditions(table, network.up);
  read_conditions(table, network.down);
  read_direction(table, "up", network.up);
  read_direction(table, "down", network.down);
  if (const auto* node = table.get("rebind_every")) {
    network.rebind_every = read_duration(*node, "rebind_every");
    if (const auto problem = problem_of(network)) reject(*node, std::string(*problem));
  }
}

Phase read_phase(const toml::table& table, const Network& otherwise) {
  reject_unknown_keys(table, " in [[phase]]", network_keys({"from", "to", "every"}));
  Phase phase{.from = {}, .to = {}, .every = {}, .network = otherwise};
  const auto* from = table.get("from");
  if (from == nullptr) reject(table, "a [[phase]] needs 'from', such as from = \"5s\"");
  phase.from = read_duration(*from, "from");
  if (const auto* node = table.get("to")) phase.to = read_duration(*node, "to");
  if (const auto* node = table.get("every")) phase.every = read_duration(*node, "every");
  read_network(table, phase.network);
  if (const auto problem = problem_of(phase)) reject(table, std::string(*problem));
  return phase;
}

std::string unknown_preset(std::string_view name) {
  std::vector<std::string_view> names;
  for (const lab::Preset& preset : lab::presets()) names.push_back(preset.name);
  return "unknown preset '" + std::string(name) + "'" + suggestion(name, names);
}

FaultScript read_script(const toml::table& root) {
  reject_unknown_keys(root, "", network_keys({"preset", "seed", "phase"}));
  FaultScript script;
  if (const auto* node = root.get("preset")) {
    const std::string name = read_string(*node, "preset");
    const lab::Preset* preset = lab::find_preset(name);
    if (preset == nullptr) reject(*node, unknown_preset(name));
    script = preset->script;
  }
  if (const auto* node = root.get("seed")) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    script.seed = read_count(*node, "seed", most);
  }
  read_network(root, script.network);
  if (const auto* node = root.get("phase")) {
    for_each_table(*node, "phase", [&](const toml::table& table) {
      script.phases.push_back(read_phase(table, script.network));
    });
  }
  return script;
}

// "delay=20ms" as the line of a script, where that has to stand in quotes.
std::string line_of(std::string_view key, std::string_view value) {
  std::string plain = std::string(key) + " = " + std::string(value);
  try {
    (void)toml::parse(plain);
    return plain;
  } catch (const toml::parse_error&) {
    return std::string(key) + " = \"" + std::string(value) + "\"";
  }
}

Result<void> add_fault(FaultScript& script, std::string_view fault) {
  const std::size_t equals = fault.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == fault.size()) {
    return failure(ExitCode::kUsage, "--fault '" + std::string(fault) +
                                         "' is no KEY=VALUE, such as loss=0.05 or delay=20ms");
  }
  try {
    const toml::table table =
        toml::parse(line_of(fault.substr(0, equals), fault.substr(equals + 1)));
    reject_unknown_keys(table, "", network_keys({}));
    read_network(table, script.network);
    for (Phase& phase : script.phases) read_network(table, phase.network);
    return {};
  } catch (const toml::parse_error& error) {
    return failure(ExitCode::kUsage,
                   "--fault '" + std::string(fault) + "': " + std::string(error.description()));
  } catch (const Problem& problem) {
    return failure(ExitCode::kUsage, "--fault '" + std::string(fault) + "': " + problem.text);
  }
}

}  // namespace

Result<FaultScript> parse_fault_script(std::string_view text, const std::filesystem::path& path) {
  return read_toml(text, path, read_script);
}

Result<FaultScript> load_fault_script(const std::filesystem::path& path) {
  const auto text = read_text(path, kScriptSizeMax);
  if (!text) return std::unexpected(text.error());
  return parse_fault_script(*text, path);
}

Result<FaultScript> preset_script(std::string_view name) {
  const lab::Preset* preset = lab::find_preset(name);
  if (preset == nullptr) return failure(ExitCode::kUsage, unknown_preset(name));
  return preset->script;
}

Result<void> add_faults(FaultScript& script, const std::vector<std::string>& faults) {
  for (const std::string& fault : faults) {
    if (auto added = add_fault(script, fault); !added) return added;
  }
  return {};
}

}  // namespace orzatty::apps
