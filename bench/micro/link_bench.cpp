// What a message costs from one end of a connection to the other, without a kernel between: a whole
// client and a whole server, encryption included, whose packets are handed over in memory. Time is
// virtual, so nothing waits, and a profile of it shows nothing else.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/client_link.h"
#include "link/server_engine.h"
#include "wire/message.h"

namespace orzatty::link {
namespace {

const base::Address kServer = *base::Address::parse("192.0.2.1:4433");
const base::Address kClient = *base::Address::parse("192.0.2.2:50000");
constexpr Duration kStep = std::chrono::microseconds(2);  // of time, from one end to the other

// Packets in memory, until they are taken.
class Packets final : public PacketSink {
 public:
  std::span<std::byte> space() override {
    return std::span(bytes_).subspan(count_ * kSizeMax, kSizeMax);
  }
  void push(const quic::Packet& packet) override { packets_[count_++] = packet; }
  [[nodiscard]] bool blocked() const override { return count_ + 1 >= kCountMax; }

  template <class Take>
  void hand_over(const Take& take) {
    for (std::size_t i = 0; i < count_; ++i) {
      const quic::Packet& packet = packets_[i];
      take(quic::Datagram{packet.remote, packet.local,
                          BytesView(bytes_).subspan(i * kSizeMax, packet.size), packet.ecn});
    }
    count_ = 0;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  static constexpr std::size_t kSizeMax = 2048;
  static constexpr std::size_t kCountMax = 64;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kSizeMax * kCountMax);
  std::array<quic::Packet, kCountMax> packets_;
  std::size_t count_ = 0;
};

class Pair final : private ClientEvents, private ServerEvents {
 public:
  Pair() {
    server_.hub().handle_channel(*ChannelName::parse("echo"), kEcho);
    server_.hub().handle_channel(*ChannelName::parse("sink"), kSink);
    while (!connected_) turn();
  }

  session::Outbox& publisher(std::string_view channel) {
    publication_ = client_.engine().publish(*ChannelName::parse(channel), {});
    return client_.engine().outbox(publication_);
  }
  // All that each end has to say reaches the other.
  void turn() {
    now_ += kStep;
    if (const auto due = client_.next_timeout(); due && *due <= now_) client_.handle_timeout(now_);
    client_.drain(now_);
    if (std::exchange(wants_connection_, false)) client_.connect(kClient, kServer, now_);
    static_cast<void>(client_.write(packets_, now_));
    packet_count_ += packets_.count();
    now_ += kStep;
    packets_.hand_over([&](const quic::Datagram& datagram) {
      server_.handle_datagram(datagram, replies_, now_);
    });
    if (const auto due = server_.next_timeout(); due && *due <= now_) server_.handle_timeout(now_);
    static_cast<void>(server_.write(replies_, now_));
    packet_count_ += replies_.count();
    now_ += kStep;
    replies_.hand_over([&](const quic::Datagram& datagram) {
      client_.handle_datagram(datagram, now_);
    });
  }
  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
  [[nodiscard]] std::uint64_t came_back() const { return came_back_; }
  [[nodiscard]] std::uint64_t packet_count() const { return packet_count_; }

 private:
  enum Handler : std::size_t { kEcho, kSink };

  static const quic::SelfSigned& certificate() {
    static const quic::SelfSigned made =
        *quic::make_self_signed({.dns_names = {"localhost"}, .unix_time = 1'800'000'000});
    return made;
  }
  static std::shared_ptr<const quic::ServerCredentials> server_credentials() {
    return *quic::ServerCredentials::from_pem(certificate().certificate_pem,
                                              certificate().private_key_pem);
  }
  static std::shared_ptr<const quic::ClientCredentials> client_credentials() {
    const auto facts = quic::read_certificate(certificate().certificate_pem);
    return *quic::ClientCredentials::make(
        {.kind = quic::Trust::Kind::kPin, .authorities_pem = {}, .pins = {facts->fingerprint}});
  }
  static ServerEngineConfig server_config() {
    ServerEngineConfig config;
    config.endpoint.connection.bidi_stream_count = 1;
    return config;
  }
  static quic::ConnectionConfig client_config() { return {.uni_stream_count = 64}; }

  void on_event(client::EngineOutput& output, Instant) override {
    if (const auto* direct = std::get_if<client::DeliveredDirect>(&output)) {
      came_back_ += direct->count;
    } else if (std::holds_alternative<client::ConnectWanted>(output)) {
      wants_connection_ = true;
    } else if (std::holds_alternative<client::Connected>(output)) {
      connected_ = true;
    }
  }
  void on_event(hub::HubOutput& output, Instant now) override {
    if (const auto* needed = std::get_if<hub::AuthenticationNeeded>(&output)) {
      return server_.hub().admit(needed->peer, "bench", SessionId(), now);
    }
    const auto* messages = std::get_if<hub::HandlerMessages>(&output);
    if (messages == nullptr) return;
    for (const wire::MessageView message : wire::MessageRange(messages->frames)) {
      ++arrived_;
      if (messages->handler != kEcho) continue;
      static_cast<void>(
          server_.hub().send_direct(messages->peer, echo_, message.type, message.payload));
    }
  }

  Instant now_{std::chrono::seconds(1)};
  const ChannelName echo_ = *ChannelName::parse("echo");
  ServerEngine server_{server_config(), server_credentials(), *this, 1, now_};
  ClientLink client_{{.limits = {}, .token = "token", .producer = ProducerId()},
                     client_config(), client_credentials(), "localhost", *this, 2, now_};
  PublicationId publication_;
  Packets packets_;
  Packets replies_;
  bool wants_connection_ = false;
  bool connected_ = false;
  std::uint64_t arrived_ = 0;
  std::uint64_t came_back_ = 0;
  std::uint64_t packet_count_ = 0;
};

// One message there and back.
void RoundTrip(benchmark::State& state) {
  Pair pair;
  session::Outbox& outbox = pair.publisher("echo");
  const Bytes message(64);
  std::uint64_t sent = 0;
  std::uint64_t before = 0;
  for (auto _ : state) {
    if (!outbox.append(MessageType::kRaw, message)) return state.SkipWithError("no room");
    ++sent;
    while (pair.came_back() < sent) pair.turn();
    if (sent == 1) before = pair.packet_count();
  }
  state.counters["packets"] = benchmark::Counter(
      static_cast<double>(pair.packet_count() - before), benchmark::Counter::kAvgIterations);
}
BENCHMARK(RoundTrip);

// Messages of that size in batches of 32 KiB, to a handler.
void OneWay(benchmark::State& state) {
  Pair pair;
  session::Outbox& outbox = pair.publisher("sink");
  const Bytes message(static_cast<std::size_t>(state.range(0)));
  const std::uint64_t batch = 32 * 1024 / message.size();
  std::uint64_t sent = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < batch; ++i) {
      if (outbox.append(MessageType::kRaw, message)) {
        ++sent;
      } else {
        pair.turn();
      }
    }
    pair.turn();
  }
  while (pair.arrived() < sent) pair.turn();
  state.SetItemsProcessed(static_cast<std::int64_t>(sent));
}
BENCHMARK(OneWay)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace orzatty::link
