// What one program of bench/peers has to know: how its library sends and receives. The rest, from
// clock to JSON, is scene.h.
#pragma once

#include <memory>
#include <span>
#include <stdexcept>

#include "orzatty/bytes.h"
#include "plan.h"
#include "receipt.h"
#include "worker.h"

namespace orzatty::peers {

// The world's fault, or the library's: the measurement ends with this line.
class Failed : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& what) {
  if (!holds) throw Failed(what);
}

// One end of an open connection; calls block.
class Link {
 public:
  Link() = default;
  virtual ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // May hold the message back until receive() or finish() is called.
  virtual void send(BytesView message) = 0;
  // Valid until the next call.
  virtual BytesView receive() = 0;
  // Once, after the last send().
  virtual void finish() {}
};

// The two processes agree on ports, and on being ready, by a conversation of their own.
class Peer {
 public:
  Peer() = default;
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] virtual Description describe() const = 0;
  // Before the processes part: certificates, keys, a broker. May start no thread.
  virtual void prepare(const Plan&) {}
  // In the receiver's process: returns when every receipt, one per subscriber, has its end.
  virtual void receive(const Plan& plan, apps::Conversation& sender,
                       std::span<Receipt> receipts) = 0;
  // In the receiver's process: sends back what comes, until the end comes.
  virtual void echo(const Plan& plan, apps::Conversation& sender) = 0;
  // In the sender's process: returns when every receiver is ready.
  virtual std::unique_ptr<Link> open(const Plan& plan, apps::Conversation& receiver) = 0;
};

inline void receive_all(Link& link, Receipt& receipt) {
  while (receipt.take(link.receive())) {
  }
}

inline void echo_all(Link& link) {
  while (true) {
    const BytesView message = link.receive();
    if (is_end(message)) return;
    link.send(message);
  }
}

// What the other process says next; it is gone when there is nothing.
template <class Value>
Value heard(apps::Conversation& other) {
  const auto value = other.hear<Value>();
  if (!value) throw Failed("the other process ended");
  return *value;
}

}  // namespace orzatty::peers
