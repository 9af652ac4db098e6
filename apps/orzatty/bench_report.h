// The results of `orzatty bench`, as a line for people or as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench_scenes.h"
#include "output.h"

namespace orzatty::apps {

enum class ReportForm : std::uint8_t { kLine, kJson };

// What is behind each run of a report.
struct BenchReport {
  std::string_view name;
  BenchPlan plan;
  ReportForm form = ReportForm::kLine;
};

void write_report(Output& output, const BenchReport& report, const std::vector<Flow>& runs);
void write_report(Output& output, const BenchReport& report, const std::vector<Times>& runs);
void write_report(Output& output, const BenchReport& report, const std::vector<Handshakes>& runs);
void write_report(Output& output, const BenchReport& report,
                  const std::vector<IdleConnections>& runs);

}  // namespace orzatty::apps
