// ZeroMQ over TCP, plain or with CURVE: PUSH to PULL, REQ to REP, and XPUB to SUB that waits for
// slow subscribers instead of dropping. The library batches by itself.

#include <zmq.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "peer.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

constexpr int kQueueSizeMax = 1000;  // messages, each way: ZeroMQ's default

using Key = std::array<char, 41>;  // 40 characters of Z85 and a zero
struct KeyPair {
  Key public_key{};
  Key secret_key{};
};
using Endpoint = std::array<char, 64>;  // "tcp://127.0.0.1:PORT" and a zero

KeyPair make_keys() {
  KeyPair keys;
  require(::zmq_curve_keypair(keys.public_key.data(), keys.secret_key.data()) == 0,
          "this libzmq has no CURVE");
  return keys;
}

BytesView view_of(zmq_msg_t& message) {
  return {static_cast<const std::byte*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message)};
}

class Socket {
 public:
  Socket(void* context, int type) : socket_(::zmq_socket(context, type)) {
    require(socket_ != nullptr, "zmq_socket");
    ::zmq_msg_init(&received_);
    set(ZMQ_SNDHWM, kQueueSizeMax);
    set(ZMQ_RCVHWM, kQueueSizeMax);
    set(ZMQ_LINGER, 0);  // everything has arrived when it is closed
  }
  ~Socket() {
    ::zmq_msg_close(&received_);
    ::zmq_close(socket_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void set(int option, int value) {
    require(::zmq_setsockopt(socket_, option, &value, sizeof value) == 0, "zmq_setsockopt");
  }
  void subscribe_to_all() {
    require(::zmq_setsockopt(socket_, ZMQ_SUBSCRIBE, "", 0) == 0, "ZMQ_SUBSCRIBE");
  }
  void be_server(const KeyPair& keys) {
    set(ZMQ_CURVE_SERVER, 1);
    set_key(ZMQ_CURVE_SECRETKEY, keys.secret_key);
  }
  void be_client_of(const KeyPair& server) {
    const KeyPair own = make_keys();
    set_key(ZMQ_CURVE_SERVERKEY, server.public_key);
    set_key(ZMQ_CURVE_PUBLICKEY, own.public_key);
    set_key(ZMQ_CURVE_SECRETKEY, own.secret_key);
  }

  // Gives where others find it.
  Endpoint bind() {
    require(::zmq_bind(socket_, "tcp://127.0.0.1:*") == 0, "zmq_bind");
    Endpoint endpoint{};
    std::size_t size = endpoint.size();
    require(::zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, endpoint.data(), &size) == 0, "port");
    return endpoint;
  }
  void connect(const Endpoint& endpoint) {
    require(::zmq_connect(socket_, endpoint.data()) == 0, "zmq_connect");
  }

  void send(BytesView message) {
    int sent = -1;
    do sent = ::zmq_send(socket_, message.data(), message.size(), 0);
    while (sent < 0 && (errno == EINTR || errno == EAGAIN));
    require(sent >= 0, "zmq_send");
  }
  // False when there is nothing now; without ZMQ_DONTWAIT it waits.
  bool receive(int flags) {
    while (::zmq_msg_recv(&received_, socket_, flags) < 0) {
      if (errno == EAGAIN) return false;
      require(errno == EINTR, "zmq_msg_recv");
    }
    return true;
  }
  BytesView received() { return view_of(received_); }

  [[nodiscard]] zmq_pollitem_t poll_item() const { return {socket_, 0, ZMQ_POLLIN, 0}; }

 private:
  void set_key(int option, const Key& key) {
    require(::zmq_setsockopt(socket_, option, key.data(), key.size()) == 0, "CURVE key");
  }

  void* socket_;
  zmq_msg_t received_{};
};

struct EndContext {
  void operator()(void* context) const { ::zmq_ctx_term(context); }
};
using Context = std::unique_ptr<void, EndContext>;

class ZmqLink final : public Link {
 public:
  explicit ZmqLink(int type) : context_(::zmq_ctx_new()), socket_(context_.get(), type) {}

  [[nodiscard]] Socket& socket() { return socket_; }
  void send(BytesView message) override { socket_.send(message); }
  BytesView receive() override {
    require(socket_.receive(0), "zmq_msg_recv");
    return socket_.received();
  }

 private:
  Context context_;
  Socket socket_;
};

class Subscribers {
 public:
  Subscribers(std::size_t count, const Endpoint& publisher, const KeyPair* keys)
      : context_(::zmq_ctx_new()) {
    for (std::size_t i = 0; i < count; ++i) {
      Socket& socket = *all_.emplace_back(std::make_unique<Socket>(context_.get(), ZMQ_SUB));
      if (keys != nullptr) socket.be_client_of(*keys);
      socket.subscribe_to_all();
      socket.connect(publisher);
      items_.push_back(socket.poll_item());
    }
  }

  void receive(std::span<Receipt> receipts) {
    std::size_t waiting = all_.size();
    while (waiting > 0) {
      require(::zmq_poll(items_.data(), static_cast<int>(items_.size()), -1) >= 0, "zmq_poll");
      for (std::size_t i = 0; i < all_.size(); ++i) {
        if ((items_[i].revents & ZMQ_POLLIN) != 0 && !drain(*all_[i], receipts[i])) --waiting;
      }
    }
  }

 private:
  // False when its end came.
  static bool drain(Socket& socket, Receipt& receipt) {
    while (socket.receive(ZMQ_DONTWAIT)) {
      if (!receipt.take(socket.received())) return false;
    }
    return true;
  }

  Context context_;
  std::vector<std::unique_ptr<Socket>> all_;
  std::vector<zmq_pollitem_t> items_;
};

class Zmq final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    int major = 0;
    int minor = 0;
    int patch = 0;
    ::zmq_version(&major, &minor, &patch);
    return {.name = "zmq",
            .version =
                std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch),
            .variants = {"curve", "plain"},
            .fans_out = true};
  }

  void prepare(const Plan& plan) override {
    encrypted_ = plan.variant == "curve";
    if (encrypted_) keys_ = make_keys();
  }

  void receive(const Plan& plan, apps::Conversation& sender, std::span<Receipt> receipts) override {
    if (plan.mode == Mode::kFanOut) {
      const auto publisher = heard<Endpoint>(sender);
      Subscribers(receipts.size(), publisher, encrypted_ ? &keys_ : nullptr).receive(receipts);
    } else {
      receive_all(*bound(ZMQ_PULL, sender), receipts.front());
    }
  }

  void echo(const Plan&, apps::Conversation& sender) override { echo_all(*bound(ZMQ_REP, sender)); }

  std::unique_ptr<Link> open(const Plan& plan, apps::Conversation& receiver) override {
    if (plan.mode == Mode::kFanOut) return open_publisher(plan, receiver);
    auto link = std::make_unique<ZmqLink>(plan.mode == Mode::kOneWay ? ZMQ_PUSH : ZMQ_REQ);
    if (encrypted_) link->socket().be_client_of(keys_);
    link->socket().connect(heard<Endpoint>(receiver));
    return link;
  }

 private:
  [[nodiscard]] std::unique_ptr<ZmqLink> bound(int type, apps::Conversation& other) const {
    auto link = std::make_unique<ZmqLink>(type);
    if (encrypted_) link->socket().be_server(keys_);
    other.tell(link->socket().bind());
    return link;
  }

  [[nodiscard]] std::unique_ptr<Link> open_publisher(const Plan& plan,
                                                     apps::Conversation& receiver) const {
    auto link = std::make_unique<ZmqLink>(ZMQ_XPUB);
    link->socket().set(ZMQ_XPUB_NODROP, 1);
    link->socket().set(ZMQ_XPUB_VERBOSE, 1);  // tells of each subscriber, not only of the first
    if (encrypted_) link->socket().be_server(keys_);
    receiver.tell(link->socket().bind());
    for (std::size_t i = 0; i < plan.subscribers; ++i) static_cast<void>(link->receive());
    return link;
  }

  bool encrypted_ = false;
  KeyPair keys_;  // of whoever binds
};

}  // namespace
}  // namespace orzatty::peers

int main(int count, char** words) {
  orzatty::peers::Zmq peer;
  return orzatty::peers::run(peer, count, words);
}
