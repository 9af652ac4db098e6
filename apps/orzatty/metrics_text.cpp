#include "metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <utility>

#include "orzatty/version.h"

namespace orzatty::apps {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// What channels are called that no rule of the configuration names.
constexpr const char* kOtherChannels = "(others)";

class Families {
 public:
  // Samples that follow belong to it.
  Families& counter(const char* name, const char* help) {
    return begin(name, help, MetricType::Counter);
  }
  Families& gauge(const char* name, const char* help) {
    return begin(name, help, MetricType::Gauge);
  }
  template <class Number>
  Families& sample(Number value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = static_cast<double>(value);
    } else {
      metric.gauge.value = static_cast<double>(value);
    }
    families_.back().metric.push_back(std::move(metric));
    return *this;
  }

  [[nodiscard]] std::string text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  Families& begin(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
    return *this;
  }

  std::vector<MetricFamily> families_;
};

void add_process(Families& families, const ProcessFigures& process) {
  families.counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.")
      .sample(process.cpu_seconds);
  families.gauge("process_start_time_seconds", "When the process began, in seconds since 1970.")
      .sample(process.start_seconds);
  families.gauge("process_resident_memory_bytes", "Resident memory.")
      .sample(process.resident_bytes);
  families.gauge("process_virtual_memory_bytes", "Virtual memory.").sample(process.virtual_bytes);
  families.gauge("process_open_fds", "Open file descriptors.").sample(process.open_fds);
  families.gauge("process_max_fds", "How many file descriptors may be open.")
      .sample(process.max_fds);
  families.gauge("process_threads", "Threads.").sample(process.threads);
}

void add_connections(Families& families, const Figures& figures) {
  const ServerStats& stats = figures.stats;
  families.gauge("orzatty_connections", "Open QUIC connections, handshakes included.")
      .sample(stats.connections);
  families.gauge("orzatty_connection_limit", "Connections that there may be at once.")
      .sample(figures.limits.connection_count_max);
  families.counter("orzatty_handshakes_total", "Handshakes begun.")
      .sample(stats.connections_accepted);
  families
      .counter("orzatty_refusals_total",
               "Clients refused: at capacity before the handshake, or by their token after it.")
      .sample(stats.connections_refused, {{"reason", "capacity"}})
      .sample(figures.events.refused, {{"reason", "authentication"}});
  families
      .counter(
          "orzatty_stateless_replies_total",
          "Datagrams answered without a connection: Version Negotiation, Retry, reset, refusal.")
      .sample(stats.stateless_replies);
  families
      .counter("orzatty_datagrams_ignored_total",
               "Datagrams that were none of this server's connections.")
      .sample(stats.datagrams_ignored);
}

void add_sessions(Families& families, const Figures& figures) {
  const Events& events = figures.events;
  families
      .gauge("orzatty_sessions",
             "Authenticated sessions: connected, or detached and waiting for their client.")
      .sample(figures.stats.peers, {{"state", "connected"}})
      .sample(figures.stats.detached, {{"state", "detached"}});
  families.counter("orzatty_sessions_opened_total", "Sessions authenticated.")
      .sample(events.joined);
  families.counter("orzatty_sessions_detached_total", "Times that a session lost its connection.")
      .sample(events.detached);
  families
      .counter("orzatty_sessions_resumed_total", "Times that a client came back to its session.")
      .sample(events.resumed);
  families.counter("orzatty_sessions_ended_total", "Sessions ended, by error code.");
  for (const auto& [code, count] : events.left) families.sample(count, {{"code", code}});
  families
      .counter("orzatty_slow_subscribers_total",
               "Times that a subscriber fell behind as far as its channel's policy allows.")
      .sample(events.slow);
}

// Codes that are told of messages; others are told once they were.
bool shown(std::size_t code, std::uint64_t count) {
  return count > 0 || (code >= static_cast<std::size_t>(ErrorCode::kNotAuthorised) &&
                       name(static_cast<ErrorCode>(code)) != "UNKNOWN");
}

// What became of messages that publishers sent: received = accepted + handed over + duplicate +
// rejected.
void add_publisher_ledger(Families& families, const ServerStats& stats) {
  families
      .counter("orzatty_received_messages_total",
               "Messages of publishers that arrived: accepted, handed over, duplicate or rejected.")
      .sample(stats.messages_in);
  families.counter("orzatty_received_bytes_total", "Their bytes.").sample(stats.bytes_in);
  families
      .counter("orzatty_handed_over_messages_total",
               "Messages given to handlers of the server, and replies given to who waits for them.")
      .sample(stats.handed_over);
  families
      .counter("orzatty_duplicate_messages_total", "Messages that were known, and not kept twice.")
      .sample(stats.duplicates);
  families.counter("orzatty_rejected_messages_total", "Messages rejected, by error code.");
  for (std::size_t code = 0; code < stats.rejected_by.size(); ++code) {
    if (!shown(code, stats.rejected_by[code])) continue;
    families.sample(stats.rejected_by[code],
                    {{"code", std::string(name(static_cast<ErrorCode>(code)))}});
  }
  families.counter("orzatty_skipped_messages_total",
                   "Messages that publishers let go of before they were sent, by reason.");
  for (const GapReason reason : {GapReason::kExpired, GapReason::kSuperseded}) {
    families.sample(stats.skipped_by[static_cast<std::size_t>(reason)],
                    {{"reason", std::string(name(reason))}});
  }
}

using Traffic = std::pair<std::string, ChannelTraffic>;

// By pattern; of a pattern that stands there twice the first counts.
std::vector<Traffic> traffic_of(const Figures& figures) {
  std::vector<Traffic> found;
  for (std::size_t i = 0; i < figures.stats.traffic.size(); ++i) {
    std::string pattern = i < figures.patterns.size() ? figures.patterns[i] : kOtherChannels;
    const bool again = std::ranges::find(found, pattern, &Traffic::first) != found.end();
    if (!again) found.emplace_back(std::move(pattern), figures.stats.traffic[i]);
  }
  return found;
}

// Of mode datagram, which nobody is answered about.
void add_datagrams(Families& families, const ServerStats& stats) {
  families
      .counter("orzatty_datagrams_dropped_total",
               "Datagrams of publishers that came late or found no room.")
      .sample(stats.datagrams_dropped);
  families
      .counter("orzatty_datagrams_lost_total",
               "Datagrams that were lost on their way to subscribers.")
      .sample(stats.datagrams_lost);
}

void add_traffic(Families& families, const std::vector<Traffic>& traffic) {
  const auto add = [&](const char* name, const char* help, std::uint64_t ChannelTraffic::* member) {
    families.counter(name, help);
    for (const auto& [pattern, counts] : traffic) {
      families.sample(counts.*member, {{"channels", pattern}});
    }
  };
  add("orzatty_accepted_messages_total", "Messages accepted, by the rule of their channel.",
      &ChannelTraffic::accepted);
  add("orzatty_accepted_bytes_total", "Their bytes.", &ChannelTraffic::accepted_bytes);
  add("orzatty_delivered_messages_total", "Messages sent to subscribers, once for each.",
      &ChannelTraffic::delivered);
  add("orzatty_delivered_bytes_total", "Their bytes.", &ChannelTraffic::delivered_bytes);
  families.counter("orzatty_missed_messages_total",
                   "Messages that subscribers were told they miss, by reason.");
  for (const auto& [pattern, counts] : traffic) {
    for (std::size_t reason = 0; reason < counts.missed.size(); ++reason) {
      families.sample(
          counts.missed[reason],
          {{"channels", pattern}, {"reason", std::string(name(static_cast<GapReason>(reason)))}});
    }
  }
}

void add_holdings(Families& families, const Figures& figures) {
  families.gauge("orzatty_channels", "Channels.").sample(figures.stats.channels);
  families.gauge("orzatty_channel_limit", "Channels that there may be at once.")
      .sample(figures.limits.channel_count_max);
  families.gauge("orzatty_subscriptions", "Subscriptions.").sample(figures.stats.subscriptions);
  families
      .gauge(
          "orzatty_memory_bytes",
          "Memory by owner; channels hold what is retained, queued for subscribers or in flight.")
      .sample(figures.stats.held_bytes, {{"owner", "channels"}});
  families.gauge("orzatty_memory_limit_bytes", "Memory that an owner may hold.")
      .sample(figures.limits.hub_size_max, {{"owner", "channels"}});
  families
      .gauge("orzatty_certificate_expiry_timestamp_seconds",
             "When the server's certificate expires, in seconds since 1970.")
      .sample(figures.certificate_expires);
}

}  // namespace

std::string metrics_text(const Figures& figures) {
  Families families;
  families.gauge("orzatty_build_info", "What runs; always 1.")
      .sample(1,
              {{"version", std::string(kVersion)}, {"protocol", std::to_string(kProtocolVersion)}});
  add_process(families, figures.process);
  add_connections(families, figures);
  add_sessions(families, figures);
  add_publisher_ledger(families, figures.stats);
  add_datagrams(families, figures.stats);
  add_traffic(families, traffic_of(figures));
  add_holdings(families, figures);
  return families.text();
}

}  // namespace orzatty::apps
