#include "metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "orzatty/version.h"

namespace orzatty::apps {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Metric {
  const char* name;
  MetricType type;
  const char* help;
  std::uint64_t ServerStats::* member;
};

constexpr std::array<Metric, 12> kMetrics = {{
    {"orzatty_connections", MetricType::Gauge, "Open connections.", &ServerStats::connections},
    {"orzatty_peers", MetricType::Gauge, "Authenticated peers.", &ServerStats::peers},
    {"orzatty_channels", MetricType::Gauge, "Channels.", &ServerStats::channels},
    {"orzatty_subscriptions", MetricType::Gauge, "Subscriptions.", &ServerStats::subscriptions},
    {"orzatty_messages_in_total", MetricType::Counter, "Messages accepted.",
     &ServerStats::messages_in},
    {"orzatty_bytes_in_total", MetricType::Counter, "Bytes accepted.", &ServerStats::bytes_in},
    {"orzatty_messages_out_total", MetricType::Counter, "Messages sent out.",
     &ServerStats::messages_out},
    {"orzatty_bytes_out_total", MetricType::Counter, "Bytes sent out.", &ServerStats::bytes_out},
    {"orzatty_duplicates_total", MetricType::Counter, "Messages that came again.",
     &ServerStats::duplicates},
    {"orzatty_rejected_total", MetricType::Counter, "Messages rejected.", &ServerStats::rejected},
    {"orzatty_missed_total", MetricType::Counter, "Positions told to subscribers as gaps.",
     &ServerStats::missed},
    {"orzatty_datagrams_ignored_total", MetricType::Counter, "Datagrams that were none of ours.",
     &ServerStats::datagrams_ignored},
}};

MetricFamily family(const Metric& metric, double value, std::vector<ClientMetric::Label> labels) {
  ClientMetric sample;
  sample.label = std::move(labels);
  if (metric.type == MetricType::Counter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
  return {metric.name, metric.help, metric.type, {std::move(sample)}};
}

}  // namespace

std::string metrics_text(const ServerStats& stats) {
  std::vector<MetricFamily> families;
  families.push_back(family({"orzatty_build_info", MetricType::Gauge, "Always 1.", nullptr}, 1,
                            {{"version", std::string(kVersion)}}));
  for (const Metric& metric : kMetrics) {
    families.push_back(family(metric, static_cast<double>(stats.*metric.member), {}));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace orzatty::apps
