// base::Address as the socket addresses that ngtcp2 wants, and back.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include "base/address.h"

namespace orzatty::quic {

// One end, with the memory that its ngtcp2_addr points to.
class SocketAddress {
 public:
  explicit SocketAddress(const base::Address& address);
  [[nodiscard]] ngtcp2_addr view() { return {&bytes_.sa, size_}; }

 private:
  ngtcp2_sockaddr_union bytes_{};
  ngtcp2_socklen size_ = 0;
};

// Both ends of a path.
class SocketPath {
 public:
  SocketPath(const base::Address& local, const base::Address& remote)
      : local_(local), remote_(remote) {}
  [[nodiscard]] ngtcp2_path view() { return {local_.view(), remote_.view(), nullptr}; }

 private:
  SocketAddress local_;
  SocketAddress remote_;
};

// The path that ngtcp2 wants a packet to take, as both say it. Nearly all packets of a connection take
// the same, so it is translated when it changes.
class PathOut {
 public:
  PathOut();
  // For ngtcp2 to write to.
  [[nodiscard]] ngtcp2_path* native() { return &written_.path; }
  // After it did.
  void translate();
  [[nodiscard]] const base::Address& local() const { return local_; }
  [[nodiscard]] const base::Address& remote() const { return remote_; }

 private:
  ngtcp2_path_storage written_{};
  ngtcp2_path_storage translated_{};  // of no family yet
  base::Address local_;
  base::Address remote_;
};

base::Address address_of(const ngtcp2_addr& address);

}  // namespace orzatty::quic
