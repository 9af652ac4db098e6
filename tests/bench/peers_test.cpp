// What all programs of bench/peers share, shown with a peer that needs no package: sockets of this
// machine that keep messages apart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "net/file_descriptor.h"
#include "peer.h"
#include "plan.h"
#include "receipt.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

using Words = std::vector<std::string_view>;

Description broker() {
  return {.name = "broker", .version = "1.0", .variants = {"tls", "plain"}, .fans_out = true};
}

Bytes numbered(std::uint64_t number, std::size_t size) {
  Bytes message(size);
  apps::write_number(message, number);
  return message;
}

constexpr std::uint64_t kSpoilt = 7;  // the message that does not travel as it should

// To one socket or many; what goes wrong with one message is the variant.
class PairLink final : public Link {
 public:
  PairLink(std::vector<int> sockets, std::string spoiling)
      : sockets_(std::move(sockets)), spoiling_(std::move(spoiling)) {}

  void send(BytesView message) override {
    const bool spoilt = sent_++ == kSpoilt;
    if (spoilt && spoiling_ == "lost") return;
    if (spoilt && spoiling_ == "cut") message = message.first(message.size() - 1);
    const int times = spoilt && spoiling_ == "twice" ? 2 : 1;
    for (const int socket : sockets_) {
      for (int i = 0; i < times; ++i) {
        require(::send(socket, message.data(), message.size(), MSG_NOSIGNAL) > 0, "send");
      }
    }
  }
  BytesView receive() override {
    const auto size = ::recv(sockets_.front(), received_.data(), received_.size(), 0);
    require(size > 0, "recv");
    return BytesView(received_).first(static_cast<std::size_t>(size));
  }

 private:
  std::vector<int> sockets_;
  std::string spoiling_;
  std::uint64_t sent_ = 0;
  Bytes received_ = Bytes(65'536);
};

class PairPeer final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    return {.name = "pair",
            .version = "0",
            .variants = {"whole", "lost", "twice", "cut"},
            .fans_out = true};
  }

  void prepare(const Plan& plan) override {
    senders_.clear();  // a matcher that explains a failure measures once more
    receivers_.clear();
    for (std::size_t i = 0; i < plan.subscribers; ++i) {
      std::array<int, 2> ends{};
      require(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) == 0, "socketpair");
      senders_.emplace_back(ends[0]);
      receivers_.emplace_back(ends[1]);
    }
  }

  // In turn, as the sender sends: no socket fills up while another is waited for.
  void receive(const Plan&, apps::Conversation&, std::span<Receipt> receipts) override {
    for (bool going = true; going;) {
      for (std::size_t i = 0; i < receipts.size(); ++i) {
        PairLink link({receivers_[i].number()}, "");
        going = receipts[i].take(link.receive());
      }
    }
  }

  void echo(const Plan& plan, apps::Conversation&) override {
    PairLink link({receivers_.front().number()}, plan.variant);
    echo_all(link);
  }

  std::unique_ptr<Link> open(const Plan& plan, apps::Conversation&) override {
    std::vector<int> sockets;
    for (const auto& sender : senders_) sockets.push_back(sender.number());
    const bool spoils = plan.mode != Mode::kRoundTrip;  // otherwise the echo does
    return std::make_unique<PairLink>(std::move(sockets), spoils ? plan.variant : "");
  }

 private:
  std::vector<net::FileDescriptor> senders_;
  std::vector<net::FileDescriptor> receivers_;
};

Plan short_plan(Mode mode, const std::string& variant) {
  return {.mode = mode, .time = std::chrono::milliseconds(20), .variant = variant};
}

TEST(PeerPlan, WithoutFurtherWordsIsSixtyFourBytesOfTheFirstVariant) {
  const auto plan = parse_plan(broker(), Words{"oneway"});

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->mode, Mode::kOneWay);
  EXPECT_EQ(plan->size, 64U);
  EXPECT_EQ(plan->variant, "tls");
  EXPECT_EQ(plan->subscribers, 1U);
}

TEST(PeerPlan, TakesSizeAndSecondsByPositionAndTheRestByName) {
  const auto plan = parse_plan(
      broker(), Words{"fanout", "256", "0.5", "--variant", "plain", "--subscribers", "3"});

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->mode, Mode::kFanOut);
  EXPECT_EQ(plan->size, 256U);
  EXPECT_EQ(plan->time, std::chrono::milliseconds(500));
  EXPECT_EQ(plan->variant, "plain");
  EXPECT_EQ(plan->subscribers, 3U);
}

TEST(PeerPlan, HasRoomForANumberAndEndsWhereTwoBytesOfLengthDo) {
  EXPECT_TRUE(parse_plan(broker(), Words{"oneway", "8"}));
  EXPECT_FALSE(parse_plan(broker(), Words{"oneway", "7"}));
  EXPECT_TRUE(parse_plan(broker(), Words{"oneway", "65535"}));
  EXPECT_FALSE(parse_plan(broker(), Words{"oneway", "65536"}));
}

TEST(PeerPlan, OfAPeerWithoutFanOutSaysThatItCannotDoThat) {
  Description direct = broker();
  direct.fans_out = false;

  const auto plan = parse_plan(direct, Words{"fanout"});

  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error(), HasSubstr("cannot do that"));
}

TEST(PeerPlan, RefusesWordsThatItDoesNotKnow) {
  EXPECT_FALSE(parse_plan(broker(), Words{}));
  EXPECT_FALSE(parse_plan(broker(), Words{"sideways"}));
  EXPECT_FALSE(parse_plan(broker(), Words{"oneway", "64", "soon"}));
  EXPECT_FALSE(parse_plan(broker(), Words{"oneway", "--variant", "magic"}));
  EXPECT_FALSE(parse_plan(broker(), Words{"oneway", "--subscribers", "3"}));
  EXPECT_FALSE(parse_plan(broker(), Words{"fanout", "--subscribers", "0"}));
}

TEST(PeerReceipt, OfAllMessagesInOrderHasNoFaults) {
  Receipt receipt(64);

  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(receipt.take(numbered(i, 64)));

  EXPECT_FALSE(receipt.take(numbered(kEnd, 64)));
  EXPECT_EQ(receipt.next(), 10U);
  EXPECT_EQ(receipt.faults(10), 0U);
  EXPECT_EQ(receipt.faults(12), 2U);  // two more were sent
}

TEST(PeerReceipt, CountsWhatIsMissingWhatComesTwiceAndWhatIsNotWhole) {
  Receipt receipt(64);

  receipt.take(numbered(0, 64));
  receipt.take(numbered(2, 64));
  receipt.take(numbered(2, 64));
  receipt.take(numbered(3, 63));

  EXPECT_EQ(receipt.faults(4), 3U);
}

TEST(PeerScene, CountsWhatEveryReceiverChecked) {
  PairPeer peer;

  const Flow flow = measure_flow(peer, short_plan(Mode::kOneWay, "whole"));

  EXPECT_GT(flow.sent, kSpoilt);
  EXPECT_GE(flow.seconds, 0.02);
  EXPECT_GT(flow.sender_cpu_ns, 0);
  EXPECT_GT(flow.receiver_cpu_ns, 0);
}

TEST(PeerScene, FansOutToSubscribersThatEachCheckEverything) {
  PairPeer peer;
  Plan plan = short_plan(Mode::kFanOut, "whole");
  plan.subscribers = 5;

  EXPECT_GT(measure_flow(peer, plan).sent, kSpoilt);
}

TEST(PeerScene, FailsWhenOneMessageIsLostComesTwiceOrIsCut) {
  for (const char* spoiling : {"lost", "twice", "cut"}) {
    PairPeer peer;
    const Plan plan = short_plan(Mode::kOneWay, spoiling);

    EXPECT_THAT([&] { measure_flow(peer, plan); }, ThrowsMessage<Failed>(HasSubstr("messages")))
        << spoiling;
  }
}

TEST(PeerScene, TimesRoundTrips) {
  PairPeer peer;

  const apps::Percentiles times = measure_round_trips(peer, short_plan(Mode::kRoundTrip, "whole"));

  EXPECT_GT(times.p50, 0);
  EXPECT_LE(times.p50, times.p99);
  EXPECT_LE(times.p99, times.p999);
}

TEST(PeerScene, FailsWhenAnAnswerIsNotWhatWasSent) {
  for (const char* spoiling : {"twice", "cut"}) {
    PairPeer peer;
    const Plan plan = short_plan(Mode::kRoundTrip, spoiling);

    EXPECT_THAT([&] { measure_round_trips(peer, plan); },
                ThrowsMessage<Failed>(HasSubstr("answer")))
        << spoiling;
  }
}

}  // namespace
}  // namespace orzatty::peers
