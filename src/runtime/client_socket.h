// The socket that a client talks through at the moment, and what its threads sleep on: one of them
// may sleep with the lock of the pump ("holder"), and the backup thread without ("backup").
//
// With the lock of the pump, but for what says otherwise.
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string_view>

#include "base/address.h"
#include "net/receive_batch.h"
#include "orzatty/error.h"
#include "runtime/batch_sink.h"
#include "runtime/server_addresses.h"
#include "runtime/sleeper.h"

namespace orzatty::runtime {

class ClientSocket {
 public:
  struct Path {
    base::Address local;
    base::Address remote;
  };

  // Looks the server up; opens nothing to it yet.
  static std::expected<std::unique_ptr<ClientSocket>, Error> prepare(std::string_view server);

  // A socket to the server's current address, in place of the one before.
  std::expected<Path, Error> connect();
  // A new socket to the same address: from another port, and address if the machine has another one
  // now. The old one stays when there is none to be had.
  std::expected<base::Address, Error> rebind();
  // The address from which this machine would reach the server now is not the one in use.
  [[nodiscard]] bool has_moved() const;
  [[nodiscard]] ServerAddresses& addresses() { return addresses_; }

  [[nodiscard]] bool open() const { return sink_.size() > 0; }
  [[nodiscard]] BatchSink& sink() { return sink_; }
  [[nodiscard]] std::span<const net::Received> receive();
  // Since the last receive(): the other side's host says that nobody listens there.
  [[nodiscard]] bool refused() const { return received_.was_refused(); }

  [[nodiscard]] Sleeper& holder() { return *holder_; }
  [[nodiscard]] Sleeper& backup() { return *backup_; }
  // Before a sleep: what of the socket shall end it.
  void aim(Sleeper& sleeper);
  // Any thread: whoever sleeps looks for what it has to do.
  void wake_all() {
    holder_->wake();
    backup_->wake();
  }

 private:
  static constexpr std::size_t kReceiveCountMax = 8;  // per turn; then it is the sender's

  ClientSocket(ServerAddresses addresses, std::unique_ptr<Sleeper> holder,
               std::unique_ptr<Sleeper> backup);
  std::expected<base::Address, Error> replace(const base::Address& remote);

  ServerAddresses addresses_;
  base::Address local_;
  base::Address remote_;
  BatchSink sink_;
  net::ReceiveBatch received_;
  std::unique_ptr<Sleeper> holder_;
  std::unique_ptr<Sleeper> backup_;
};

}  // namespace orzatty::runtime
