#include "metrics_text.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "orzatty/version.h"

namespace orzatty::apps {
namespace {

struct Metric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::uint64_t ServerStats::* member;
};

constexpr std::array<Metric, 12> kMetrics = {{
    {"orzatty_connections", "gauge", "Open connections.", &ServerStats::connections},
    {"orzatty_peers", "gauge", "Authenticated peers.", &ServerStats::peers},
    {"orzatty_channels", "gauge", "Channels.", &ServerStats::channels},
    {"orzatty_subscriptions", "gauge", "Subscriptions.", &ServerStats::subscriptions},
    {"orzatty_messages_in_total", "counter", "Messages accepted.", &ServerStats::messages_in},
    {"orzatty_bytes_in_total", "counter", "Bytes accepted.", &ServerStats::bytes_in},
    {"orzatty_messages_out_total", "counter", "Messages sent out.", &ServerStats::messages_out},
    {"orzatty_bytes_out_total", "counter", "Bytes sent out.", &ServerStats::bytes_out},
    {"orzatty_duplicates_total", "counter", "Messages that came again.", &ServerStats::duplicates},
    {"orzatty_rejected_total", "counter", "Messages rejected.", &ServerStats::rejected},
    {"orzatty_missed_total", "counter", "Positions told to subscribers as gaps.",
     &ServerStats::missed},
    {"orzatty_datagrams_ignored_total", "counter", "Datagrams that were none of ours.",
     &ServerStats::datagrams_ignored},
}};

void append_head(std::string& text, std::string_view name, std::string_view type,
                 std::string_view help) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

}  // namespace

std::string metrics_text(const ServerStats& stats) {
  std::string text;
  append_head(text, "orzatty_build_info", "gauge", "Always 1.");
  text.append("orzatty_build_info{version=\"").append(kVersion).append("\"} 1\n");
  for (const Metric& metric : kMetrics) {
    append_head(text, metric.name, metric.type, metric.help);
    text.append(metric.name).append(" ").append(std::to_string(stats.*metric.member)).append("\n");
  }
  return text;
}

}  // namespace orzatty::apps
