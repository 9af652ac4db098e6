#include "sim/summary.h"

#include <algorithm>
#include <cstdio>

namespace orzatty::sim {

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char line[256];
  std::snprintf(line, sizeof line, pattern, values...);
  return line;
}
double hours(Duration duration) { return static_cast<double>(duration.count()) / 3.6e12; }

}  // namespace

void Summary::add(const Task& task, const Outcome& outcome) {
  ++seed_count_;
  datagram_count_ += outcome.datagram_count;
  virtual_time_ += outcome.virtual_time;
  if (!outcome.violation) {
    least_.clients = std::min(least_.clients, outcome.client_count);
    least_.messages = std::min(least_.messages, outcome.message_count);
    least_.faults = std::min(least_.faults, outcome.fault_count);
    least_.virtual_time = std::min(least_.virtual_time, outcome.virtual_time);
  }
  if (outcome.violation) failed_.push_back(task.seed);
  for (const auto& [what, count] : outcome.counts) {
    counts_[what] += count;
    ++seeds_with_[what];
  }
}

std::string Summary::text(double wall_seconds) const {
  std::string text;
  for (const auto& [what, count] : counts_) {
    text += format("  %-44s %12llu  in %llu seeds\n", what.c_str(),
                   static_cast<unsigned long long>(count),
                   static_cast<unsigned long long>(seeds_with_.at(what)));
  }
  const auto seeds = static_cast<double>(seed_count_);
  if (failed_.size() < seed_count_) {
    text += format(
        "each seed: at least %llu clients, %.1f virtual seconds, %llu messages, %llu kinds of "
        "fault\n",
        static_cast<unsigned long long>(least_.clients), hours(least_.virtual_time) * 3600,
        static_cast<unsigned long long>(least_.messages),
        static_cast<unsigned long long>(least_.faults));
  }
  text += format(
      "%.0f seeds, %.2f simulated hours, %.1f s: %.0f seeds and %.0f simulated hours an hour\n",
      seeds, hours(virtual_time_), wall_seconds, seeds / wall_seconds * 3600,
      hours(virtual_time_) / wall_seconds * 3600);
  if (compared_ + different_ > 0) {
    text += format("%llu of %llu seeds had the same trace in a fresh process\n",
                   static_cast<unsigned long long>(compared_),
                   static_cast<unsigned long long>(compared_ + different_));
  }
  text += format("%zu seeds failed\n", failed_.size());
  return text;
}

std::string Summary::json(double wall_seconds) const {
  std::string text =
      format(R"({"seeds": %llu, "failed": [)", static_cast<unsigned long long>(seed_count_));
  for (std::size_t i = 0; i < failed_.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(failed_[i]);
  }
  text +=
      format(R"(], "simulated_hours": %.4f, "wall_seconds": %.3f, "datagrams": %llu, )",
             hours(virtual_time_), wall_seconds, static_cast<unsigned long long>(datagram_count_));
  text += format(R"("compared": %llu, "different": %llu, "counts": {)",
                 static_cast<unsigned long long>(compared_ + different_),
                 static_cast<unsigned long long>(different_));
  const char* comma = "";
  for (const auto& [what, count] : counts_) {
    text += comma + ("\"" + what + "\": " + std::to_string(count));
    comma = ", ";
  }
  return text + "}}\n";
}

}  // namespace orzatty::sim
