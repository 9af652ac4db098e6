// The client's backup thread wakes for its own work only: every wake-up of it is a switch that some
// other thread pays for.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A thread of this process, as the kernel lists it.
using Task = std::filesystem::path;

std::set<Task> tasks() {
  std::set<Task> tasks;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    tasks.insert(entry.path());
  }
  return tasks;
}

// How often it went to sleep.
std::uint64_t sleeps(const Task& task) {
  const std::string key = "voluntary_ctxt_switches:";
  std::ifstream status(task / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stoull(line.substr(key.size()));
  }
  ADD_FAILURE() << "no such thread: " << task;
  return 0;
}

TEST(BackupThread, SleepsWhileAnotherThreadWaitsWithThePump) {
  const Served served;
  const std::set<Task> older = tasks();
  auto client = Client::connect(served.address(), served.client_options());
  ASSERT_TRUE(client && client->ping());
  std::set<Task> made = tasks();
  for (const Task& task : older) made.erase(task);
  ASSERT_EQ(made.size(), 1U);  // the one thread that a client makes
  const Task backup = *made.begin();

  const std::uint64_t before = sleeps(backup);
  const auto end = Clock::now() + 1s;
  while (Clock::now() < end) client->poll(end - Clock::now());

  EXPECT_LT(sleeps(backup) - before, 100U);  // once a millisecond would be 1000
}

}  // namespace
}  // namespace orzatty
