#include "process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <system_error>

#include "cpu_time.h"

namespace orzatty::apps {
namespace {

// Fields of /proc/self/stat as proc(5) counts them, of which the third is the first that is here.
constexpr int kFirstField = 3;

double boot_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double value = 0;
    if (word == "btime" && file >> value) return value;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

double count_fds() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(files), end(files)) - 1);  // without its own
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  std::string text;
  std::ifstream file("/proc/self/stat");
  std::getline(file, text);
  if (!text.contains(')')) return figures;
  // The second is the program's name, in brackets, and may hold anything.
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  const auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::string field;
  for (int number = kFirstField; fields >> field; ++number) {
    if (number == 3) continue;  // a letter
    const double value = std::stod(field);
    if (number == 20) figures.threads = value;
    if (number == 22) figures.start_seconds = boot_seconds() + value / tick;
    if (number == 23) figures.virtual_bytes = value;
    if (number == 24) {
      figures.resident_bytes = value * static_cast<double>(::sysconf(_SC_PAGESIZE));
      break;
    }
  }
  figures.cpu_seconds = std::chrono::duration<double>(cpu_time()).count();
  figures.open_fds = count_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    figures.max_fds = static_cast<double>(limit.rlim_cur);
  return figures;
}

}  // namespace orzatty::apps
