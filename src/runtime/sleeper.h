// A place where one thread at a time sleeps until a socket has news, a time has come, or another
// thread wakes it.
//
//   sleeper.begin();              // from here on wake() ends the sleep
//   if (nothing to do) sleeper.wait(until);
//   sleeper.end();
#pragma once

#include <expected>
#include <memory>
#include <optional>

#include "net/poller.h"
#include "net/udp_socket.h"
#include "net/wakeup.h"
#include "orzatty/error.h"
#include "orzatty/time.h"

namespace orzatty::runtime {

class Sleeper {
 public:
  static std::expected<std::unique_ptr<Sleeper>, Error> open();

  // Any thread.
  void wake() { wakeup_->wake(); }

  // One thread at a time, also while another sleeps. The socket stays open until forget().
  void watch(const net::UdpSocket& socket);
  void look_for(net::Interest interest, const net::UdpSocket& socket);
  void forget(const net::UdpSocket& socket);

  // The thread that sleeps.
  void begin() { wakeup_->begin_sleep(); }
  void wait(std::optional<Instant> until) { static_cast<void>(poller_.wait(until)); }
  void end() { wakeup_->end_sleep(); }

 private:
  Sleeper(net::Poller poller, std::unique_ptr<net::Wakeup> wakeup);

  net::Poller poller_;
  std::unique_ptr<net::Wakeup> wakeup_;
  net::Interest interest_ = net::Interest::kRead;
};

}  // namespace orzatty::runtime
