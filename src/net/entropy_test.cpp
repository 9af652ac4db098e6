#include "net/entropy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace orzatty::net {
namespace {

TEST(Entropy, FillsMoreThanOneCallOfTheKernelGives) {
  std::vector<std::byte> bytes(1024 * 1024);

  entropy(bytes);

  // A value is missing from the last 64 KiB with a probability of 256 * (255/256)^65536 < 1e-100.
  std::set<std::byte> seen(bytes.end() - 65'536, bytes.end());
  EXPECT_EQ(seen.size(), 256U);
}

TEST(Entropy, SeedsDiffer) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 1'000; ++i) seeds.insert(entropy_seed());
  EXPECT_EQ(seeds.size(), 1'000U);
}

}  // namespace
}  // namespace orzatty::net
