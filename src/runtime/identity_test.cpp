#include "runtime/identity.h"

#include <gtest/gtest.h>

namespace orzatty::runtime {
namespace {

TEST(Identity, HasOneTo255Bytes) {
  EXPECT_TRUE(problem_of_identity("").has_value());
  EXPECT_FALSE(problem_of_identity("a").has_value());
  EXPECT_FALSE(problem_of_identity(std::string(255, 'a')).has_value());
  EXPECT_TRUE(problem_of_identity(std::string(256, 'a')).has_value());
}

TEST(Identity, IsUtf8) {
  EXPECT_FALSE(problem_of_identity("ä").has_value());
  EXPECT_TRUE(problem_of_identity("\xe4").has_value());
}

TEST(Identity, DoesNotLookLikeTheServer) {
  EXPECT_TRUE(problem_of_identity("$server").has_value());
  EXPECT_FALSE(problem_of_identity("server$").has_value());
}

}  // namespace
}  // namespace orzatty::runtime
