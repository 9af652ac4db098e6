// A client engine and a server that remembers, in memory and in virtual time. The connection
// between them comes and goes as a test says.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/client_engine.h"
#include "session/session_for_test.h"
#include "wire/message.h"

namespace orzatty::client::test {

// Takes every sequence of a producer once, as a hub does, but for those it was told to reject.
class Server {
 public:
  explicit Server(const Limits& limits) : limits_(limits) {}

  void accept(Instant now) {
    session = std::make_unique<session::ServerSession>(limits_, 99, now);
    session->core().sends().opened(session::kControlKey);
    publications_.clear();
    deliveries.clear();
  }
  void lose() { session.reset(); }
  void handle(session::RemoteStream stream, BytesView bytes, session::Fin fin, Instant now) {
    if (stream.value() == 0) {
      session->handle_control(bytes, fin, now);
    } else {
      session->handle_stream(stream, bytes, fin, now);
    }
    while (session != nullptr) {
      auto output = session->poll();
      if (!output) return;
      take(*output, now);
    }
  }
  // Writes to the stream of a subscription.
  void deliver(SubscriptionId subscription, std::initializer_list<BytesView> parts) {
    auto& sends = session->core().sends();
    const auto [delivery, is_new] = deliveries.try_emplace(subscription);
    if (is_new) {
      delivery->second = sends.add();
      write(delivery->second, session::test::frame(wire::Deliver{subscription}));
    }
    for (const BytesView part : parts) write(delivery->second, part);
    sends.wake(delivery->second);
  }
  void write(session::StreamKey stream, BytesView bytes) {
    auto& core = session->core();
    ASSERT_TRUE(core.scratch().write(bytes, core.sends().queue(stream)));
  }

  bool welcoming = true;
  bool resumes = false;   // sessions that it knows
  bool answering = true;  // acknowledges
  ErrorCode refusal = ErrorCode::kNone;
  std::set<std::uint64_t> rejected;  // sequences
  std::uint64_t channel_count = 0;   // that a subscription is told to begin in
  std::unique_ptr<session::ServerSession> session;
  std::vector<std::string> log;         // in the order of offsets
  std::vector<wire::Publish> prefaces;  // on all connections
  std::vector<wire::Subscribe> subscribes;
  std::vector<session::PublicationSkipped> skips;
  std::vector<SubscriptionId> unsubscribes;
  std::vector<PublicationId> ended_publications;
  std::uint64_t duplicates = 0;
  std::optional<session::CloseTransport> closed;
  std::optional<session::SessionEnded> ended;
  std::map<SubscriptionId, session::StreamKey> deliveries;
  std::uint64_t consumed = 0;
  std::vector<CorrelationId> cancelled;

 private:
  struct Producer {
    std::uint64_t next = 0;
    std::map<std::uint64_t, std::uint64_t> offsets;  // by sequence
  };

  void take(session::ServerOutput& output, Instant now) {
    if (const auto* hello = std::get_if<session::HelloReceived>(&output)) {
      if (refusal != ErrorCode::kNone) return session->close(refusal, "refused");
      wire::Welcome welcome = session::test::welcome(limits_);
      welcome.resumed = resumes && hello->hello.session == welcome.session;
      if (welcoming) session->welcome(welcome, now);
    } else if (auto* opened = std::get_if<session::PublicationOpened>(&output)) {
      prefaces.push_back(opened->publish);
      publications_[opened->publish.publication] = opened->publish.producer;
      const std::uint64_t next = producers_[opened->publish.producer].next;
      session->accepted({opened->publish.publication,
                         Sequence(std::max(next, opened->publish.next.value())),
                         0,
                         {},
                         false},
                        0, 0, now);
    } else if (const auto* messages = std::get_if<session::PublicationMessages>(&output)) {
      store(*messages, now);
    } else if (const auto* skip = std::get_if<session::PublicationSkipped>(&output)) {
      skips.push_back(*skip);
      Producer& producer = producers_[publications_[skip->publication]];
      producer.next = std::max(producer.next, skip->to.value());
      session->accepted({skip->publication, Sequence(producer.next), 0, {}, false}, 0, 0, now);
    } else if (const auto* over = std::get_if<session::PublicationClosed>(&output)) {
      ended_publications.push_back(over->publication);
    } else if (auto* subscribe = std::get_if<session::SubscribeRequested>(&output)) {
      subscribes.push_back(subscribe->subscribe);
      session->subscribed(subscribe->subscribe.subscription, channel_count);
    } else if (const auto* unsubscribe = std::get_if<session::UnsubscribeRequested>(&output)) {
      unsubscribes.push_back(unsubscribe->subscription);
    } else if (const auto* positions = std::get_if<session::PositionsConsumed>(&output)) {
      consumed = positions->consumed.positions.back().next.value();
    } else if (const auto* withdrawn = std::get_if<session::RequestCancelled>(&output)) {
      cancelled.push_back(withdrawn->correlation);
    } else if (const auto* said = std::get_if<session::SessionEnded>(&output)) {
      ended = *said;
    } else if (const auto* close = std::get_if<session::CloseTransport>(&output)) {
      closed = *close;
    }
  }

  void store(const session::PublicationMessages& messages, Instant now) {
    Producer& producer = producers_[publications_[messages.publication]];
    std::uint64_t sequence = messages.first.value();
    for (const wire::MessageView message : wire::MessageRange(messages.frames)) {
      if (rejected.contains(sequence)) {
        if (answering) {
          session->rejected(messages.publication, Sequence(sequence), Sequence(sequence + 1),
                            ErrorCode::kRateLimited, "slow down");
        }
      } else {
        const bool duplicate = producer.offsets.contains(sequence);
        duplicates += duplicate ? 1U : 0U;
        if (!duplicate) {
          producer.offsets[sequence] = log.size();
          log.emplace_back(text_of(message.payload));
        }
        if (answering) {
          session->accepted({messages.publication, Sequence(sequence), 1,
                             Offset(producer.offsets[sequence]), duplicate},
                            message.frame_size, messages.nonce, now);
        }
      }
      producer.next = std::max(producer.next, ++sequence);
    }
    session->core().consumed(messages.stream, messages.frames.size());
  }

  Limits limits_;
  std::map<PublicationId, ProducerId> publications_;  // of this connection
  std::map<ProducerId, Producer> producers_;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    config_.limits = limits_;
    config_.token = "secret";
    config_.producer.bytes.fill(std::byte{0x42});
    engine_ = std::make_unique<ClientEngine>(config_, 5, now_);
  }

  void drain() {
    while (auto output = engine_->poll(now_)) {
      if (auto* delivered = std::get_if<Delivered>(&*output)) {
        for (const wire::MessageView message : wire::MessageRange(delivered->frames)) {
          delivered_.push_back(std::string(delivered->channel) + "/" +
                               std::string(delivered->publisher) + "/" +
                               std::string(text_of(message.payload)));
        }
      }
      if (auto* settled = std::get_if<Settled>(&*output)) settled_.push_back(*settled);
      if (auto* closed = std::get_if<TransportClosed>(&*output)) closed_ = *closed;
      if (auto* gone = std::get_if<Disconnected>(&*output)) gone_ = *gone;
      outputs_.push_back(std::move(*output));
    }
  }
  // The transport is there; nothing has been said on it.
  void up() {
    up_ = session::test::Pipe();
    down_ = session::test::Pipe();
    server_.accept(now_);
    engine_->transport_up(now_);
    engine_->sends().opened(session::kControlKey);
  }
  // Lets everything arrive that either side has to say, and gives acknowledgements their time.
  void talk() {
    for (int round = 0; round < 3; ++round) {
      talk_now();
      now_ += limits_.ack_delay;
    }
    talk_now();
  }
  void talk_now() {
    drain();
    for (bool moved = true; moved && engine_->has_transport();) {
      engine_->flush(now_);
      moved = up_.carry(engine_->sends(), engine_->source(),
                        [&](session::RemoteStream stream, BytesView bytes, session::Fin fin) {
                          server_.handle(stream, bytes, fin, now_);
                        });
      drain();
      server_.session->flush(now_);
      moved |= down_.carry(server_.session->core().sends(), none_,
                           [&](session::RemoteStream stream, BytesView bytes, session::Fin fin) {
                             if (stream.value() == 0) {
                               engine_->handle_control(bytes, fin, now_);
                             } else {
                               engine_->handle_stream(stream, bytes, fin, now_);
                             }
                             drain();
                           });
    }
  }
  void connect() {
    up();
    talk();
  }
  void lose(ErrorCode code = ErrorCode::kPeerSilent, bool refused = false) {
    server_.lose();
    engine_->transport_lost(code, "it is gone", refused, now_);
    drain();
  }
  // Lets time pass until the engine wants a transport; how long that was.
  Duration wait_for_retry() {
    const Instant start = now_;
    const std::size_t before = count<ConnectWanted>();
    while (count<ConnectWanted>() == before) {
      const auto timeout = engine_->next_timeout();
      if (!timeout) return Duration::max();
      now_ = std::max(now_, *timeout);
      engine_->handle_timeout(now_);
      drain();
    }
    return now_ - start;
  }
  void append(PublicationId publication, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string text = std::to_string(engine_->outbox(publication).next_sequence().value());
      ASSERT_TRUE(engine_->outbox(publication).append(MessageType::kText, bytes_of(text)));
    }
  }
  void append_timed(PublicationId publication, std::uint64_t count,
                    std::chrono::milliseconds time_to_live) {
    const MessageAttributes attributes{.time_to_live = time_to_live};
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(engine_->outbox(publication)
                      .append(MessageType::kText, bytes_of("timed"), attributes, now_));
    }
  }
  template <class Output>
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        outputs_, [](const auto& output) { return std::holds_alternative<Output>(output); }));
  }
  template <class Output>
  const Output& last() const {
    for (auto output = outputs_.rbegin(); output != outputs_.rend(); ++output) {
      if (const auto* found = std::get_if<Output>(&*output)) return *found;
    }
    throw std::logic_error("there is none");
  }
  // Sequences of a publication by fate, in the order in which they were told.
  std::vector<std::uint64_t> settled(Fate fate) const {
    std::vector<std::uint64_t> sequences;
    for (const Settled& settled : settled_) {
      for (Sequence i = settled.from; settled.fate == fate && i < settled.to; i += 1) {
        sequences.push_back(i.value());
      }
    }
    return sequences;
  }

  Limits limits_;
  EngineConfig config_;
  Instant now_{};
  Server server_{limits_};
  session::test::Pipe up_;
  session::test::Pipe down_;
  session::test::NoSource none_;
  std::unique_ptr<ClientEngine> engine_;
  std::vector<EngineOutput> outputs_;  // borrowed parts of them are stale
  std::vector<std::string> delivered_;
  std::vector<Settled> settled_;
  std::optional<TransportClosed> closed_;
  std::optional<Disconnected> gone_;
};

}  // namespace orzatty::client::test
