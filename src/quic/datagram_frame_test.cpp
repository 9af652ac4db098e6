// DATAGRAM frames on established connections: what arrives, what is lost, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quic/two_ends.h"

namespace orzatty::quic::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Pair {
  explicit Pair(const ConnectionConfig& server = {}, const ConnectionConfig& client = {})
      : world({.server = {.connection = server}}, server_credentials(self_signed())),
        client_end(world.connect(client, trusting_anyone())) {
    EXPECT_TRUE(world.run_until([&] {
      return client_end.has<HandshakeCompleted>() && server_end().has<HandshakeCompleted>();
    }));
    world.run_for(1s);
  }
  End& server_end() { return world.server(); }

  World world;
  End& client_end;
};

template <class Kind>
std::vector<std::uint64_t> tags_of(const End& end) {
  std::vector<std::uint64_t> tags;
  for (const Kind& event : end.happened<Kind>()) tags.push_back(event.tag);
  return tags;
}

// spec: TRANSPORT-7
TEST(DatagramFrame, ArrivesEachWayAndIsAcknowledgedByItsTag) {
  Pair pair;

  pair.client_end.send_datagram(7, "there");
  pair.server_end().send_datagram(9, "back");
  pair.world.run_for(1s);

  EXPECT_THAT(pair.server_end().datagrams, ElementsAre("there"));
  EXPECT_THAT(pair.client_end.datagrams, ElementsAre("back"));
  EXPECT_THAT(tags_of<DatagramFrameAcked>(pair.client_end), ElementsAre(7));
  EXPECT_THAT(tags_of<DatagramFrameAcked>(pair.server_end()), ElementsAre(9));
}

TEST(DatagramFrame, SeveralShareAPacketAndLeaveInOrder) {
  Pair pair;
  const std::size_t packets = pair.client_end.packet_sizes.size();

  for (std::uint64_t tag = 0; tag < 4; ++tag) {
    pair.client_end.send_datagram(tag, std::string(200, static_cast<char>('a' + tag)));
  }
  pair.world.pump();

  EXPECT_EQ(pair.client_end.packet_sizes.size(), packets + 1);
  pair.world.run_for(1s);
  EXPECT_THAT(pair.server_end().datagrams,
              ElementsAre(std::string(200, 'a'), std::string(200, 'b'), std::string(200, 'c'),
                          std::string(200, 'd')));
}

TEST(DatagramFrame, ThatIsLostIsToldSoAndNotSentAgain) {
  Pair pair;

  pair.world.link.loss = 1;
  pair.client_end.send_datagram(1, "lost");
  pair.world.pump();
  pair.world.link.loss = 0;
  pair.client_end.send_datagram(2, "arrives");
  pair.world.run_for(5s);

  EXPECT_THAT(pair.server_end().datagrams, ElementsAre("arrives"));
  EXPECT_THAT(tags_of<DatagramFrameLost>(pair.client_end), ElementsAre(1));
  EXPECT_THAT(tags_of<DatagramFrameAcked>(pair.client_end), ElementsAre(2));
}

TEST(DatagramFrame, ToAPeerThatTakesNoneIsRefusedAndEndsNothing) {
  Pair pair(ConnectionConfig{.datagram_frame_size_max = 0});

  pair.client_end.send_datagram(1, "nobody takes it");
  pair.world.run_for(1s);

  EXPECT_THAT(pair.client_end.refused_datagrams, ElementsAre(1));
  EXPECT_FALSE(pair.client_end.has<Closed>());
}

TEST(DatagramFrame, AboveWhatThePeerTakesIsRefused) {
  Pair pair(ConnectionConfig{.datagram_frame_size_max = 103});  // type, length of 2, and 100 bytes

  pair.client_end.send_datagram(1, std::string(100, 'x'));
  pair.client_end.send_datagram(2, std::string(101, 'x'));
  pair.world.run_for(1s);

  EXPECT_THAT(pair.client_end.refused_datagrams, ElementsAre(2));
  EXPECT_THAT(pair.server_end().datagrams, ElementsAre(std::string(100, 'x')));
}

}  // namespace
}  // namespace orzatty::quic::test
