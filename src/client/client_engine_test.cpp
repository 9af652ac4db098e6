#include "client/client_engine.h"

#include <gtest/gtest.h>

#include <numeric>

#include "client/backoff.h"
#include "client/client_for_test.h"
#include "orzatty/version.h"

namespace orzatty::client {
namespace {

using session::test::frame;
using session::test::joined;
using std::chrono::milliseconds;
using std::chrono::seconds;

const ChannelName kChannel = ChannelName::of(1);
constexpr ChannelEpoch kEpoch{11};

std::vector<std::uint64_t> numbers(std::uint64_t count) {
  std::vector<std::uint64_t> all(count);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

Bytes alias(std::uint64_t next, ChannelEpoch epoch = kEpoch) {
  return frame(wire::Alias{ChannelAlias(0), epoch, Offset(next), kChannel, {}});
}
Bytes producer() { return frame(wire::Producer{ProducerAlias(0), {}, "bob"}); }
Bytes run(std::uint64_t first, std::initializer_list<std::string_view> payloads) {
  Bytes frames;
  for (const std::string_view payload : payloads) {
    frames = joined({frames, session::test::message(payload)});
  }
  return joined(
      {frame(wire::Run{ChannelAlias(0), ProducerAlias(0), first, frames.size(), 42}), frames});
}
Bytes gap(std::uint64_t from, std::uint64_t to) {
  return frame(wire::GapMark{ChannelAlias(0), Offset(from), Offset(to), GapReason::kSlow});
}

class ClientEngineTest : public test::ClientTest {
 protected:
  SubscriptionId subscribe() {
    return engine_->subscribe(ChannelPattern::exactly(kChannel), StartPosition::live());
  }
};

// ---- Connecting.

TEST_F(ClientEngineTest, WantsATransportFirstAndSaysHelloOnIt) {
  drain();
  ASSERT_EQ(outputs_.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<ConnectWanted>(outputs_[0]));
  EXPECT_FALSE(engine_->has_transport());
  EXPECT_EQ(engine_->next_timeout(), std::nullopt);

  connect();
  EXPECT_TRUE(engine_->connected());
  EXPECT_EQ(last<Connected>().identity, "alice");
  EXPECT_FALSE(last<Connected>().again);
}

// spec: STREAM-9
TEST_F(ClientEngineTest, KeepsToTheSmallerOfBothNumbersOfPublications) {
  EXPECT_EQ(engine_->publication_count_max(), limits_.publication_count_max);
  server_.welcoming = false;
  connect();
  Limits other;
  other.publication_count_max = 2;
  server_.session->welcome(session::test::welcome(other), now_);
  talk();
  EXPECT_EQ(engine_->publication_count_max(), 2U);

  lose();
  wait_for_retry();
  connect();
  other.publication_count_max = 2 * limits_.publication_count_max;
  server_.session->welcome(session::test::welcome(other), now_);
  talk();
  EXPECT_EQ(engine_->publication_count_max(), limits_.publication_count_max);
}

TEST_F(ClientEngineTest, KeepsToTheSmallerOfBothMessageSizes) {
  EXPECT_EQ(engine_->message_size_max(), limits_.message_size_max);
  server_.welcoming = false;
  connect();
  Limits small;
  small.message_size_max = 1000;
  server_.session->welcome(session::test::welcome(small), now_);
  talk();
  EXPECT_EQ(engine_->message_size_max(), 1000U);
}

// spec: SESSION-4
TEST_F(ClientEngineTest, RefusesAVersionThatItDidNotOffer) {
  server_.welcoming = false;
  connect();
  wire::Welcome welcome = session::test::welcome(limits_);
  welcome.version = kProtocolVersion + 1;
  server_.session->welcome(welcome, now_);
  talk();
  EXPECT_EQ(closed_->code, ErrorCode::kVersionUnsupported);
  lose(closed_->code);
  EXPECT_FALSE(gone_->retrying);
}

// spec: RESUME-7
TEST_F(ClientEngineTest, RefusesAWelcomeToASessionThatItDidNotAskFor) {
  server_.welcoming = false;
  connect();
  wire::Welcome welcome = session::test::welcome(limits_);
  welcome.resumed = true;
  server_.session->welcome(welcome, now_);

  talk();

  ASSERT_TRUE(closed_);
  EXPECT_EQ(closed_->code, ErrorCode::kFrameUnexpected);
}

TEST_F(ClientEngineTest, TriesAgainEverLaterWhileNobodyAnswers) {
  drain();
  Duration bound = Backoff::kFirst;
  for (int i = 0; i < 10; ++i) {
    lose();
    EXPECT_TRUE(gone_->retrying);
    const Duration waited = wait_for_retry();
    EXPECT_GE(waited, bound / 2);
    EXPECT_LE(waited, bound);
    bound = std::min(2 * bound, limits_.reconnect_delay_max);
  }
}

TEST_F(ClientEngineTest, ComesBackFastToAServerThatItKnewForAWhile) {
  for (int i = 0; i < 3; ++i) {
    connect();
    now_ += limits_.reconnect_delay_max;
    lose();
    EXPECT_LE(wait_for_retry(), Backoff::kFirst);
  }
  EXPECT_TRUE(last<Connected>().again);
  EXPECT_EQ(count<Connected>(), 3U);
}

TEST_F(ClientEngineTest, DoesNotHurryBackToAServerThatWelcomesAndCloses) {
  Duration waited{};
  for (int i = 0; i < 8; ++i) {
    connect();
    lose(ErrorCode::kInternal);
    waited = wait_for_retry();
  }
  EXPECT_GE(waited, limits_.reconnect_delay_max / 2);
}

TEST_F(ClientEngineTest, EndsForGoodWhenItIsRefused) {
  for (const ErrorCode code :
       {ErrorCode::kAuthenticationFailed, ErrorCode::kVersionUnsupported, ErrorCode::kNotAuthorised,
        ErrorCode::kFenced, ErrorCode::kFrameTooLarge, ErrorCode::kClosedByUser}) {
    SCOPED_TRACE(name(code));
    engine_ = std::make_unique<ClientEngine>(config_, 5, now_);
    outputs_.clear();
    settled_.clear();
    const PublicationId publication = engine_->publish(kChannel);
    append(publication, 3);
    up();
    server_.refusal = code;
    talk();
    EXPECT_EQ(server_.closed->code, code);
    lose(code);

    EXPECT_FALSE(gone_->retrying);
    EXPECT_EQ(gone_->code, code);
    EXPECT_EQ(settled(Fate::kUnknown), numbers(3));
    EXPECT_TRUE(engine_->settled());
    EXPECT_EQ(engine_->next_timeout(), std::nullopt);
  }
}

TEST_F(ClientEngineTest, EndsForGoodWhenItsDriverSaysSo) {
  drain();
  lose(ErrorCode::kPeerSilent, true);
  EXPECT_FALSE(gone_->retrying);
}

TEST_F(ClientEngineTest, TellsAtOnceWhatIsAppendedBehindTheEnd) {
  const PublicationId publication = engine_->publish(kChannel);
  lose(ErrorCode::kFenced);
  append(publication, 2);
  drain();
  EXPECT_EQ(settled(Fate::kUnknown), numbers(2));
}

// spec: SESSION-10
TEST_F(ClientEngineTest, TellsThatTheServerDrainsAndComesBack) {
  connect();
  server_.session->drain(seconds(1), "update");
  talk();
  EXPECT_EQ(last<Draining>().text, "update");
  EXPECT_TRUE(engine_->connected());
  lose(ErrorCode::kDraining);
  EXPECT_TRUE(gone_->retrying);
}

// spec: SESSION-9
TEST_F(ClientEngineTest, GivesUpASilentServer) {
  connect();
  const Instant start = now_;
  while (!closed_) {
    now_ = *engine_->next_timeout();
    engine_->handle_timeout(now_);
    drain();
  }
  EXPECT_EQ(closed_->code, ErrorCode::kPeerSilent);
  EXPECT_LE(now_ - start, limits_.dead_after);
}

TEST_F(ClientEngineTest, CountsAPingAsAnsweredWhenItsConnectionIsGone) {
  connect();
  const std::uint64_t first = engine_->ping();
  EXPECT_LT(engine_->pongs(), first);
  talk();
  EXPECT_EQ(engine_->pongs(), first);
  const std::uint64_t second = engine_->ping();
  lose();
  EXPECT_EQ(engine_->pongs(), second);
  EXPECT_GE(engine_->pongs(), engine_->ping());
  connect();
  const std::uint64_t third = engine_->ping();
  EXPECT_LT(engine_->pongs(), third);
  talk();
  EXPECT_EQ(engine_->pongs(), third);
}

// ---- Publishing.

// spec: PUBLISH-1
TEST_F(ClientEngineTest, SendsWhatWasAppendedBeforeAndAfterItWasWelcomed) {
  const PublicationId publication = engine_->publish(kChannel);
  append(publication, 10);
  connect();
  append(publication, 10);
  EXPECT_FALSE(engine_->settled());
  talk();

  EXPECT_EQ(server_.log.size(), 20U);
  EXPECT_EQ(settled(Fate::kAccepted), numbers(20));
  EXPECT_TRUE(engine_->settled());
  EXPECT_EQ(server_.prefaces.at(0).channel, kChannel);
}

TEST_F(ClientEngineTest, GivesEachPublicationAProducerOfItsOwn) {
  connect();
  std::set<ProducerId> producers;
  for (int i = 0; i < 300; ++i) static_cast<void>(engine_->publish(kChannel));
  talk();
  for (const wire::Publish& preface : server_.prefaces) producers.insert(preface.producer);
  EXPECT_EQ(producers.size(), 300U);
}

// spec: PUBLISH-5
TEST_F(ClientEngineTest, TellsRejectionsBetweenWhatWasAcceptedInOrder) {
  server_.rejected = {3, 4, 9};
  const PublicationId publication = engine_->publish(kChannel);
  append(publication, 10);
  connect();

  EXPECT_EQ(settled(Fate::kRejected), (std::vector<std::uint64_t>{3, 4, 9}));
  EXPECT_EQ(settled(Fate::kAccepted), (std::vector<std::uint64_t>{0, 1, 2, 5, 6, 7, 8}));
  Sequence next;
  for (const Settled& settled : settled_) {
    EXPECT_EQ(settled.from, next);
    next = settled.to;
  }
  EXPECT_EQ(settled_.back().code, ErrorCode::kRateLimited);
  EXPECT_EQ(settled_.back().text, "slow down");
}

TEST_F(ClientEngineTest, LosesAndRepeatsNothingOverManyConnections) {
  const PublicationId publication = engine_->publish(kChannel);
  server_.rejected = {17, 400};
  for (int i = 0; i < 40; ++i) {
    connect();
    server_.answering = i % 3 != 0;  // sometimes the answers are lost with the connection
    append(publication, 50);
    talk();
    lose();
    append(publication, 5);
  }
  server_.answering = true;
  connect();

  ASSERT_EQ(server_.log.size(), 40U * 55 - 2);
  std::uint64_t expected = 0;
  for (const std::string& text : server_.log) {
    while (server_.rejected.contains(expected)) ++expected;
    EXPECT_EQ(text, std::to_string(expected++));
  }
  EXPECT_GT(server_.duplicates, 0U);
  std::vector<std::uint64_t> all = settled(Fate::kAccepted);
  EXPECT_EQ(all.size(), server_.log.size());
  EXPECT_EQ(settled(Fate::kRejected), (std::vector<std::uint64_t>{17, 400}));
  for (const Settled& settled : settled_) {
    for (Sequence i = settled.from; settled.fate == Fate::kAccepted && i < settled.to; i += 1) {
      const Offset offset = settled.first_offset.value() + (i - settled.from);
      EXPECT_EQ(server_.log.at(offset.value()), std::to_string(i.value()));
    }
  }
}

// spec: DEADLINE-1
TEST_F(ClientEngineTest, TellsAtItsTimeWhatExpiredWhileThereWasNoConnection) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  append(publication, 2);
  talk();
  lose();
  const Instant start = now_;
  append_timed(publication, 3, milliseconds(7));

  while (settled(Fate::kExpired).empty() && now_ < start + seconds(1)) {
    ASSERT_TRUE(engine_->next_timeout());
    now_ = std::max(now_, *engine_->next_timeout());
    engine_->handle_timeout(now_);
    drain();
  }

  EXPECT_EQ(now_, start + milliseconds(7));
  EXPECT_EQ(settled(Fate::kExpired), (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(last<Settled>().code, ErrorCode::kExpired);
  EXPECT_TRUE(engine_->settled());
  wait_for_retry();
  connect();
  append(publication, 1);
  talk();
  ASSERT_EQ(server_.skips.size(), 1U);
  EXPECT_EQ(server_.skips[0].to, Sequence(5));
  EXPECT_EQ(settled(Fate::kAccepted), (std::vector<std::uint64_t>{0, 1, 5}));
  EXPECT_FALSE(closed_);
}

// spec: DEADLINE-1, PUBLISH-8
TEST_F(ClientEngineTest, SendsInTimeWhatHasTheTimeAndKnowsTheFateOfEachAcrossConnections) {
  const PublicationId publication = engine_->publish(kChannel);
  for (int round = 0; round < 20; ++round) {
    append_timed(publication, 3, milliseconds(5));
    if (round % 3 != 0) now_ += milliseconds(6);
    if (round % 4 == 0) append(publication, 2);
    connect();
    append_timed(publication, 2, milliseconds(5));
    talk();
    lose();
    wait_for_retry();
  }
  connect();

  std::vector<std::uint64_t> all = settled(Fate::kAccepted);
  const std::size_t accepted = all.size();
  const std::vector<std::uint64_t> expired = settled(Fate::kExpired);
  all.insert(all.end(), expired.begin(), expired.end());
  std::ranges::sort(all);
  EXPECT_EQ(all, numbers(20 * 5 + 5 * 2));
  EXPECT_EQ(server_.log.size(), accepted);
  EXPECT_FALSE(expired.empty());
  EXPECT_FALSE(closed_);
}

TEST_F(ClientEngineTest, SendsNothingAgainThatWasAcknowledged) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  append(publication, 100);
  talk();
  server_.answering = false;
  append(publication, 7);
  talk();
  lose();
  server_.answering = true;
  connect();

  EXPECT_EQ(server_.duplicates, 7U);
  EXPECT_EQ(server_.prefaces.back().next, Sequence(100));
}

TEST_F(ClientEngineTest, ClosesAServerThatAcknowledgesWhatWasNotSent) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  server_.session->accepted({publication, Sequence(0), 1, Offset(0), false}, 0, 0, now_);
  talk();
  EXPECT_EQ(closed_->code, ErrorCode::kSequenceInvalid);
}

TEST_F(ClientEngineTest, ClosesAServerThatAcknowledgesAPublicationThatIsNot) {
  connect();
  server_.session->accepted({PublicationId(9), Sequence(0), 1, Offset(0), false}, 0, 0, now_);
  talk();
  EXPECT_EQ(closed_->code, ErrorCode::kAliasUnknown);
}

TEST_F(ClientEngineTest, ComesBackWhenThePublicationsStreamWasStopped) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  append(publication, 1);
  talk();
  engine_->stream_closed(session::StreamKey(1));
  drain();
  EXPECT_EQ(closed_->code, ErrorCode::kStreamUnexpected);
}

TEST_F(ClientEngineTest, LetsLittleWaitForASlowPathAndEverythingWhileThereIsNone) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  const Bytes payload(998);
  const auto append_all = [&] {
    std::uint64_t count = 0;
    while (engine_->outbox(publication).append(MessageType::kRaw, payload)) ++count;
    return count;
  };
  ASSERT_TRUE(engine_->outbox(publication).append(MessageType::kRaw, payload));
  engine_->wake(publication);
  for (int i = 0; i < 100; ++i) {
    now_ += milliseconds(1);
    engine_->acked(session::StreamKey(1), 0, milliseconds(5), now_);  // something waits all along
  }

  EXPECT_NEAR(static_cast<double>(append_all()), 64.0 * 1024 / 1001, 2);
  lose();
  EXPECT_NEAR(static_cast<double>(append_all()), (limits_.outbox_size - 64.0 * 1024) / 1001, 3);
}

// ---- Subscribing.

// spec: SUBSCRIBE-2, SUBSCRIBE-3
TEST_F(ClientEngineTest, DeliversMessagesWithTheirChannelAndPublisherAndGapsBetweenThem) {
  const SubscriptionId subscription = subscribe();
  connect();
  EXPECT_EQ(last<SubscriptionReady>().subscription, subscription);
  server_.deliver(subscription,
                  {alias(10), producer(), run(10, {"a", "b"}), gap(12, 20), run(20, {"c"})});
  talk();

  EXPECT_EQ(delivered_, (std::vector<std::string>{"1/bob/a", "1/bob/b", "1/bob/c"}));
  EXPECT_EQ(last<Missed>().gap, (Gap{Offset(12), Offset(20), GapReason::kSlow}));
  EXPECT_EQ(last<Missed>().channel, "1");
  EXPECT_EQ(last<Delivered>().first, Offset(20));
}

// spec: SUBSCRIBE-4
TEST_F(ClientEngineTest, GoesOnAtItsPositionAfterAReconnect) {
  const SubscriptionId subscription = subscribe();
  connect();
  server_.deliver(subscription, {alias(10), producer(), run(10, {"a", "b"})});
  talk();
  lose();
  connect();

  ASSERT_EQ(server_.subscribes.size(), 2U);
  ASSERT_EQ(server_.subscribes[1].positions.size(), 1U);
  EXPECT_EQ(server_.subscribes[1].positions[0],
            (wire::SubscribePosition{kChannel, kEpoch, Offset(12)}));
  server_.deliver(subscription, {alias(12), producer(), gap(12, 15), run(15, {"c"})});
  talk();
  EXPECT_EQ(delivered_, (std::vector<std::string>{"1/bob/a", "1/bob/b", "1/bob/c"}));
  EXPECT_EQ(last<Missed>().gap.to, Offset(15));
  EXPECT_EQ(count<SubscriptionReady>(), 1U);
  EXPECT_EQ(count<ChannelReset>(), 0U);
}

// Or it could not come back to where it began, and what was published meanwhile would be missing
// without a gap. spec: SUBSCRIBE-1, SUBSCRIBE-2
TEST_F(ClientEngineTest, CallsASubscriptionReadyOnceItKnowsWhereItBeginsInEachChannel) {
  const SubscriptionId subscription =
      engine_->subscribe(*ChannelPattern::parse("1"), StartPosition::live());
  server_.channel_count = 1;
  connect();
  EXPECT_EQ(count<SubscriptionReady>(), 0U);

  lose();
  wait_for_retry();
  connect();
  EXPECT_EQ(server_.subscribes.back().start, StartPosition::live());
  EXPECT_EQ(count<SubscriptionReady>(), 0U);
  server_.deliver(subscription, {alias(10)});
  talk();
  EXPECT_EQ(count<SubscriptionReady>(), 1U);

  lose();
  wait_for_retry();
  connect();
  ASSERT_EQ(server_.subscribes.back().positions.size(), 1U);
  EXPECT_EQ(server_.subscribes.back().positions[0].next, Offset(10));
  server_.deliver(subscription, {alias(10)});
  talk();
  EXPECT_EQ(count<SubscriptionReady>(), 1U) << "once";
}

TEST_F(ClientEngineTest, ASubscriptionThatWasReadyWithoutChannelsSeesThoseThatCameMeanwhile) {
  static_cast<void>(engine_->subscribe(*ChannelPattern::parse("a.*"), StartPosition::live()));
  connect();
  ASSERT_EQ(count<SubscriptionReady>(), 1U);

  lose();
  wait_for_retry();
  connect();

  EXPECT_EQ(server_.subscribes.back().start, StartPosition::at(Offset(0)));
}

TEST_F(ClientEngineTest, TellsWhenAChannelBeganANewLife) {
  const SubscriptionId subscription = subscribe();
  connect();
  server_.deliver(subscription, {alias(10), producer(), run(10, {"a"})});
  talk();
  lose();
  connect();
  server_.deliver(subscription, {alias(0, ChannelEpoch(12)), producer(), run(0, {"b"})});
  talk();

  EXPECT_EQ(last<ChannelReset>().channel, "1");
  EXPECT_EQ(delivered_, (std::vector<std::string>{"1/bob/a", "1/bob/b"}));
}

// spec: SUBSCRIBE-3, SUBSCRIBE-4
TEST_F(ClientEngineTest, ClosesAServerThatDeliversTwiceOrLeavesOut) {
  for (const std::uint64_t next : {10U, 12U}) {
    closed_.reset();
    engine_ = std::make_unique<ClientEngine>(config_, 5, now_);
    const SubscriptionId subscription = subscribe();
    connect();
    server_.deliver(subscription, {alias(10), producer(), run(10, {"a"})});
    talk();
    lose();
    connect();
    server_.deliver(subscription, {alias(next), producer(), run(next, {"again"})});
    talk();
    ASSERT_TRUE(closed_);
    EXPECT_EQ(closed_->code, ErrorCode::kSequenceInvalid);
  }
}

// spec: STREAM-6
TEST_F(ClientEngineTest, ClosesAServerThatDeliversToASubscriptionThatIsNot) {
  connect();
  server_.deliver(SubscriptionId(7), {alias(0)});
  talk();
  EXPECT_EQ(closed_->code, ErrorCode::kAliasUnknown);
}

TEST_F(ClientEngineTest, HearsNoMoreOfASubscriptionThatItEnded) {
  const SubscriptionId subscription = subscribe();
  connect();
  server_.deliver(subscription, {alias(0), producer(), run(0, {"a"})});
  talk();
  engine_->unsubscribe(subscription);
  server_.deliver(subscription, {run(1, {"b"})});  // on its way already
  talk();
  EXPECT_EQ(server_.unsubscribes, std::vector{subscription});
  server_.session->ended(subscription, ErrorCode::kNone, "");
  talk();
  server_.deliver(subscription, {run(2, {"c"})});  // slower than the word of its end
  talk();

  EXPECT_EQ(delivered_, std::vector<std::string>{"1/bob/a"});
  EXPECT_EQ(last<SubscriptionEnded>().code, ErrorCode::kNone);
  EXPECT_FALSE(closed_);
  lose();
  connect();
  EXPECT_EQ(server_.subscribes.size(), 1U);
}

TEST_F(ClientEngineTest, EndsASubscriptionAtOnceWhileItIsNotConnected) {
  const SubscriptionId subscription = subscribe();
  engine_->unsubscribe(subscription);
  drain();
  EXPECT_EQ(last<SubscriptionEnded>().subscription, subscription);
  connect();
  EXPECT_TRUE(server_.subscribes.empty());
}

TEST_F(ClientEngineTest, EndsASubscriptionWhoseEndWasLostWithItsConnection) {
  const SubscriptionId subscription = subscribe();
  connect();
  engine_->unsubscribe(subscription);
  EXPECT_EQ(count<SubscriptionEnded>(), 0U);
  lose();
  EXPECT_EQ(last<SubscriptionEnded>().subscription, subscription);
}

TEST_F(ClientEngineTest, TellsWhyTheServerEndedASubscription) {
  const SubscriptionId subscription = subscribe();
  connect();
  server_.session->ended(subscription, ErrorCode::kSlowSubscriber, "too slow");
  talk();
  EXPECT_EQ(last<SubscriptionEnded>().code, ErrorCode::kSlowSubscriber);
  EXPECT_EQ(last<SubscriptionEnded>().text, "too slow");
}

// spec: CREDIT-2
TEST_F(ClientEngineTest, GivesCreditBackOnceTheApplicationPolledPastAMessage) {
  const SubscriptionId subscription = subscribe();
  connect();
  engine_->credits().clear();
  const Bytes delivery =
      joined({frame(wire::Deliver{subscription}), alias(0), producer(), run(0, {"a"})});
  engine_->handle_stream(session::RemoteStream(3), delivery, session::Fin::kNo, now_);
  const auto output = engine_->poll(now_);
  ASSERT_TRUE(output && std::holds_alternative<Delivered>(*output));
  const auto credit = [&] {
    std::uint64_t sum = 0;
    for (const session::Credit& returned : engine_->credits()) sum += returned.size;
    return sum;
  };
  EXPECT_EQ(credit(), 0U);
  EXPECT_FALSE(engine_->poll(now_));
  EXPECT_EQ(credit(), delivery.size());
  now_ += milliseconds(25);
  talk();
  EXPECT_EQ(server_.consumed, 1U);
}

TEST_F(ClientEngineTest, DeliversMessagesThatAreForItAlone) {
  connect();
  auto& sends = server_.session->core().sends();
  const session::StreamKey stream = sends.add();
  const Bytes message = session::test::message("for you");
  server_.write(stream, joined({frame(wire::Direct{ChannelName::of(9)}),
                                frame(wire::Run{{}, {}, 5, message.size(), 0}), message}));
  sends.wake(stream);
  talk();
  EXPECT_EQ(last<DeliveredDirect>().first, Offset(5));
  EXPECT_EQ(last<DeliveredDirect>().count, 1U);
}

// ---- Closing.

// spec: SESSION-11
TEST_F(ClientEngineTest, SaysCloseBeforeItClosesTheTransport) {
  connect();
  engine_->close(ClientEngine::Ending::kNow, now_);
  drain();
  EXPECT_FALSE(closed_);  // the goodbye is in no packet yet
  talk_now();
  EXPECT_TRUE(server_.ended);
  EXPECT_TRUE(closed_);
  lose(closed_->code);
  EXPECT_FALSE(gone_->retrying);
  EXPECT_EQ(engine_->next_timeout(), std::nullopt);
}

TEST_F(ClientEngineTest, ClosesTheTransportWhenItsGoodbyeFindsNoPacket) {
  connect();
  engine_->close(ClientEngine::Ending::kNow, now_);
  drain();
  now_ += milliseconds(249);
  engine_->handle_timeout(now_);
  drain();
  EXPECT_FALSE(closed_);
  now_ += milliseconds(1);
  EXPECT_EQ(engine_->next_timeout(), now_);
  engine_->handle_timeout(now_);
  drain();
  EXPECT_TRUE(closed_);
}

TEST_F(ClientEngineTest, ClosesWhenEverythingIsSettledIfItMayTakeItsTime) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  append(publication, 100);
  engine_->close(ClientEngine::Ending::kWhenSettled, now_);
  talk_now();
  EXPECT_FALSE(closed_);
  talk();
  EXPECT_EQ(settled(Fate::kAccepted), numbers(100));
  EXPECT_TRUE(server_.ended && closed_);
  lose(closed_->code);
  EXPECT_TRUE(settled(Fate::kUnknown).empty());
}

TEST_F(ClientEngineTest, TellsThatFatesAreUnknownWhenItClosesAtOnce) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  server_.answering = false;
  append(publication, 100);
  talk();
  engine_->close(ClientEngine::Ending::kNow, now_);
  talk();
  lose(closed_->code);
  EXPECT_EQ(settled(Fate::kUnknown), numbers(100));
}

TEST_F(ClientEngineTest, DoesNotTryAgainWhenTheConnectionIsLostWhileItCloses) {
  const PublicationId publication = engine_->publish(kChannel);
  connect();
  server_.answering = false;
  append(publication, 5);
  engine_->close(ClientEngine::Ending::kWhenSettled, now_);
  talk();
  lose();
  EXPECT_FALSE(gone_->retrying);
  EXPECT_EQ(settled(Fate::kUnknown), numbers(5));
}

TEST_F(ClientEngineTest, EndsAtOnceWhenItIsClosedWhileItWaitsToTryAgain) {
  drain();
  lose();
  engine_->close(ClientEngine::Ending::kWhenSettled, now_);
  drain();
  EXPECT_FALSE(gone_->retrying);
  EXPECT_FALSE(closed_);
  EXPECT_EQ(engine_->next_timeout(), std::nullopt);
}

TEST_F(ClientEngineTest, ClosesATransportThatComesUpBehindTheEnd) {
  drain();
  engine_->close(ClientEngine::Ending::kNow, now_);
  drain();
  EXPECT_TRUE(closed_);  // the one that is being opened
  EXPECT_FALSE(gone_->retrying);
  closed_.reset();
  up();
  drain();
  EXPECT_TRUE(closed_);
  EXPECT_EQ(count<Connected>(), 0U);
  lose();
  EXPECT_EQ(count<Disconnected>(), 1U);
}

// spec: SESSION-11
TEST_F(ClientEngineTest, EndsWithTheCodeOfTheServersClose) {
  connect();
  const Bytes close = frame(wire::Close{ErrorCode::kClosedByUser, "kicked"});
  engine_->handle_control(close, session::Fin::kYes, now_);
  drain();
  EXPECT_EQ(closed_->code, ErrorCode::kClosedByUser);
  EXPECT_EQ(closed_->text, "kicked");
}

// spec: SESSION-12, SESSION-13
TEST_F(ClientEngineTest, ClosesAndComesBackWhenTheServerBreaksTheProtocol) {
  connect();
  engine_->handle_control({}, session::Fin::kYes, now_);
  drain();
  EXPECT_EQ(closed_->code, ErrorCode::kStreamUnexpected);
  lose(closed_->code);
  EXPECT_TRUE(gone_->retrying);
}

}  // namespace
}  // namespace orzatty::client
