#include "bottleneck.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.h"

namespace orzatty::congestion {
namespace {

using namespace std::chrono_literals;

const base::Address kServer = *base::Address::parse("192.0.2.1:4433");

// What is transferred, again and again: at each offset stands what belongs there.
const Bytes& pattern() {
  static const Bytes made = [] {
    Bytes bytes(251 * 1024);  // 251 is prime: no multiple of it is a round number
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 251);
    return bytes;
  }();
  return made;
}

struct Credentials {
  std::shared_ptr<const quic::ServerCredentials> server;
  std::shared_ptr<const quic::ClientCredentials> client;
};
const Credentials& credentials() {
  static const Credentials made = [] {
    const auto certificate =
        *quic::make_self_signed({.dns_names = {"localhost"}, .unix_time = 1'800'000'000});
    const auto facts = quic::read_certificate(certificate.certificate_pem);
    return Credentials{*quic::ServerCredentials::from_pem(certificate.certificate_pem,
                                                          certificate.private_key_pem),
                       *quic::ClientCredentials::make({.kind = quic::Trust::Kind::kPin,
                                                       .authorities_pem = {},
                                                       .pins = {facts->fingerprint}})};
  }();
  return made;
}

std::uint64_t seed_of(const Scene& scene, std::size_t number) { return scene.seed * 100 + number; }

// One transfer: who sends it and who takes it.
class Flow final : private quic::StreamSink {
 public:
  Flow(const Scene& scene, std::size_t number, Instant now)
      : address_(*base::Address::parse("198.51.100.7:" + std::to_string(50'000 + number))),
        endpoint_({.connection = {.stream_window = scene.window,
                                  .stream_window_max = scene.window_max,
                                  .connection_window = scene.window_max,
                                  .uni_stream_count = 1}},
                  credentials().server, seed_of(scene, number), now),
        sender_(quic::Connection::connect({.congestion_control = scene.flows[number]},
                                          credentials().client, address_, kServer, "localhost",
                                          seed_of(scene, number), now)) {}

  void arrive_at_server(BytesView bytes, Instant now) {
    const quic::Datagram datagram{kServer, address_, bytes};
    const quic::Routed routed = endpoint_.route(datagram, scratch_, now);
    if (const auto* accepted = std::get_if<quic::Accepted>(&routed)) {
      receiver_ = endpoint_.find(accepted->key);
    } else if (!std::holds_alternative<quic::Known>(routed)) {
      return;
    }
    receiver_->handle_datagram(datagram, now, *this);
    drain(*receiver_);
    if (credit_ == 0) return;
    receiver_->grant_connection_credit(credit_);
    receiver_->grant_stream_credit(*taken_, std::exchange(credit_, 0));
  }
  void arrive_at_client(BytesView bytes, Instant now) {
    sender_->handle_datagram({address_, kServer, bytes}, now, *this);
    drain(*sender_);
  }
  void handle_timeouts(Instant now) {
    for (quic::Connection* end : {sender_.get(), receiver_}) {
      const auto due = end == nullptr ? std::nullopt : end->next_timeout();
      if (due && *due <= now) end->handle_timeout(now);
      if (end != nullptr) drain(*end);
    }
  }
  [[nodiscard]] Instant next_timeout() const {
    Instant next = Instant::max();
    for (const quic::Connection* end : {sender_.get(), receiver_}) {
      const auto due = end == nullptr ? std::nullopt : end->next_timeout();
      if (due) next = std::min(next, *due);
    }
    return next;
  }

  template <class Send>
  void write(Instant now, const Send& send_up, const Send& send_down) {
    write_data(now, send_up);
    if (receiver_ == nullptr) return;
    for (;;) {
      const quic::Written written = receiver_->write(scratch_, now);
      if (written.status != quic::WriteStatus::kPacket) break;
      send_down(BytesView(scratch_).first(written.packet.size));
    }
    receiver_->burst_sent(now);
  }

  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  void on_stream_bytes(quic::StreamId stream, BytesView bytes, quic::Fin) override {
    const BytesView all = pattern();
    taken_ = stream;
    credit_ += bytes.size();
    while (!bytes.empty()) {
      const BytesView expected = all.subspan(received_ % all.size());
      const std::size_t size = std::min(expected.size(), bytes.size());
      ORZATTY_ASSERT(std::ranges::equal(bytes.first(size), expected.first(size)));
      received_ += size;
      bytes = bytes.subspan(size);
    }
  }
  void drain(quic::Connection& end) {
    while (const auto event = end.poll()) {
      if (std::holds_alternative<quic::HandshakeCompleted>(*event) && &end == sender_.get()) {
        stream_ = end.open_stream(quic::StreamKind::kUnidirectional);
      }
      if (std::holds_alternative<quic::StreamWritable>(*event)) blocked_ = false;
      ORZATTY_ASSERT(!std::holds_alternative<quic::Closed>(*event));
    }
  }
  // No more in one go than the path takes in a burst, as in the product.
  template <class Send>
  void write_data(Instant now, const Send& send) {
    const BytesView all = pattern();
    for (std::size_t size = 0; size < sender_->burst_size_max();) {
      quic::Written written;
      if (stream_ && !blocked_) {
        const std::array<BytesView, 1> bytes = {all.subspan(offered_ % all.size())};
        written = sender_->write(scratch_, *stream_, bytes, quic::Fin::kNo, now);
        offered_ += written.taken;
        blocked_ = written.status == quic::WriteStatus::kStreamBlocked;
      }
      if (written.status == quic::WriteStatus::kRoomLeft) continue;
      if (written.status != quic::WriteStatus::kPacket) written = sender_->write(scratch_, now);
      if (written.status != quic::WriteStatus::kPacket) break;
      size += written.packet.size;
      send(BytesView(scratch_).first(written.packet.size));
    }
    sender_->burst_sent(now);
  }

  base::Address address_;
  std::array<std::byte, 1500> scratch_{};
  quic::Endpoint endpoint_;
  std::unique_ptr<quic::Connection> sender_;
  quic::Connection* receiver_ = nullptr;  // of the endpoint
  std::optional<quic::StreamId> stream_;
  std::optional<quic::StreamId> taken_;  // the same, at its other end
  bool blocked_ = false;
  std::uint64_t offered_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t credit_ = 0;
};

class World {
 public:
  explicit World(const Scene& scene)
      : scene_(scene), up_(way(), scene.seed), down_(way(), ~scene.seed) {
    while (flows_.size() < scene.flows.size()) {
      flows_.push_back(std::make_unique<Flow>(scene, flows_.size(), now_));
    }
  }

  std::vector<double> play() {
    const Instant begin = now_;
    const Duration warm_up = scene_.length / 10;
    run_until(begin + warm_up);
    const std::vector<std::uint64_t> before = received();
    run_until(begin + scene_.length);
    std::vector<double> rates;
    const double seconds = std::chrono::duration<double>(scene_.length - warm_up).count();
    const std::vector<std::uint64_t> after = received();
    for (std::size_t i = 0; i < after.size(); ++i) {
      rates.push_back(static_cast<double>(after[i] - before[i]) / seconds);
    }
    return rates;
  }

 private:
  enum class Way : std::uint8_t { kUp, kDown };
  struct Flying {
    std::size_t flow;
    Way way;
    Bytes bytes;
  };

  [[nodiscard]] lab::Conditions way() const {
    const double queue = std::chrono::duration<double>(scene_.queue).count();
    return {.delay = scene_.round_trip / 2,
            .rate = scene_.rate,
            .queue_bytes = static_cast<std::uint64_t>(queue * static_cast<double>(scene_.rate)),
            .loss = scene_.loss};
  }
  [[nodiscard]] std::vector<std::uint64_t> received() const {
    std::vector<std::uint64_t> all;
    for (const auto& flow : flows_) all.push_back(flow->received());
    return all;
  }
  void run_until(Instant end) {
    while (now_ < end) {
      write();
      Instant next = flying_.empty() ? end : std::min(end, flying_.begin()->first);
      for (const auto& flow : flows_) next = std::min(next, flow->next_timeout());
      now_ = std::max(now_, next);
      while (!flying_.empty() && flying_.begin()->first <= now_) arrive();
      for (const auto& flow : flows_) flow->handle_timeouts(now_);
    }
  }
  void arrive() {
    const Flying flying = std::move(flying_.begin()->second);
    flying_.erase(flying_.begin());
    Flow& flow = *flows_[flying.flow];
    if (flying.way == Way::kUp) return flow.arrive_at_server(flying.bytes, now_);
    flow.arrive_at_client(flying.bytes, now_);
  }
  void write() {
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      const auto carry = [&](Way way, lab::Path& path) {
        return std::function<void(BytesView)>([this, i, way, &path](BytesView bytes) {
          auto arrivals = path.carry(bytes, now_);
          for (std::size_t k = 0; k < arrivals.count; ++k) {
            flying_.emplace(arrivals.items[k].at,
                            Flying{i, way, std::move(arrivals.items[k].bytes)});
          }
        });
      };
      flows_[i]->write(now_, carry(Way::kUp, up_), carry(Way::kDown, down_));
    }
  }

  const Scene scene_;
  Instant now_ = Instant(1s);
  lab::Path up_;
  lab::Path down_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::multimap<Instant, Flying> flying_;
};

}  // namespace

std::vector<double> play(const Scene& scene) { return World(scene).play(); }

}  // namespace orzatty::congestion
