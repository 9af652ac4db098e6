#include "lab_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "quantity.h"

namespace orzatty::apps {
namespace {

struct Row {
  std::string_view name;  // in the JSON, where blanks are underscores
  std::uint64_t lab::PathCounts::* member;
};

constexpr std::array<Row, 9> kRows = {{{"lost", &lab::PathCounts::lost},
                                       {"lost_in_burst", &lab::PathCounts::lost_in_burst},
                                       {"overflowed", &lab::PathCounts::overflowed},
                                       {"too_large", &lab::PathCounts::too_large},
                                       {"cut", &lab::PathCounts::cut},
                                       {"reordered", &lab::PathCounts::reordered},
                                       {"duplicated", &lab::PathCounts::duplicated},
                                       {"corrupted", &lab::PathCounts::corrupted},
                                       {"truncated", &lab::PathCounts::truncated}}};

std::string cell(std::string text) {
  constexpr std::size_t kWidth = 14;
  return std::string(kWidth - std::min(kWidth, text.size()), ' ') + text;
}

std::string line(std::string name, std::uint64_t up, std::uint64_t down) {
  std::ranges::replace(name, '_', ' ');
  name.resize(std::max<std::size_t>(name.size(), 14), ' ');
  return name + cell(std::to_string(up)) + cell(std::to_string(down));
}

std::string live_text(const LabCounts::Way& now, const LabCounts::Way& before, double time) {
  const auto sent = static_cast<double>(now.path.sent - before.path.sent);
  const auto lost = static_cast<double>(now.path.all_lost() - before.path.all_lost());
  return text_of_size(static_cast<double>(now.bytes - before.bytes) / time) + "/s, " +
         fixed(sent > 0 ? 100 * lost / sent : 0, 1) + " % lost";
}

nlohmann::ordered_json json_of(const LabCounts::Way& way) {
  nlohmann::ordered_json json = {
      {"sent", way.path.sent}, {"arrived", way.arrived}, {"bytes", way.bytes}};
  for (const Row& row : kRows) json[std::string(row.name)] = way.path.*row.member;
  return json;
}

}  // namespace

std::string live_line(const LabRelay& relay, const LabReport& now, const LabReport& before) {
  const double time = std::max(seconds(now.time - before.time), 1e-3);
  const bool open = relay.network().up.open && relay.network().down.open;
  return fixed(seconds(now.time), 1) + " s   " + std::to_string(relay.client_count()) +
         " clients   up " + live_text(now.counts.up, before.counts.up, time) + "   down " +
         live_text(now.counts.down, before.counts.down, time) + "   " +
         std::to_string(relay.waiting_count()) + " on their way" + (open ? "" : "   black hole");
}

std::vector<std::string> summary_lines(const LabReport& report) {
  const LabCounts& counts = report.counts;
  std::vector<std::string> lines = {
      fixed(seconds(report.time), 1) + " s, " + std::to_string(counts.clients) + " clients, " +
          std::to_string(counts.rebinds) + " rebinds, seed " + std::to_string(report.seed),
      "datagrams     " + cell("up") + cell("down"),
      line("sent", counts.up.path.sent, counts.down.path.sent),
      line("arrived", counts.up.arrived, counts.down.arrived)};
  for (const Row& row : kRows) {
    const std::uint64_t up = counts.up.path.*row.member;
    const std::uint64_t down = counts.down.path.*row.member;
    if (up + down > 0) lines.push_back(line(std::string(row.name), up, down));
  }
  if (counts.refused > 0) {
    lines.push_back(std::to_string(counts.refused) + " of clients for whom there was no socket");
  }
  if (counts.dropped > 0) {
    lines.push_back(std::to_string(counts.dropped) + " dropped, as the lab had no memory for more");
  }
  return lines;
}

std::string summary_json(const LabReport& report) {
  const nlohmann::ordered_json json = {
      {"seconds", seconds(report.time)},  {"seed", report.seed},
      {"clients", report.counts.clients}, {"rebinds", report.counts.rebinds},
      {"refused", report.counts.refused}, {"dropped", report.counts.dropped},
      {"up", json_of(report.counts.up)},  {"down", json_of(report.counts.down)}};
  return json.dump();
}

}  // namespace orzatty::apps
