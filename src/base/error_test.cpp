#include "orzatty/error.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "orzatty/message.h"

namespace orzatty {
namespace {

struct Row {
  std::uint32_t number = 0;
  std::string name;
  std::string advice;
};

// The registry as the specification has it: | number | name | when | whose fault | what to do |
std::vector<Row> registry() {
  std::ifstream in(std::string(ORZATTY_SOURCE_DIR) + "/spec/protocol.md");
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| 0x")) continue;
    std::vector<std::string> cells;
    for (std::size_t from = 2; from < line.size();) {
      const std::size_t bar = line.find(" |", from);
      if (bar == std::string::npos) break;
      cells.push_back(line.substr(from, bar - from));
      from = bar + 3;
    }
    if (cells.size() != 5) continue;  // another table
    rows.push_back(
        {static_cast<std::uint32_t>(std::stoul(cells[0], nullptr, 16)), cells[1], cells[4]});
  }
  return rows;
}

TEST(ErrorCode, EveryRowOfTheRegistryHasItsNameAndAdvice) {
  const std::vector<Row> rows = registry();

  ASSERT_EQ(rows.size(), 34U);
  for (const Row& row : rows) {
    EXPECT_EQ(name(static_cast<ErrorCode>(row.number)), row.name);
    EXPECT_EQ(advice(static_cast<ErrorCode>(row.number)), row.advice) << row.name;
  }
}

TEST(ErrorCode, NoNumberOutsideTheRegistryHasAName) {
  std::set<std::uint32_t> known;
  for (const Row& row : registry()) known.insert(row.number);

  for (std::uint32_t number = 0; number < 0x200; ++number) {
    EXPECT_EQ(name(static_cast<ErrorCode>(number)) == "UNKNOWN", !known.contains(number)) << number;
  }
}

// spec: ERROR-1
TEST(ErrorCode, ACodeOfALaterVersionIsUnknownButStillAnswered) {
  const auto code = static_cast<ErrorCode>(0xffffffff);

  EXPECT_EQ(name(code), "UNKNOWN");
  EXPECT_FALSE(advice(code).empty());
}

TEST(GapReason, EachHasANameAndALaterOneIsUnknown) {
  EXPECT_EQ(name(GapReason::kRetention), "retention");
  EXPECT_EQ(name(GapReason::kSlow), "slow");
  EXPECT_EQ(name(GapReason::kSuperseded), "superseded");
  EXPECT_EQ(name(GapReason::kExpired), "expired");
  EXPECT_EQ(name(GapReason::kRefused), "refused");
  EXPECT_EQ(name(GapReason::kLost), "lost");
  EXPECT_EQ(name(static_cast<GapReason>(6)), "unknown");
}

}  // namespace
}  // namespace orzatty
