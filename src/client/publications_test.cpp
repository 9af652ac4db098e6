// Publications that end before their client does.
#include "client/publications.h"

#include <gtest/gtest.h>

#include "client/client_for_test.h"

namespace orzatty::client {
namespace {

const ChannelName kChannel = ChannelName::of(1);
constexpr session::StreamKey kFirstStream{1};

using RetiredPublication = test::ClientTest;

// spec: STREAM-10
TEST_F(RetiredPublication, EndsItsStreamOnceEverythingHasItsFateAndIsGoneWhenThatIsClosed) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  append(publication, 3);

  engine_->retire(publication);
  talk();

  EXPECT_EQ(settled(Fate::kAccepted).size(), 3U);
  EXPECT_EQ(server_.ended_publications, std::vector{publication});
  EXPECT_EQ(count<PublicationEnded>(), 0U);  // the transport may still send its bytes again
  engine_->stream_closed(kFirstStream);
  drain();
  EXPECT_EQ(last<PublicationEnded>().publication, publication);
  EXPECT_EQ(last<PublicationEnded>().count, 3U);
  EXPECT_FALSE(closed_);
}

TEST_F(RetiredPublication, WithoutAnOrderWaitsForStreamsThatTheTransportMaySendAgain) {
  const PublicationId publication = engine_->publish(kChannel, {.mode = DeliveryMode::kUnordered});
  connect();
  append(publication, 1);
  engine_->retire(publication);
  talk();
  EXPECT_EQ(settled(Fate::kAccepted).size(), 1U);
  EXPECT_TRUE(server_.ended_publications.empty());
  constexpr session::StreamKey kPassingStream{2};

  engine_->stream_closed(kPassingStream);
  drain();
  talk();
  EXPECT_EQ(server_.ended_publications, std::vector{publication});
  engine_->stream_closed(kFirstStream);
  drain();

  EXPECT_EQ(count<PublicationEnded>(), 1U);
  EXPECT_FALSE(closed_);
}

TEST_F(RetiredPublication, WaitsForItsFatesOverAnyNumberOfConnections) {
  const PublicationId publication = engine_->publish(kChannel);
  server_.answering = false;
  connect();
  append(publication, 3);
  engine_->retire(publication);
  talk();
  lose();
  wait_for_retry();
  EXPECT_EQ(count<PublicationEnded>(), 0U);
  server_.answering = true;

  connect();
  engine_->stream_closed(kFirstStream);
  drain();

  EXPECT_EQ(settled(Fate::kAccepted).size(), 3U);
  EXPECT_EQ(count<PublicationEnded>(), 1U);
}

TEST_F(RetiredPublication, IsGoneAtOnceWhenNoConnectionHoldsAnythingOfIt) {
  const PublicationId publication = engine_->publish(kChannel);

  engine_->retire(publication);
  drain();

  EXPECT_EQ(count<PublicationEnded>(), 1U);
  connect();
  EXPECT_TRUE(server_.prefaces.empty());
}

TEST_F(RetiredPublication, IsGoneWhenTheConnectionThatWasToldOfItsEndIs) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  append(publication, 1);
  engine_->retire(publication);
  talk();

  lose();

  EXPECT_EQ(count<PublicationEnded>(), 1U);
}

TEST_F(RetiredPublication, MayBeAnsweredOnceMoreWithoutHarmButNotOneThatNeverWas) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  engine_->retire(publication);
  talk();
  engine_->stream_closed(kFirstStream);
  drain();
  ASSERT_EQ(count<PublicationEnded>(), 1U);

  server_.session->accepted({publication, Sequence(0), 0, {}, false}, 0, 0, now_);
  server_.session->rejected(publication, Sequence(0), Sequence(1), ErrorCode::kOverloaded, "");
  talk();
  EXPECT_FALSE(closed_);

  server_.session->accepted({PublicationId(publication.value() + 1), Sequence(0), 0, {}, false}, 0,
                            0, now_);
  talk();
  EXPECT_EQ(closed_->code, ErrorCode::kAliasUnknown);
}

TEST_F(RetiredPublication, LeavesOthersTheirIdsAndTheirFates) {
  const PublicationId first = engine_->publish(kChannel);
  const PublicationId second = engine_->publish(kChannel);
  connect();
  engine_->retire(first);
  talk();
  engine_->stream_closed(kFirstStream);
  drain();

  const PublicationId third = engine_->publish(kChannel);
  append(second, 1);
  append(third, 2);
  talk();

  EXPECT_NE(third, second);
  EXPECT_EQ(settled(Fate::kAccepted).size(), 3U);
  EXPECT_EQ(last<Settled>().publication, third);
  EXPECT_TRUE(engine_->settled());
}

}  // namespace
}  // namespace orzatty::client
