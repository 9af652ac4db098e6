#include "hub/requests.h"

#include <gtest/gtest.h>

namespace orzatty::hub {
namespace {

CorrelationId id(std::uint8_t number) {
  CorrelationId id;
  id.bytes[0] = std::byte{number};
  return id;
}

SessionId session(std::uint8_t number) {
  SessionId id;
  id.bytes[0] = std::byte{number};
  return id;
}

class RequestsTest : public testing::Test {
 protected:
  ErrorCode add(std::uint8_t number, std::uint8_t of, Duration lives = 10s) {
    return add(number, of, "somebody " + std::to_string(of), lives);
  }
  ErrorCode add(std::uint8_t number, std::uint8_t of, std::string_view identity,
                Duration lives = 10s) {
    return requests.add({.id = id(number),
                         .requester = session(of),
                         .channel = ChannelEpoch(5),
                         .offset = Offset(number),
                         .until = now + lives},
                        identity, now);
  }

  Limits limits = {.request_count_max = 2, .hub_request_count_max = 3};
  Requests requests{limits};
  Instant now{};
};

TEST_F(RequestsTest, AreFoundUntilTheyAreErased) {
  ASSERT_EQ(add(1, 1), ErrorCode::kNone);

  ASSERT_NE(requests.find(id(1), now), nullptr);
  EXPECT_EQ(requests.find(id(1), now)->requester, session(1));
  EXPECT_EQ(requests.find(id(2), now), nullptr);
  requests.erase(id(1));
  EXPECT_EQ(requests.find(id(1), now), nullptr);
}

// spec: REQUEST-4
TEST_F(RequestsTest, AreForgottenWhenTheirTimeIsOverAndNotBefore) {
  ASSERT_EQ(add(1, 1, 10s), ErrorCode::kNone);

  EXPECT_NE(requests.find(id(1), now + 10s - 1ns), nullptr);
  EXPECT_EQ(requests.find(id(1), now + 10s), nullptr);
  EXPECT_EQ(requests.size(), 0U);
}

// spec: REQUEST-3
TEST_F(RequestsTest, OfOneSessionAreBoundedAndSoAreAllOfThem) {
  ASSERT_EQ(add(1, 1), ErrorCode::kNone);
  EXPECT_EQ(add(1, 2), ErrorCode::kNotAuthorised) << "the same id";
  ASSERT_EQ(add(2, 1), ErrorCode::kNone);
  EXPECT_EQ(add(3, 1), ErrorCode::kLimitExceeded);
  ASSERT_EQ(add(3, 2, 1s), ErrorCode::kNone);
  EXPECT_EQ(add(4, 2), ErrorCode::kOverloaded);

  now += 1s;
  EXPECT_EQ(add(4, 2), ErrorCode::kNone) << "the third is over";
}

// As many as fit, each from a session of its own.
std::size_t fill(Requests& requests, std::string_view identity, std::uint8_t first) {
  std::size_t count = 0;
  const auto more = [&] {
    const auto number = static_cast<std::uint8_t>(first + count);
    return requests.add({.id = id(number),
                         .requester = session(number),
                         .channel = ChannelEpoch(5),
                         .offset = Offset(0),
                         .until = Instant{} + 10s},
                        identity, Instant{});
  };
  while (more() == ErrorCode::kNone) ++count;
  return count;
}

// spec: REQUEST-3
TEST_F(RequestsTest, OfOneIdentityAreNoMoreThanPlacesAreLeftForOthers) {
  limits.hub_request_count_max = 8;

  EXPECT_EQ(fill(requests, "greedy", 10), 4U);
  EXPECT_EQ(add(1, 10, "greedy"), ErrorCode::kLimitExceeded) << "a session that has one more";
  EXPECT_EQ(fill(requests, "too", 20), 2U);
  EXPECT_EQ(fill(requests, "modest", 30), 1U);
  EXPECT_EQ(add(2, 40, "last"), ErrorCode::kNone);
  EXPECT_EQ(add(3, 41, "later"), ErrorCode::kOverloaded);

  requests.forget(session(10));
  requests.erase(id(11));
  EXPECT_EQ(add(4, 12, "greedy"), ErrorCode::kLimitExceeded) << "two are left, and it has two";
  requests.cancel(session(12), id(12));
  EXPECT_EQ(add(5, 12, "greedy"), ErrorCode::kNone) << "three are left, and it has one";
}

TEST_F(RequestsTest, OfASessionGoWithIt) {
  ASSERT_EQ(add(1, 1), ErrorCode::kNone);
  ASSERT_EQ(add(2, 1), ErrorCode::kNone);
  ASSERT_EQ(add(3, 2), ErrorCode::kNone);

  requests.forget(session(1));

  EXPECT_EQ(requests.size(), 1U);
  EXPECT_NE(requests.find(id(3), now), nullptr);
  EXPECT_EQ(add(1, 1), ErrorCode::kNone) << "the room is there again";
}

// spec: REQUEST-7
TEST_F(RequestsTest, AreWithdrawnByTheirOwnSessionAlone) {
  ASSERT_EQ(add(1, 1), ErrorCode::kNone);

  requests.cancel(session(2), id(1));
  EXPECT_EQ(requests.size(), 1U);
  requests.cancel(session(1), id(1));
  EXPECT_EQ(requests.size(), 0U);
  requests.cancel(session(1), id(1));
}

}  // namespace
}  // namespace orzatty::hub
