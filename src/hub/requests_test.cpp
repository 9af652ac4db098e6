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
    return requests.add({.id = id(number),
                         .requester = session(of),
                         .channel = ChannelEpoch(5),
                         .offset = Offset(number),
                         .until = now + lives},
                        now);
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
