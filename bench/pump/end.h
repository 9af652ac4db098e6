// One end of the pump: a QUIC connection with one stream on ngtcp2 and GnuTLS, and its socket, with
// nothing between but who encrypts packets for Orzatty too. What Orzatty is measured against: it
// shows what the libraries and the kernel let through. Faults end the process: there is nothing to
// be robust about.
#pragma once

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "message_reader.h"
#include "net/receive_batch.h"
#include "net/send_batch.h"
#include "net/udp_socket.h"
#include "orzatty/tls.h"
#include "quic/packet_protection.h"
#include "ring.h"
#include "runtime/packet_protection.h"

namespace orzatty::pump {

// With one line, as nothing can go on.
[[noreturn]] void fail(const std::string& what);

class End {
 public:
  static constexpr std::size_t kPacketSize = 1452;
  using Take = std::function<void(BytesView payload)>;

  // A client begins its handshake; its stream is open when established() says so.
  static std::unique_ptr<End> client(const base::Address& server);
  // A server takes the first client that comes, and the stream that it opens.
  static std::unique_ptr<End> server(const Certificate& certificate);
  ~End();
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  // Called for each message that arrives; ring() may be written to.
  void on_message(Take take) { take_ = std::move(take); }
  [[nodiscard]] Ring& ring() { return ring_; }

  // Takes what has arrived; false when nothing has.
  bool receive();
  // Sends what may be sent now, and looks after timers.
  void send();
  // Sleeps until something arrives or a timer is due.
  void wait();

  [[nodiscard]] bool established() const { return stream_ >= 0; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const base::Address& address() const { return socket_.local_address(); }
  void close();

 private:
  struct Callbacks;  // ngtcp2's, in C
  explicit End(net::UdpSocket socket, bool is_server);

  void make_credentials(const Certificate* certificate);
  void make_session();
  void connect(const base::Address& server);
  [[nodiscard]] bool accept(const net::Received& received, BytesView packet);
  void handle(BytesView packet, std::uint64_t now);
  // One packet into the batch; false when there is nothing to send.
  [[nodiscard]] bool write_packet(std::uint64_t now);
  void flush();
  void handle_timer(std::uint64_t now);

  net::UdpSocket socket_;
  bool is_server_;
  net::ReceiveBatch received_{8};
  net::SendBatch batch_;
  base::Address remote_;
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_session_t session_ = nullptr;
  ngtcp2_crypto_conn_ref reference_{};
  quic::PacketKeys keys_{runtime::packet_protection()};
  ngtcp2_path_storage path_{};
  ngtcp2_conn* connection_ = nullptr;
  std::int64_t stream_ = -1;
  bool closed_ = false;
  Ring ring_;
  MessageReader reader_;
  Take take_;
};

}  // namespace orzatty::pump
