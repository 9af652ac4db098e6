// orzatty-sim: seeds, one or many.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/planted_bug.h"
#include "sim/options.h"
#include "sim/shrink.h"
#include "sim/summary.h"

namespace orzatty::sim {
namespace {

constexpr std::uint64_t kComparedEvery = 100;
constexpr std::uint64_t kPlantedSeedsMax = 1000;
constexpr std::size_t kShrunkMax = 3;  // of many failing seeds most have the same cause

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string command_of(const Task& task) {
  return "orzatty-sim --seed " + std::to_string(task.seed) + " --scenario " +
         std::string(task.scenario->name) +
         (task.planted.empty() ? "" : " --plant " + task.planted) +
         (task.network == nullptr ? "" : " --network " + task.network->source) +
         text_of(task.reduction);
}

void print_violation(const Task& task, const Outcome& outcome) {
  std::printf("seed %" PRIu64 ": %s: %s\n", task.seed, outcome.violation->checker.c_str(),
              outcome.violation->what.c_str());
}

enum class Detail : std::uint8_t { kWhat, kSmallest };
void report_failure(const Options& options, const Task& task, const Outcome& outcome,
                    Detail detail) {
  print_violation(task, outcome);
  if (!options.shrinking || detail == Detail::kWhat) return;
  Outcome last = outcome;
  const Task smallest =
      shrink(task, outcome, [&](const Task&, const Outcome& smaller) { last = smaller; });
  std::printf("  smallest: %s\n  %s: %s\n", command_of(smallest).c_str(),
              last.violation->checker.c_str(), last.violation->what.c_str());
}

Task task_of(const Options& options, std::uint64_t seed) {
  return {seed, options.scenario, options.reduction, options.planted, options.network};
}

// In this process, so that everything can be told, and a debugger sees it.
int play_one(const Options& options) {
  const Plan plan = plan_of(task_of(options, options.seed_first));
  Listener listener;
  if (options.trace) {
    listener = [](Instant now, std::string_view line) {
      const Duration since = now.time_since_epoch() - std::chrono::seconds(1000);
      std::printf("%11.6f %.*s\n", static_cast<double>(since.count()) / 1e9,
                  static_cast<int>(line.size()), line.data());
    };
  }
  const Outcome outcome = run(plan, listener);
  std::printf("%016" PRIx64 "\n", outcome.hash);
  return outcome.violation ? 1 : 0;
}

std::vector<Task> tasks_of(const Options& options) {
  std::vector<Task> tasks;
  for (std::uint64_t seed = options.seed_first; seed <= options.seed_last; ++seed) {
    tasks.push_back(task_of(options, seed));
  }
  return tasks;
}

int play_many(const Options& options, const std::vector<Task>& tasks) {
  const auto begin = std::chrono::steady_clock::now();
  Summary summary;
  std::vector<std::pair<Task, Outcome>> failed;
  play_all(tasks, options.jobs, [&](const Task& task, const Outcome& outcome) {
    summary.add(task, outcome);
    if (outcome.violation) failed.emplace_back(task, outcome);
    const bool compares = task.planted.empty() && task.seed % kComparedEvery == 0;
    if (compares && !outcome.violation) {
      const bool same = hash_by_fresh_process(task) == outcome.hash;
      if (!same) std::printf("seed %" PRIu64 ": another trace in a fresh process\n", task.seed);
      summary.compared(same);
    }
    return Further::kGoOn;
  });
  const double wall = seconds_since(begin);
  for (std::size_t i = 0; i < failed.size(); ++i) {
    const auto& [task, outcome] = failed[i];
    report_failure(options, task, outcome, i < kShrunkMax ? Detail::kSmallest : Detail::kWhat);
  }
  std::fputs((options.json ? summary.json(wall) : summary.text(wall)).c_str(), stdout);
  return summary.good() ? 0 : 1;
}

// Each line: a seed, and the options of the smallest form in which it failed once.
int play_file(const Options& options) {
  std::ifstream file(options.seeds_file);
  if (!file) {
    std::fprintf(stderr, "orzatty-sim: cannot read %s\n", options.seeds_file.c_str());
    return 2;
  }
  std::vector<Task> tasks;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> words;
    std::istringstream split(line);
    for (std::string word; split >> word && word.front() != '#';) words.push_back(word);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    const auto parsed = parse_options(arguments);
    if (!parsed) {
      std::fprintf(stderr, "orzatty-sim: %s: %s\n", line.c_str(), parsed.error().c_str());
      return 2;
    }
    tasks.push_back(task_of(*parsed, parsed->seed_first));
  }
  return play_many(options, tasks);
}

struct Found {
  std::uint64_t seed = 0;
  Violation violation;
};
// The lowest seed of those in a row, whichever process is the first to end.
std::optional<Found> first_to_fail(const std::vector<Task>& tasks, std::size_t jobs) {
  std::optional<Found> found;
  std::set<std::uint64_t> played;
  play_all(tasks, jobs, [&](const Task& task, const Outcome& outcome) {
    played.insert(task.seed);
    if (outcome.violation && (!found || task.seed < found->seed)) {
      found = Found{task.seed, *outcome.violation};
    }
    if (!found) return Further::kGoOn;
    const auto below = std::distance(played.begin(), played.find(found->seed));
    const bool all_below = static_cast<std::uint64_t>(below) == found->seed - tasks.front().seed;
    return all_below ? Further::kStop : Further::kGoOn;
  });
  return found;
}

// A checker that catches nothing proves nothing.
int play_planted(const Options& options) {
  bool all = true;
  std::printf("%-26s %-16s %6s  %s\n", "planted bug", "found by", "seed", "as");
  for (const base::PlantedBugName& bug : base::kPlantedBugs) {
    Options planted = options;
    planted.planted = bug.name;
    planted.seed_last = planted.seed_first + kPlantedSeedsMax - 1;
    const auto found = first_to_fail(tasks_of(planted), options.jobs);
    all = all && found;
    std::printf("%-26s %-16s %6" PRIu64 "  %s\n", std::string(bug.name).c_str(),
                found ? found->violation.checker.c_str() : "NOBODY", found ? found->seed : 0,
                found ? found->violation.what.c_str() : std::string(bug.what).c_str());
    std::fflush(stdout);
  }
  return all ? 0 : 1;
}

int start(std::span<char*> arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    std::fprintf(stderr, "orzatty-sim: %s\n", options.error().c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (options->hash_only || options->trace) return play_one(*options);
  if (options->planted_table) return play_planted(*options);
  if (!options->json) {
    std::printf("seeds %" PRIu64 " to %" PRIu64 ", scenario %s\n", options->seed_first,
                options->seed_last, std::string(options->scenario->name).c_str());
    std::fflush(stdout);
  }
  if (!options->seeds_file.empty()) return play_file(*options);
  return play_many(*options, tasks_of(*options));
}

}  // namespace
}  // namespace orzatty::sim

int main(int count, char** arguments) {
  return orzatty::sim::start(std::span(arguments + 1, static_cast<std::size_t>(count - 1)));
}
