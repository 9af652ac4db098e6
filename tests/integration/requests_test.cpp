// Requests and replies between programs.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include "served.h"

namespace orzatty {
namespace {

using namespace std::chrono_literals;
using Answer = std::expected<Reply, Error>;

class Requests : public testing::Test {
 protected:
  static Client client(const Served& served, std::string_view token = kToken) {
    ClientOptions options = served.client_options();
    options.token = token;
    auto connected = Client::connect(served.address(), std::move(options));
    EXPECT_TRUE(connected) << connected.error().text;
    return std::move(*connected);
  }

  Served served_{ServerOptions{}, [](Server& server) {
                   ASSERT_TRUE(server.on("clock", [](Peer& peer, const Message& message) {
                     const auto replied = peer.reply(message, Payload::text("noon"));
                     EXPECT_EQ(replied.has_value(), message.attributes().wants_reply);
                   }));
                 }};
  Client alice_ = client(served_);
  Client bob_ = client(served_, "b");
};

TEST_F(Requests, AreAnsweredByAnotherClientWhoseIdentityTheReplyHas) {
  const auto answering = bob_.reply("sum.*", [](const Message& message, Responder to) {
    const std::string text = std::string(message.channel()) + ": " + std::string(message.text());
    ASSERT_TRUE(to.reply(Payload::text(text + ", by " + std::string(message.publisher()))));
  });
  ASSERT_TRUE(answering);

  const Answer answer = alice_.request("sum.two", "1 + 1", 20s);

  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->text(), "sum.two: 1 + 1, by alice");
  EXPECT_EQ(answer->responder, "bob");
  EXPECT_EQ(answer->type, MessageType::kText);
  ASSERT_TRUE(alice_.settle(20s));
  EXPECT_EQ(alice_.stats().accepted, 1U) << "a request is a message like any";
}

TEST_F(Requests, AreAnsweredByAHandlerOfTheServer) {
  const Answer answer = alice_.request("clock", "what time is it?", 20s);

  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->text(), "noon");
  EXPECT_EQ(answer->responder, "$server");
  ASSERT_TRUE(alice_.send("clock", "no question"));
  EXPECT_TRUE(alice_.settle(20s));
}

TEST_F(Requests, ThatNobodyCouldAnswerFailLongBeforeTheirTimeIsOver) {
  const Answer answer = alice_.request("nobody", "hello?", 1h);

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kUnreachable);
  EXPECT_EQ(answer.error().code, ErrorCode::kNoResponder);
  EXPECT_EQ(alice_.stats().rejected, 1U);
}

TEST_F(Requests, ThatNobodyAnswersFailInTime) {
  const auto answering = bob_.reply("slow", [](const Message&, const Responder&) {});
  ASSERT_TRUE(answering);

  const Answer answer = alice_.request("slow", "hello?", 300ms);

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTimeout);
}

TEST_F(Requests, AReplyAfterTheTimeOfItsRequestIsRefusedAlthoughItIsTheFirst) {
  std::promise<Responder> asked;
  const auto late =
      bob_.reply("late", [&](const Message&, Responder to) { asked.set_value(std::move(to)); });
  const auto mute = bob_.reply("mute", [](const Message&, const Responder&) {});
  ASSERT_TRUE(late && mute);
  std::promise<Answer> answered;
  ASSERT_TRUE(alice_.request(
      "late", "hello?", [&](const Answer& told) { answered.set_value(told); }, 300ms));
  Responder to = asked.get_future().get();

  // Begins when the server has had the first one, and takes as long.
  EXPECT_FALSE(alice_.request("mute", "hello?", 300ms));
  std::promise<ErrorCode> code;
  ASSERT_TRUE(to.reply("at last", [&](const DeliveryReport& told) { code.set_value(told.code); }));

  EXPECT_EQ(code.get_future().get(), ErrorCode::kNotAwaited);
  const Answer answer = answered.get_future().get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTimeout);
}

TEST_F(Requests, FailInTimeAlthoughAnotherThreadWaitsForRoomInTheSameChannel) {
  std::promise<void> freed;
  Served stuck{ServerOptions{}, [go = freed.get_future().share()](Server& server) {
                 ASSERT_TRUE(server.on("stuck", [go](Peer&, const Message&) { go.wait(); }));
               }};
  Client carol = client(stuck);
  const std::string large(64 * 1024, 'x');
  const int fits = static_cast<int>(Limits{}.outbox_size / (large.size() + 16));
  std::atomic<int> sent = 0;
  std::thread sender([&] {
    while (carol.send("stuck", large)) ++sent;
  });
  // The last one may go beyond what the outbox holds at first.
  ASSERT_TRUE(eventually([&] { return sent >= fits; })) << sent;

  const Answer answer = carol.request("stuck", "hello?", 100ms);

  EXPECT_EQ(answer.error().kind, ErrorKind::kTimeout);
  freed.set_value();
  static_cast<void>(carol.close(0s));
  sender.join();
}

TEST_F(Requests, AreAnsweredLaterFromAnyThreadAndOnce) {
  std::promise<Responder> asked;
  const auto answering =
      bob_.reply("later", [&](const Message&, Responder to) { asked.set_value(std::move(to)); });
  ASSERT_TRUE(answering);
  std::promise<Answer> answered;
  ASSERT_TRUE(alice_.request(
      "later", "hello?", [&](const Answer& told) { answered.set_value(told); }, 20s));

  Responder to = asked.get_future().get();
  std::promise<Fate> first;
  std::promise<ErrorCode> second;
  std::thread([&] {
    EXPECT_TRUE(to.reply("one", [&](const DeliveryReport& told) { first.set_value(told.fate); }));
    EXPECT_TRUE(to.reply("two", [&](const DeliveryReport& told) { second.set_value(told.code); }));
  }).join();

  const Answer answer = answered.get_future().get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text(), "one");
  EXPECT_EQ(first.get_future().get(), Fate::kAccepted);
  EXPECT_EQ(second.get_future().get(), ErrorCode::kNotAwaited);
}

TEST_F(Requests, MayBeCancelledWhenTheirHandlerHoldsTheLastOfASubscription) {
  const auto answering = bob_.reply("later", [](const Message&, const Responder&) {});
  ASSERT_TRUE(answering);
  auto subscription = alice_.subscribe("else", [](const Message&) {});
  ASSERT_TRUE(subscription);
  auto held = std::make_shared<Subscription>(std::move(*subscription));
  auto request = alice_.request("later", "hello?", [held](const Answer&) {}, 20s);
  ASSERT_TRUE(request);
  held.reset();

  request->cancel();

  EXPECT_TRUE(alice_.ping(20s));
}

TEST_F(Requests, ThatAreCancelledEndSilentlyAndTheirReplyIsRefused) {
  std::promise<Responder> asked;
  const auto answering =
      bob_.reply("later", [&](const Message&, Responder to) { asked.set_value(std::move(to)); });
  ASSERT_TRUE(answering);
  std::atomic<bool> told = false;
  auto request = alice_.request("later", "hello?", [&](const Answer&) { told = true; }, 20s);
  ASSERT_TRUE(request);
  Responder to = asked.get_future().get();

  request->cancel();
  ASSERT_TRUE(alice_.settle(20s)) << "it is said when the server is known to have the request";
  ASSERT_TRUE(alice_.ping(20s)) << "the server has had what was said before it";
  std::promise<ErrorCode> code;
  ASSERT_TRUE(to.reply("hello", [&](const DeliveryReport& at) { code.set_value(at.code); }));

  EXPECT_EQ(code.get_future().get(), ErrorCode::kNotAwaited);
  EXPECT_FALSE(told);
  EXPECT_EQ(alice_.stats().unhandled, 0U);
}

TEST_F(Requests, MayBeMadeInAHandlerButNotWaitedForThere) {
  std::promise<ErrorKind> waiting;
  std::promise<Answer> answered;
  const auto subscription = alice_.subscribe("news", [&](const Message&) {
    waiting.set_value(alice_.request("clock", "?", 20s).error().kind);
    EXPECT_TRUE(
        alice_.request("clock", "?", [&](const Answer& told) { answered.set_value(told); }, 20s));
  });
  ASSERT_TRUE(subscription);

  ASSERT_TRUE(bob_.send("news", "go"));

  EXPECT_EQ(waiting.get_future().get(), ErrorKind::kBusy);
  EXPECT_TRUE(answered.get_future().get().has_value());
}

TEST_F(Requests, OfAClientThatEndsFail) {
  const auto answering = bob_.reply("mute", [](const Message&, const Responder&) {});
  ASSERT_TRUE(answering);
  std::promise<Answer> answered;
  ASSERT_TRUE(
      alice_.request("mute", "hello?", [&](const Answer& told) { answered.set_value(told); }, 1h));

  ASSERT_TRUE(alice_.close(20s));

  const Answer answer = answered.get_future().get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kClosed);
  EXPECT_EQ(alice_.request("mute", "hello?").error().kind, ErrorKind::kClosed);
}

TEST_F(Requests, OfAClientThatIsDestroyedFailBeforeItIsGoneAlsoWithoutAConnection) {
  const auto answering = bob_.reply("mute", [](const Message&, const Responder&) {});
  ASSERT_TRUE(answering);
  const auto told_by = [&](auto prepare) {
    std::vector<ErrorKind> told;
    {
      Client carol = client(served_);
      EXPECT_TRUE(carol.request(
          "mute", "?", [&](const Answer& answer) { told.push_back(answer.error().kind); }, 1h));
      EXPECT_TRUE(carol.settle(20s));
      prepare();
    }
    return told;
  };

  EXPECT_EQ(told_by([] {}), std::vector{ErrorKind::kClosed});
  EXPECT_EQ(told_by([&] { served_.stop(); }), std::vector{ErrorKind::kClosed});
}

TEST_F(Requests, AreNotMadeWithATimeThatCannotBe) {
  EXPECT_EQ(alice_.request("clock", "?", 0s).error().kind, ErrorKind::kArgument);
  EXPECT_EQ(alice_.request("clock", "?", 2h).error().kind, ErrorKind::kArgument);
  EXPECT_EQ(alice_.send("clock", Payload("?").with({.wants_reply = true})).error().kind,
            ErrorKind::kArgument);
}

TEST_F(Requests, ManyAtOnceEachGetTheirOwnReply) {
  const auto answering = bob_.reply("echo", [](const Message& message, Responder to) {
    ASSERT_TRUE(to.reply(message.payload()));
  });
  ASSERT_TRUE(answering);
  constexpr int kCount = 1000;
  std::atomic<int> right = 0;
  for (int i = 0; i < kCount; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_TRUE(alice_.request("echo", text, [&right, text](const Answer& told) {
      right += told && told->text() == text ? 1 : 0;
    }));
  }

  EXPECT_TRUE(eventually([&] { return right == kCount; })) << right;
}

}  // namespace
}  // namespace orzatty
