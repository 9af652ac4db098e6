#include "bench_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "quantity.h"
#include "quic/packet_protection.h"
#include "runtime/packet_protection.h"
#include "statistics.h"

namespace orzatty::apps {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

// One number of each run.
template <class Run, class Value>
Spread spread_over(const std::vector<Run>& runs, Value value) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(value(run));
  return spread_of(std::move(values));
}

double per_second(std::uint64_t count, Duration time) {
  return static_cast<double>(count) / seconds(time);
}

// Nanoseconds of processor time for each, the median.
template <class Run>
double cpu_over(const std::vector<Run>& runs, Duration Run::* cpu, std::uint64_t Run::* count) {
  return spread_over(runs,
                     [cpu, count](const Run& run) {
                       const auto each =
                           static_cast<double>(std::max(run.*count, std::uint64_t{1}));
                       return seconds(run.*cpu) * 1e9 / each;
                     })
      .median;
}

template <class Run>
Json setting(const BenchReport& report, const std::vector<Run>& runs) {
  return {{"bench", report.name}, {"size", report.plan.size},
          {"runs", runs.size()},  {"busy_poll", report.plan.waiting == Waiting::kSpin},
          {"encrypted", true},    {"encrypted_by", quic::name_of(runtime::packet_protection())}};
}

template <class Run>
void write_json(Output& output, Json json, const std::vector<Run>& runs) {
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  for (const Run& run : runs) {
    lost += run.lost;
    repeated += run.repeated;
  }
  json["lost"] = lost;
  json["repeated"] = repeated;
  output.write_line(json.dump());
}

std::string head(const BenchReport& report) {
  return std::string(report.name) + ", " + std::to_string(report.plan.size) + " bytes: ";
}

// "1.25 M messages/s (1.20 M to 1.30 M)"
std::string rate_line(const Spread& rate, std::string_view unit) {
  return text_of_rate(rate.median) + " " + std::string(unit) + "/s (" + text_of_rate(rate.least) +
         " to " + text_of_rate(rate.most) + ")";
}

Spread times_at(const std::vector<Times>& runs, double percentile) {
  return spread_over(
      runs, [percentile](const Times& run) { return seconds(run.histogram.at(percentile)) * 1e6; });
}

}  // namespace

void write_report(Output& output, const BenchReport& report, const std::vector<Flow>& runs) {
  const Spread deliveries =
      spread_over(runs, [](const Flow& run) { return per_second(run.delivered, run.time); });
  const double bytes = deliveries.median * static_cast<double>(report.plan.size);
  const bool fans_out = report.name == "fanout";
  if (report.form == ReportForm::kLine) {
    return output.write_line(head(report) +
                             rate_line(deliveries, fans_out ? "deliveries" : "messages") + ", " +
                             text_of_size(bytes) + "/s");
  }
  Json json = setting(report, runs);
  if (fans_out) {
    json["subscribers"] = report.plan.subscribers;
    json["deliveries_per_second"] = json_of(deliveries);
  } else {
    json["connections"] = report.plan.connections;
    json["channels"] = report.plan.channels;
  }
  json["messages_per_second"] =
      json_of(spread_over(runs, [](const Flow& run) { return per_second(run.sent, run.time); }));
  json["bytes_per_second"] = bytes;
  json["sender_cpu_ns_per_message"] = cpu_over(runs, &Flow::sender_cpu, &Flow::sent);
  json["server_cpu_ns_per_delivery"] = cpu_over(runs, &Flow::server_cpu, &Flow::delivered);
  json["subscribers_cpu_ns_per_delivery"] =
      cpu_over(runs, &Flow::subscribers_cpu, &Flow::delivered);
  write_json(output, std::move(json), runs);
}

void write_report(Output& output, const BenchReport& report, const std::vector<Times>& runs) {
  const Spread p50 = times_at(runs, 50);
  const Spread p90 = times_at(runs, 90);
  const Spread p99 = times_at(runs, 99);
  const Spread p999 = times_at(runs, 99.9);
  const Spread most = times_at(runs, 100);
  if (report.form == ReportForm::kLine) {
    return output.write_line(
        head(report) + "p50 " + fixed(p50.median, 1) + " µs (" + fixed(p50.least, 1) + " to " +
        fixed(p50.most, 1) + "), p90 " + fixed(p90.median, 1) + " µs, p99 " + fixed(p99.median, 1) +
        " µs, p99.9 " + fixed(p999.median, 1) + " µs, max " + fixed(most.median, 1) + " µs");
  }
  Json json = setting(report, runs);
  if (report.name == "latency") {
    json["scheduled_per_second"] = report.plan.rate;
  } else {
    json["in_flight"] = report.plan.in_flight;
  }
  json["round_trips"] = runs.front().count;
  json["round_trips_per_second"] =
      json_of(spread_over(runs, [](const Times& run) { return per_second(run.count, run.time); }));
  json["p50_us"] = json_of(p50);
  json["p90_us"] = json_of(p90);
  json["p99_us"] = json_of(p99);
  json["p99_9_us"] = json_of(p999);
  json["max_us"] = json_of(most);
  write_json(output, std::move(json), runs);
}

void write_report(Output& output, const BenchReport& report, const std::vector<Handshakes>& runs) {
  const Spread rate =
      spread_over(runs, [](const Handshakes& run) { return per_second(run.count, run.time); });
  const double cpu = cpu_over(runs, &Handshakes::server_cpu, &Handshakes::count);
  if (report.form == ReportForm::kLine) {
    return output.write_line("handshakes, " + std::to_string(report.plan.in_flight) +
                             " in flight: " + rate_line(rate, "handshakes") + ", " +
                             fixed(cpu / 1e6, 3) + " ms of the server's CPU each");
  }
  Json json = setting(report, runs);
  json["in_flight"] = report.plan.in_flight;
  json["handshakes_per_second"] = json_of(rate);
  json["clients_cpu_ns_per_handshake"] =
      cpu_over(runs, &Handshakes::clients_cpu, &Handshakes::count);
  json["server_cpu_ns_per_handshake"] = cpu;
  write_json(output, std::move(json), runs);
}

void write_report(Output& output, const BenchReport& report,
                  const std::vector<IdleConnections>& runs) {
  const Spread bytes = spread_over(runs, [](const IdleConnections& run) {
    return run.server_bytes / static_cast<double>(run.count);
  });
  // Heartbeats and timers: of one core.
  const Spread busy = spread_over(runs, [](const IdleConnections& run) {
    return seconds(run.server_cpu) / seconds(run.time) * 100;
  });
  if (report.form == ReportForm::kLine) {
    return output.write_line("idle, " + std::to_string(report.plan.connections) + " connections: " +
                             fixed(bytes.median / 1024, 1) + " KiB of server each (" +
                             fixed(bytes.least / 1024, 1) + " to " + fixed(bytes.most / 1024, 1) +
                             "), " + fixed(busy.median, 1) + " % of a core for all");
  }
  Json json = setting(report, runs);
  json["connections"] = report.plan.connections;
  json["server_bytes_per_connection"] = json_of(bytes);
  json["server_cpu_percent"] = json_of(busy);
  write_json(output, std::move(json), runs);
}

}  // namespace orzatty::apps
