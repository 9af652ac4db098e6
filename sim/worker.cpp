#include "sim/worker.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <utility>

#include "base/planted.h"

namespace orzatty::sim {

namespace {

// What a worker says on its pipe, a line each: a task that begins, and what came of it.
std::string line_of(const Outcome& outcome) {
  std::ostringstream line;
  line << outcome.hash << '\t' << outcome.virtual_time.count() << '\t' << outcome.datagram_count
       << '\t' << outcome.client_count << '\t' << outcome.message_count << '\t'
       << outcome.fault_count << '\t' << (outcome.violation ? outcome.violation->checker : "")
       << '\t' << (outcome.violation ? outcome.violation->what : "");
  for (const auto& [what, count] : outcome.counts) line << '\t' << what << '=' << count;
  return line.str();
}

Outcome outcome_of(const std::string& line) {
  std::istringstream fields(line);
  std::string field;
  const auto next = [&] {
    field.clear();
    std::getline(fields, field, '\t');
    return field;
  };
  Outcome outcome;
  outcome.hash = std::strtoull(next().c_str(), nullptr, 10);
  outcome.virtual_time = Duration(std::strtoll(next().c_str(), nullptr, 10));
  outcome.datagram_count = std::strtoull(next().c_str(), nullptr, 10);
  outcome.client_count = std::strtoull(next().c_str(), nullptr, 10);
  outcome.message_count = std::strtoull(next().c_str(), nullptr, 10);
  outcome.fault_count = std::strtoull(next().c_str(), nullptr, 10);
  Violation violation{next(), {}};
  violation.what = next();
  if (!violation.checker.empty()) outcome.violation = std::move(violation);
  while (!next().empty()) {
    const std::size_t equals = field.rfind('=');
    outcome.counts[field.substr(0, equals)] =
        std::strtoull(field.c_str() + equals + 1, nullptr, 10);
  }
  return outcome;
}

void plant(const std::string& name) {
  for (const base::PlantedBugName& known : base::kPlantedBugs) {
    if (known.name == name) base::plant(known.bug);
  }
}

// A process that plays every n-th task, and is replaced when one ends it.
class Worker {
 public:
  Worker(const std::vector<Task>& tasks, std::size_t first, std::size_t step)
      : tasks_(tasks), next_(first), step_(step) {
    begin();
  }
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] bool over() const { return next_ >= tasks_.size(); }
  [[nodiscard]] int descriptor() const { return pipe_; }

  // A task's end, if there is one to read.
  template <class Done>
  Further read(const Done& done) {
    std::array<char, 64 * 1024> buffer;
    const ssize_t size = ::read(pipe_, buffer.data(), buffer.size());
    if (size > 0) {
      unread_.append(buffer.data(), static_cast<std::size_t>(size));
      for (std::size_t end = unread_.find('\n'); end != std::string::npos;
           end = unread_.find('\n')) {
        const Outcome outcome = outcome_of(unread_.substr(0, end));
        unread_.erase(0, end + 1);
        const Task& task = tasks_[std::exchange(next_, next_ + step_)];
        if (done(task, outcome) == Further::kStop) return Further::kStop;
      }
      return Further::kGoOn;
    }
    const std::string how = end();
    if (over()) return Further::kGoOn;
    Outcome outcome;
    outcome.violation = Violation{"crash", how};
    const Task& task = tasks_[std::exchange(next_, next_ + step_)];
    if (!over()) begin();
    return done(task, outcome);
  }

 private:
  void begin() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    std::fflush(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      work(ends[1]);
      std::_Exit(0);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  void work(int pipe) {
    constexpr unsigned int kSecondsMax = 120;  // of one seed: one that never ends is a finding too
    for (std::size_t i = next_; i < tasks_.size(); i += step_) {
      const Task& task = tasks_[i];
      ::alarm(kSecondsMax);
      plant(task.planted);
      const std::string line = line_of(run(plan_of(task))) + '\n';
      for (std::size_t at = 0; at < line.size();) {
        const ssize_t size = ::write(pipe, line.data() + at, line.size() - at);
        if (size <= 0) std::_Exit(1);
        at += static_cast<std::size_t>(size);
      }
    }
  }
  std::string end() {
    if (child_ <= 0) return {};
    ::close(pipe_);
    int status = 0;
    ::kill(child_, SIGKILL);
    ::waitpid(std::exchange(child_, 0), &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return "it does not end";
    return "the process ended by itself";
  }

  const std::vector<Task>& tasks_;
  std::size_t next_;
  std::size_t step_;
  pid_t child_ = 0;
  int pipe_ = -1;
  std::string unread_;
};

}  // namespace

Plan plan_of(const Task& task) {
  Plan plan = draw_plan(task.seed, *task.scenario, task.reduction);
  if (task.network != nullptr) put_on(plan, task.network->script);
  return plan;
}

void play_all(const std::vector<Task>& tasks, std::size_t jobs,
              const std::function<Further(const Task&, const Outcome&)>& done) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < jobs && i < tasks.size(); ++i) {
    workers.push_back(std::make_unique<Worker>(tasks, i, jobs));
  }
  while (true) {
    std::vector<pollfd> waiting;
    std::vector<Worker*> behind;
    for (const auto& worker : workers) {
      if (worker->over()) continue;
      waiting.push_back({worker->descriptor(), POLLIN, 0});
      behind.push_back(worker.get());
    }
    if (waiting.empty()) return;
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0 && behind[i]->read(done) == Further::kStop) return;
    }
  }
}

Outcome play(const Task& task) {
  Outcome result;
  play_all({task}, 1, [&](const Task&, const Outcome& outcome) {
    result = outcome;
    return Further::kGoOn;
  });
  return result;
}

std::uint64_t hash_by_fresh_process(const Task& task) {
  std::array<char, 4096> program{};
  const ssize_t size = ::readlink("/proc/self/exe", program.data(), program.size() - 1);
  if (size <= 0) return 0;
  const std::string command =
      "'" + std::string(program.data()) + "' --hash --seed " + std::to_string(task.seed) +
      " --scenario " + std::string(task.scenario->name) + text_of(task.reduction) +
      (task.network == nullptr ? "" : " --network '" + task.network->source + "'");
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return 0;
  std::array<char, 64> line{};
  const bool read = std::fgets(line.data(), line.size(), pipe) != nullptr;
  ::pclose(pipe);
  return read ? std::strtoull(line.data(), nullptr, 16) : 0;
}

}  // namespace orzatty::sim
