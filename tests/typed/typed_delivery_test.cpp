#include <gtest/gtest.h>

#include <future>

#include "game_typed.h"
#include "market_typed.h"
#include "orzatty/typed.h"
#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;

TEST(TypedDelivery, WhatAPublisherBuiltIsReadByASubscriberAndWhatIsNoneOfItIsToldSo) {
  Served served;
  auto client = served.connect();
  ASSERT_TRUE(client);
  std::vector<std::string> read;
  std::promise<void> done;
  const auto subscription = client->subscribe("quotes", [&](const Message& message) {
    const auto level = as<market::Level>(message);
    read.push_back(level ? std::to_string((*level)->price()) : std::string(name(level.error())));
    if (read.size() == 3) done.set_value();
  });
  ASSERT_TRUE(subscription);

  ASSERT_TRUE(client->send("quotes", typed(market::Level(17.5, 100))));
  ASSERT_TRUE(client->send("quotes", typed(game::PlayerUpdate())));
  ASSERT_TRUE(client->send("quotes", "17.5"));

  ASSERT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(read, (std::vector<std::string>{"17.500000", "of another schema", "not a typed message"}));
}

}  // namespace
}  // namespace orzatty
