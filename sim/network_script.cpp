#include "sim/network_script.h"

#include "apps/orzatty/fault_script_file.h"

namespace orzatty::sim {

namespace {

const FaultSet kFaultsOfPaths = {Fault::kLoss,        Fault::kBursts,         Fault::kReordering,
                                 Fault::kDuplication, Fault::kCorruption,     Fault::kTruncation,
                                 Fault::kJitter,      Fault::kLowRate,        Fault::kSmallMtu,
                                 Fault::kPartition,   Fault::kOneWayPartition};

}  // namespace

std::expected<NetworkScript, std::string> load_network(const std::string& preset_or_file) {
  const lab::Preset* preset = lab::find_preset(preset_or_file);
  const auto script = preset != nullptr ? apps::Result<lab::FaultScript>(preset->script)
                                        : apps::load_fault_script(preset_or_file);
  if (!script) {
    return std::unexpected("--network " + preset_or_file + ": " + script.error().text +
                           "; presets are wifi, mobile, satellite and hostile");
  }
  return NetworkScript{preset_or_file, *script};
}

void put_on(Plan& plan, const lab::FaultScript& script) {
  plan.network = script;
  const lab::Network& first = script.at(Duration::zero());
  for (PlannedClient& client : plan.clients) client.place.link = {first.up, first.down};
  for (std::size_t i = 0; i < plan.incidents.size(); ++i) {
    if (kFaultsOfPaths.contains(plan.incidents[i].fault)) plan.left_out.insert(i);
  }
  std::erase_if(plan.faults, [](Fault fault) { return kFaultsOfPaths.contains(fault); });
}

}  // namespace orzatty::sim
