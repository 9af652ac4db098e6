// Requests and replies over connections that break, with whole clients and a whole server.
#include <gtest/gtest.h>

#include "link/client_link.h"
#include "link/world_for_test.h"

namespace orzatty::link::test {
namespace {

const CorrelationId kId{.bytes = {std::byte{7}}};

void send(World& world, Client& client, PublicationId publication, std::string_view text,
          const MessageAttributes& attributes) {
  session::Outbox& outbox = client.engine().outbox(publication);
  ASSERT_TRUE(outbox.append(MessageType::kRaw, bytes_of(text), attributes, world.now));
  client.engine().wake(publication);
}

// spec: REQUEST-5
TEST(RequestOverBrokenConnections, IsAnsweredOnceThoughBothSidesLostTheirsInBetween) {
  World world;
  Client& alice = world.client("alice");
  Client& bob = world.client("bob");
  bob.subscribe("time");
  const PublicationId asked = alice.engine().publish(channel("time"));
  const PublicationId replies = bob.engine().publish(channel("$reply"));
  ASSERT_TRUE(world.run_until([&] { return bob.ready == 1 && !alice.connected.empty(); }));
  ASSERT_TRUE(alice.engine().await_reply({kId, asked, Sequence(0), world.now + 30s}));
  send(world, alice, asked, "what time is it?",
       {.time_to_live = 30s, .correlation = kId, .wants_reply = true});
  ASSERT_TRUE(world.run_until([&] { return bob.seen.size() == 1; }));

  world.drop_connection(alice);
  world.drop_connection(bob);
  send(world, bob, replies, "noon", {.correlation = kId});
  ASSERT_TRUE(world.run_until([&] { return alice.seen_direct.size() == 1; }, 20s));

  EXPECT_EQ(alice.seen_direct[0].text, "noon");
  EXPECT_EQ(alice.seen_direct[0].channel, "$reply");
  EXPECT_TRUE(alice.connected.back().resumed);
  EXPECT_TRUE(alice.engine().take_reply(kId));
  ASSERT_TRUE(world.run_until([&] { return bob.settled(); }, 20s));
  EXPECT_EQ(bob.fates.back().fate, Fate::kAccepted);
}

}  // namespace
}  // namespace orzatty::link::test
