#include "process_figures.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "net/clock.h"

namespace orzatty::apps {
namespace {

TEST(ProcessFigures, AreThoseOfThisProcess) {
  const ProcessFigures figures = process_figures();

  EXPECT_GT(figures.resident_bytes, 1e6);
  EXPECT_GT(figures.virtual_bytes, figures.resident_bytes);
  EXPECT_GE(figures.threads, 1);
  EXPECT_GT(figures.max_fds, figures.open_fds);
  const auto now = static_cast<double>(net::unix_seconds());
  EXPECT_LE(figures.start_seconds, now + 2);
  EXPECT_GT(figures.start_seconds, now - 3600);  // no test runs so long
}

TEST(ProcessFigures, CountEveryDescriptor) {
  const double before = process_figures().open_fds;

  const int more = ::dup(0);

  EXPECT_EQ(process_figures().open_fds, before + 1);
  ::close(more);
}

}  // namespace
}  // namespace orzatty::apps
