// A hub and clients in one thread, without a network: each client is a real ClientSession, streams
// have windows, and everything arrives in order. For the tests of this layer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hub/delivery.h"
#include "hub/hub.h"
#include "session/client_session.h"
#include "session/session_for_test.h"
#include "wire/direct.h"
#include "wire/message.h"
#include "wire/run.h"
#include "wire/skip.h"

namespace orzatty::hub::test {

using session::RemoteStream;
using session::StreamKey;

// Offers of one side, carried to the other as far as stream windows let them.
class Way {
 public:
  explicit Way(std::uint64_t window) : window_(window) {}

  template <class Deliver, class Acked>
  bool carry(session::SendTable& sends, session::Refill& source, Deliver deliver, Acked acked) {
    bool moved = false;
    const auto next = [&] {
      auto offer = sends.offer(source);
      while (!offer && open(sends)) offer = sends.offer(source);  // what it has just begun
      return offer;
    };
    static_cast<void>(open(sends));
    while (const auto offer = next()) {
      if (offer->datagram) {
        bytes_.clear();
        for (const BytesView span : offer->bytes()) {
          bytes_.insert(bytes_.end(), span.begin(), span.end());
        }
        source.datagram_taken(offer->stream);
        sends.datagram_taken(offer->stream, bytes_.size());
        datagram(*offer->datagram, bytes_);
        moved = true;
        continue;
      }
      const bool control = offer->stream == session::kControlKey;
      Stream& stream = streams_[offer->stream];
      bytes_.clear();
      for (const BytesView span : offer->bytes()) {
        bytes_.insert(bytes_.end(), span.begin(), span.end());
      }
      const std::uint64_t offered = bytes_.size();
      if (!control) bytes_.resize(std::min<std::uint64_t>(offered, stream.credit));
      if (bytes_.empty() && offer->fin == session::Fin::kNo) {
        sends.blocked(offer->stream);
        continue;
      }
      const session::Fin fin = bytes_.size() == offered ? offer->fin : session::Fin::kNo;
      if (!control) stream.credit -= bytes_.size();
      moved = true;
      sends.taken(offer->stream, bytes_.size(), fin);
      acked(offer->stream, bytes_.size());
      deliver(stream.id, BytesView(bytes_), fin);
    }
    return moved;
  }
  void credit(session::SendTable& sends, const session::Credit& credit) {
    for (auto& [key, stream] : streams_) {
      if (stream.id != credit.stream || key == session::kControlKey) continue;
      stream.credit += credit.size;
      sends.writable(key);
    }
  }
  // What becomes of each datagram.
  std::function<void(session::DatagramTag, BytesView)> datagram;
  [[nodiscard]] std::uint64_t credit_left(StreamKey stream) { return streams_[stream].credit; }

 private:
  bool open(session::SendTable& sends) {
    bool any = false;
    while (const auto key = sends.next_to_open()) {
      sends.opened(*key);
      streams_[*key] = {RemoteStream(++opened_), window_};
      any = true;
    }
    return any;
  }
  struct Stream {
    RemoteStream id;
    std::uint64_t credit = 0;
  };
  std::uint64_t window_;
  std::map<StreamKey, Stream> streams_;
  std::uint64_t opened_ = 0;
  Bytes bytes_;
};

struct Delivered {
  std::string channel;
  std::string publisher;
  std::string text;
  std::uint64_t offset = 0;
  bool operator==(const Delivered&) const = default;
};
inline void PrintTo(const Delivered& delivered, std::ostream* out) {
  *out << delivered.channel << "[" << delivered.offset << "] " << delivered.text << " by "
       << delivered.publisher;
}

struct Missed {
  std::string channel;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  GapReason reason = GapReason::kRetention;
  bool operator==(const Missed&) const = default;
};
inline void PrintTo(const Missed& missed, std::ostream* out) {
  *out << missed.channel << " [" << missed.from << ", " << missed.to << ") " << name(missed.reason);
}

struct Replied {
  CorrelationId id;
  std::string sender;
  std::string text;
  bool operator==(const Replied&) const = default;
};

inline ChannelName channel(std::string_view text) { return *ChannelName::parse(text); }
inline ProducerId producer_id(std::uint8_t number) {
  ProducerId id;
  id.bytes[0] = std::byte{number};
  return id;
}

class Client {
 public:
  struct Subscribed {
    std::map<std::uint64_t, wire::Alias> channels;
    std::map<std::uint64_t, std::string> publishers;
  };

  Client(const Limits& limits, std::string_view token, std::vector<std::uint64_t> versions,
         std::uint64_t window, Instant now)
      : Client(limits, hello(token, std::move(versions)), window, now) {}
  Client(const Limits& limits, const wire::Hello& hello, std::uint64_t window, Instant now)
      : session(patient(limits), hello, 5, now),
        up(window),
        down(window) {
    session.core().sends().opened(session::kControlKey);
  }

  // What it would say when it came back.
  [[nodiscard]] wire::Hello hello_to_return() const {
    wire::Hello again = hello(welcome->identity, {1});
    again.session = welcome->session;
    for (const auto& [id, subscription] : subscriptions) {
      for (const auto& [alias, introduced] : subscription.channels) {
        std::uint64_t next = introduced.next.value();
        for (const Delivered& one : received) {
          if (one.channel == introduced.channel.text()) next = std::max(next, one.offset + 1);
        }
        again.positions.push_back(
            {SubscriptionId(id), introduced.channel, introduced.epoch, Offset(next)});
      }
    }
    for (const Delivered& one : direct) {
      const ChannelName name = channel(one.channel);
      const auto known = std::ranges::find(again.directs, name, &wire::HelloDirect::channel);
      const Sequence next(one.offset + 1);
      if (known == again.directs.end()) {
        again.directs.push_back({name, next});
      } else {
        known->next = next;
      }
    }
    return again;
  }

  // ---- What it does.
  StreamKey open_publication(std::string_view name, std::uint64_t next = 0,
                             std::uint8_t producer = 1, std::uint64_t epoch = 0) {
    return open_publication({.publication = PublicationId(++publications_),
                             .producer = producer_id(producer),
                             .epoch = ProducerEpoch(epoch),
                             .next = Sequence(next),
                             .channel = channel(name)});
  }
  StreamKey open_publication(const wire::Publish& preface) {
    const StreamKey stream = session.publish(preface);
    next_[stream] = preface.next.value();
    return stream;
  }
  // Some messages by themselves, of a publication whose preface is like that.
  void send_passing(wire::Publish preface, std::uint64_t first,
                    const std::vector<std::string>& texts) {
    preface.passing = true;
    const StreamKey stream = open_publication(preface);
    next_[stream] = first;
    send_run(stream, texts);
    finish(stream);
  }
  // One run of messages behind the last one.
  void send_run(StreamKey stream, const std::vector<std::string>& texts) {
    Bytes frames;
    for (const std::string& text : texts) {
      std::array<std::byte, 16> header;
      const auto size = wire::encode_message_header(header, MessageType::kRaw, text.size());
      frames.insert(frames.end(), header.begin(),
                    header.begin() + static_cast<std::ptrdiff_t>(size));
      const BytesView payload = bytes_of(text);
      frames.insert(frames.end(), payload.begin(), payload.end());
    }
    Bytes bytes;
    wire::encode(wire::Run{.first = next_[stream], .size = frames.size(), .nonce = 9}, bytes);
    bytes.insert(bytes.end(), frames.begin(), frames.end());
    write(stream, bytes);
    next_[stream] += texts.size();
  }
  // One message that says something about itself.
  void send(StreamKey stream, std::string_view text, const MessageAttributes& attributes) {
    std::array<std::byte, wire::kMessageHeaderSizeMax> header;
    const auto size =
        wire::encode_message_header(header, MessageType::kRaw, attributes, text.size());
    Bytes bytes;
    wire::encode(wire::Run{.first = next_[stream]++, .size = size + text.size(), .nonce = 9},
                 bytes);
    bytes.insert(bytes.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
    const BytesView payload = bytes_of(text);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    write(stream, bytes);
  }
  void send(StreamKey stream, std::string_view text) { send_run(stream, {std::string(text)}); }
  void skip(StreamKey stream, std::uint64_t to, GapReason reason = GapReason::kExpired) {
    Bytes bytes;
    wire::encode(wire::Skip{Sequence(next_[stream]), Sequence(to), reason}, bytes);
    write(stream, bytes);
    next_[stream] = to;
  }
  void write(StreamKey stream, BytesView bytes) {
    ASSERT_TRUE(session.core().scratch().write(bytes, session.core().sends().queue(stream)));
    session.core().sends().wake(stream);
  }
  void finish(StreamKey stream) { session.core().sends().finish(stream); }
  SubscriptionId subscribe(std::string_view pattern, StartPosition start = StartPosition::live(),
                           std::vector<wire::SubscribePosition> positions = {}) {
    const SubscriptionId id(++subscriptions_);
    session.subscribe({.subscription = id,
                       .pattern = *ChannelPattern::parse(pattern),
                       .start = start,
                       .positions = std::move(positions)});
    return id;
  }
  void unsubscribe(SubscriptionId id) { session.unsubscribe(id); }
  // Takes messages, but gives no credit for them until it goes on.
  void stop_reading() { reading = false; }
  void go_on_reading(Instant now) {
    reading = true;
    read_what_came(now);
  }
  void read_what_came(Instant now) {
    for (const auto& messages : unread) {
      session.consumed(messages, messages.first + messages.count, now);
    }
    unread.clear();
  }

  // ---- What it saw.
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Delivered& delivered : received) texts.push_back(delivered.text);
    return texts;
  }
  [[nodiscard]] std::uint64_t missed_count() const {
    std::uint64_t count = 0;
    for (const Missed& missed : gaps) count += missed.to - missed.from;
    return count;
  }
  // Everything that was acknowledged of a publication, by sequence.
  [[nodiscard]] std::map<std::uint64_t, std::pair<std::uint64_t, bool>> acknowledged(
      std::uint64_t publication = 1) const {
    std::map<std::uint64_t, std::pair<std::uint64_t, bool>> offsets;
    for (const wire::AckRun& run : acks) {
      if (run.publication != PublicationId(publication)) continue;
      for (std::uint64_t i = 0; i < run.count; ++i) {
        offsets[run.first.value() + i] = {run.first_offset.value() + i, run.duplicate};
      }
    }
    return offsets;
  }

  session::ClientSession session;
  Way up;
  Way down;
  PeerKey peer;
  bool dirty = true;
  bool reading = true;
  bool acknowledges = true;  // as a transport
  std::vector<std::pair<StreamKey, std::uint64_t>> unacknowledged;
  bool loses_datagrams = false;                     // on their way to it
  std::vector<session::DatagramTag> datagram_tags;  // of those that were sent to it
  bool keeps = true;  // what it received; else it only counts
  std::uint64_t received_count = 0;
  std::function<void(const session::DeliveryMessages&)> on_messages;
  std::map<std::string, std::uint64_t> introduced_before;  // messages that had come, by channel
  std::vector<session::DeliveryMessages> unread;
  std::vector<Delivered> received;
  std::vector<Missed> gaps;
  std::vector<wire::AckRun> acks;
  std::vector<wire::Reject> rejects;
  std::vector<wire::Ended> ended;
  std::vector<SubscriptionId> subscribed;
  std::map<std::uint64_t, std::uint64_t> begins_in;  // number of channels, by subscription
  std::vector<Delivered> direct;
  std::vector<Replied> replies;  // those of the direct messages that are
  std::map<std::uint64_t, Subscribed> subscriptions;  // by id
  std::optional<wire::Welcome> welcome;
  std::optional<wire::Drain> drain;
  std::vector<wire::Fate> told_fates;
  std::optional<session::CloseTransport> closed;  // by this side's own finding
  std::optional<TransportClosed> closed_by_hub;

  void take(session::ClientOutput& output, Instant now) {
    if (auto* welcomed = std::get_if<session::Welcomed>(&output)) {
      welcome = welcomed->welcome;
    } else if (const auto* ack = std::get_if<session::AckReceived>(&output)) {
      acks.insert(acks.end(), ack->ack->runs.begin(), ack->ack->runs.end());
    } else if (auto* reject = std::get_if<session::RejectReceived>(&output)) {
      rejects.push_back(reject->reject);
    } else if (auto* answer = std::get_if<session::SubscribedReceived>(&output)) {
      subscribed.push_back(answer->subscription);
      begins_in[answer->subscription.value()] = answer->channel_count;
    } else if (auto* end = std::get_if<session::EndedReceived>(&output)) {
      ended.push_back(end->ended);
    } else if (auto* fate = std::get_if<session::FateReceived>(&output)) {
      told_fates.push_back(fate->fate);
    } else if (auto* drained = std::get_if<session::DrainReceived>(&output)) {
      drain = drained->drain;
    } else if (auto* alias = std::get_if<session::ChannelIntroduced>(&output)) {
      subscriptions[alias->subscription.value()].channels.emplace(alias->alias.alias.value(),
                                                                  alias->alias);
      introduced_before[std::string(alias->alias.channel.text())] = received_count;
    } else if (auto* producer = std::get_if<session::ProducerIntroduced>(&output)) {
      subscriptions[producer->subscription.value()].publishers[producer->producer.alias.value()] =
          producer->producer.identity;
    } else if (auto* close = std::get_if<session::CloseTransport>(&output)) {
      closed = *close;
    } else {
      take_messages(output, now);
    }
  }

 private:
  // A test's publisher has no outbox: what gets no credit waits among the marks.
  static Limits patient(Limits limits) {
    limits.control_backlog_max = 64 * 1024 * 1024;
    return limits;
  }
  static wire::Hello hello(std::string_view token, std::vector<std::uint64_t> versions) {
    wire::Hello hello = session::test::hello();
    hello.token = copy_of(bytes_of(token));
    hello.versions = std::move(versions);
    return hello;
  }
  void take_messages(session::ClientOutput& output, Instant now) {
    if (const auto* came = std::get_if<session::DeliveryDatagram>(&output)) {
      const wire::DeliverDatagram& datagram = came->datagram;
      keep({.stream = {},
            .subscription = datagram.subscription,
            .channel = datagram.channel,
            .producer = datagram.producer,
            .first = datagram.first,
            .count = datagram.count,
            .nonce = 0,
            .frames = datagram.frames});
      return session.consumed(datagram, now);
    }
    if (const auto* messages = std::get_if<session::DeliveryMessages>(&output)) {
      received_count += messages->count;
      if (on_messages) on_messages(*messages);
      if (keeps) keep(*messages);
      if (reading) {
        return session.consumed(*messages, messages->first + messages->count, now);
      }
      unread.push_back(*messages);
    } else if (const auto* gap = std::get_if<session::DeliveryGap>(&output)) {
      const wire::Alias& alias =
          gap->passing != nullptr
              ? *gap->passing->alias
              : subscriptions[gap->subscription.value()].channels.at(gap->channel.value());
      gaps.push_back({std::string(alias.channel.text()), gap->gap.from.value(), gap->gap.to.value(),
                      gap->gap.reason});
    } else if (const auto* own = std::get_if<session::DirectMessages>(&output)) {
      Offset at(own->first.value());
      for (const wire::MessageView& message : wire::MessageRange(own->frames)) {
        direct.push_back(
            {std::string(own->channel), "", std::string(text_of(message.payload)), at.value()});
        at += 1;
        if (own->channel == wire::kReplyChannel) keep_reply(message);
      }
      session.consumed(*own);
    }
  }
  void keep_reply(const wire::MessageView& message) {
    const auto attributes = wire::decode_attributes(message.attributes);
    replies.push_back({attributes->correlation.value_or(CorrelationId{}),
                       std::string(attributes->sender), std::string(text_of(message.payload))});
  }
  void keep(const session::DeliveryMessages& messages) {
    const Subscribed& subscription = subscriptions[messages.subscription.value()];
    const session::PassingStream* const passing = messages.passing;
    const wire::Alias& alias =
        passing != nullptr ? *passing->alias : subscription.channels.at(messages.channel.value());
    const std::string& publisher = passing != nullptr
                                       ? *passing->publisher
                                       : subscription.publishers.at(messages.producer.value());
    Offset at = messages.first;
    for (const wire::MessageView& message : wire::MessageRange(messages.frames)) {
      received.push_back({std::string(alias.channel.text()), publisher,
                          std::string(text_of(message.payload)), at.value()});
      at += 1;
    }
  }

  std::uint64_t publications_ = 0;
  std::uint64_t subscriptions_ = 0;
  std::map<StreamKey, std::uint64_t> next_;
};

// Admits everybody by the name that is his token, but for "wrong".
class World {
 public:
  explicit World(HubConfig config = {}, std::uint64_t stream_window = 2 * 1024 * 1024)
      : limits(config.limits), window(stream_window), hub(std::move(config), 1, Instant{}) {}

  Client& connect(std::string_view token, std::vector<std::uint64_t> versions = {1}) {
    Client& client = *clients.emplace_back(
        std::make_unique<Client>(limits, token, std::move(versions), window, now));
    client.peer = hub.open_peer(now);
    hub.sends(client.peer).opened(session::kControlKey);
    run();
    return client;
  }
  Client& connect(const wire::Hello& hello) {
    Client& client = *clients.emplace_back(std::make_unique<Client>(limits, hello, window, now));
    client.peer = hub.open_peer(now);
    hub.sends(client.peer).opened(session::kControlKey);
    run();
    return client;
  }
  // The connection is gone.
  void cut(Client& client) {
    hub.lose_peer(client.peer, now);
    drain_hub();
    run();
  }
  // As the transport of the client.
  void acknowledge(Client& client) {
    for (const auto& [stream, size] : client.unacknowledged) {
      hub.acked(client.peer, stream, size, now);
    }
    client.unacknowledged.clear();
    client.dirty = true;
  }
  // Until nothing moves.
  void run() {
    while (step()) continue;
  }
  void pass(Duration time) {
    now += time;
    hub.handle_timeout(now);
    drain_hub();
    for (const auto& client : clients) {
      client->session.handle_timeout(now);
      client->dirty = true;
    }
    run();
  }
  // Until acknowledgements that wait for company have left.
  void settle() {
    run();
    pass(limits.ack_delay);
  }
  ErrorCode publish(std::string_view name, std::string_view text) {
    const ErrorCode code = hub.publish(channel(name), MessageType::kRaw, bytes_of(text), now);
    drain_hub();
    return code;
  }
  [[nodiscard]] Client* find(PeerKey peer) {
    for (const auto& client : clients) {
      if (client->peer == peer) return client.get();
    }
    return nullptr;
  }

  Limits limits;
  std::uint64_t window;
  Instant now{};
  Hub hub;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<SubscriberSlow> slow;
  std::vector<Delivered> handled;  // the offset is the sequence
  std::vector<PeerLeft> left;
  std::vector<PeerJoined> joined;
  std::vector<PeerDetached> detached;
  std::vector<PeerResumed> resumed;
  std::size_t turns = 0;  // that the hub asked for at once
  bool frozen = false;    // and does not get
  bool echoes = false;    // a handler answers by the same message

  void drain_hub() {
    while (auto output = hub.poll()) take(*output);
    ready_.clear();
    hub.take_ready(ready_);
    for (const PeerKey peer : ready_) {
      if (Client* client = find(peer)) client->dirty = true;
    }
  }

 private:
  bool step() {
    const auto due = hub.next_timeout();
    bool moved = !frozen && due && *due <= now;
    if (moved) {
      ++turns;
      hub.handle_timeout(now);
      drain_hub();
    }
    for (const auto& client : clients) {
      if (!hub.has_peer(client->peer)) continue;
      moved |= carry_up(*client);
      drain_hub();
      if (std::exchange(client->dirty, false)) moved |= carry_down(*client);
    }
    for (const auto& client : clients) moved |= client->dirty && hub.has_peer(client->peer);
    return moved;
  }
  bool carry_up(Client& client) {
    client.session.flush(now);
    session::SendTable& sends = hub.sends(client.peer);
    for (const session::Credit& credit : client.session.core().credits()) {
      client.down.credit(sends, credit);
      client.dirty = true;
    }
    client.session.core().credits().clear();
    session::test::NoSource none;
    return client.up.carry(
        client.session.core().sends(), none,
        [&](RemoteStream stream, BytesView bytes, session::Fin fin) {
          if (stream.value() == 0) {
            hub.handle_control(client.peer, bytes, fin, now);
          } else {
            hub.handle_stream(client.peer, stream, bytes, fin, now);
          }
          drain_hub();
        },
        [&](StreamKey stream, std::uint64_t size) {
          client.session.core().sends().acked(stream, size);
        });
  }
  bool carry_down(Client& client) {
    hub.flush(client.peer, now);
    drain_hub();
    for (const session::Credit& credit : hub.credits(client.peer)) {
      client.up.credit(client.session.core().sends(), credit);
    }
    hub.credits(client.peer).clear();
    client.down.datagram = [&](session::DatagramTag tag, BytesView bytes) {
      client.datagram_tags.push_back(tag);
      if (client.loses_datagrams) return;
      client.session.handle_datagram(bytes, now);
      while (auto output = client.session.poll(now)) client.take(*output, now);
    };
    const bool moved = client.down.carry(
        hub.sends(client.peer), hub.source(client.peer),
        [&](RemoteStream stream, BytesView bytes, session::Fin fin) {
          if (stream.value() == 0) {
            client.session.handle_control(bytes, fin, now);
          } else {
            client.session.handle_stream(stream, bytes, fin, now);
          }
          while (auto output = client.session.poll(now)) client.take(*output, now);
        },
        [&](StreamKey stream, std::uint64_t size) {
          client.unacknowledged.emplace_back(stream, size);
          if (client.acknowledges) acknowledge(client);
        });
    drain_hub();
    client.dirty = moved;  // acknowledgements alone are no news
    hub.written(client.peer, now);
    drain_hub();
    return moved;
  }
  void take(HubOutput& output) {
    if (auto* needed = std::get_if<AuthenticationNeeded>(&output)) {
      const std::string token(text_of(needed->hello.token));
      if (token == "wrong") {
        hub.refuse(needed->peer, ErrorCode::kAuthenticationFailed, "because", now);
      } else {
        SessionId drawn;
        drawn.bytes[0] = std::byte{++sessions_};
        hub.admit(needed->peer, token, drawn, now);
      }
    } else if (auto* gone = std::get_if<PeerLeft>(&output)) {
      left.push_back(*gone);
    } else if (auto* came = std::get_if<PeerJoined>(&output)) {
      joined.push_back(*came);
    } else if (auto* waits = std::get_if<PeerDetached>(&output)) {
      detached.push_back(*waits);
    } else if (auto* back = std::get_if<PeerResumed>(&output)) {
      resumed.push_back(*back);
    } else if (auto* behind = std::get_if<SubscriberSlow>(&output)) {
      slow.push_back(*behind);
    } else if (auto* closed = std::get_if<TransportClosed>(&output)) {
      if (Client* client = find(closed->peer)) client->closed_by_hub = *closed;
    } else if (auto* messages = std::get_if<HandlerMessages>(&output)) {
      take_handled(*messages);
    }
  }
  void take_handled(const HandlerMessages& messages) {
    std::uint64_t at = messages.first.value();
    for (const wire::MessageView& message : wire::MessageRange(messages.frames)) {
      handled.push_back({std::string(messages.channel), std::string(messages.publisher),
                         std::string(text_of(message.payload)), at++});
      if (!echoes) continue;
      EXPECT_EQ(hub.send_direct(messages.peer, channel(messages.channel), MessageType::kRaw,
                                message.payload),
                ErrorCode::kNone);
    }
  }

  std::vector<PeerKey> ready_;
  std::uint8_t sessions_ = 0;
};

// Channels that all have these properties.
inline HubConfig config_of(const ChannelConfig& channel_config, Limits limits = {}) {
  return {.limits = limits, .rules = {}, .channel_default = channel_config};
}

}  // namespace orzatty::hub::test
