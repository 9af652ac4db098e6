#include "end.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "net/clock.h"
#include "quic/sockaddr.h"

namespace orzatty::pump {
namespace {

constexpr std::uint64_t kWindow = 8 * 1024 * 1024;
constexpr std::uint64_t kWindowMax = 64 * 1024 * 1024;
constexpr std::size_t kSendQuantum = 8 * net::SendBatch::kGroupSizeMax;  // then receives again
constexpr std::size_t kIdSize = 8;
// AES-128 first, as Orzatty prefers it.
constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:+GROUP-X25519:"
    "+GROUP-SECP256R1:%DISABLE_TLS13_COMPAT_MODE";

std::uint64_t now_ns() { return static_cast<std::uint64_t>(net::now().time_since_epoch().count()); }

void check(int result, const char* what) {
  if (result < 0) fail(std::string(what) + ": " + std::to_string(result));
}

net::UdpSocket opened(std::expected<net::UdpSocket, Error> socket) {
  if (!socket) fail(socket.error().text);
  return std::move(*socket);
}

ngtcp2_cid random_id() {
  ngtcp2_cid id{};
  id.datalen = kIdSize;
  check(gnutls_rnd(GNUTLS_RND_NONCE, id.data, kIdSize), "gnutls_rnd");
  return id;
}

ngtcp2_settings settings() {
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = now_ns();
  settings.cc_algo = NGTCP2_CC_ALGO_CUBIC;
  settings.max_tx_udp_payload_size = End::kPacketSize;
  settings.no_tx_udp_payload_size_shaping = 1;
  settings.no_pmtud = 1;
  settings.initial_rtt = NGTCP2_MILLISECONDS;
  settings.max_window = kWindowMax;
  settings.max_stream_window = kWindowMax;
  return settings;
}

ngtcp2_transport_params transport_params() {
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  params.initial_max_data = kWindow;
  params.initial_max_stream_data_bidi_local = kWindow;
  params.initial_max_stream_data_bidi_remote = kWindow;
  params.initial_max_streams_bidi = 1;
  params.max_idle_timeout = 30 * NGTCP2_SECONDS;
  params.max_udp_payload_size = 65527;
  return params;
}

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "pump: %s\n", what.c_str());
  std::_Exit(1);
}

struct End::Callbacks {
  static End& of(void* user_data) { return *static_cast<End*>(user_data); }

  static int completed(ngtcp2_conn* connection, void* user_data) {
    End& end = of(user_data);
    if (end.is_server_) return 0;
    return ngtcp2_conn_open_bidi_stream(connection, &end.stream_, nullptr);
  }

  static int stream_data(ngtcp2_conn* connection, std::uint32_t, std::int64_t stream, std::uint64_t,
                         const std::uint8_t* data, std::size_t size, void* user_data, void*) {
    End& end = of(user_data);
    end.stream_ = stream;
    end.reader_.read(std::as_bytes(std::span(data, size)), std::ref(end.take_));
    ngtcp2_conn_extend_max_offset(connection, size);
    return ngtcp2_conn_extend_max_stream_offset(connection, stream, size);
  }

  static int acked(ngtcp2_conn*, std::int64_t, std::uint64_t offset, std::uint64_t size,
                   void* user_data, void*) {
    of(user_data).ring_.acked_to(offset + size);
    return 0;
  }

  static void random(std::uint8_t* data, std::size_t size, const ngtcp2_rand_ctx*) {
    check(gnutls_rnd(GNUTLS_RND_NONCE, data, size), "gnutls_rnd");
  }

  static int new_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t size, void*) {
    id->datalen = size;
    check(gnutls_rnd(GNUTLS_RND_NONCE, id->data, size), "gnutls_rnd");
    return gnutls_rnd(GNUTLS_RND_NONCE, token, NGTCP2_STATELESS_RESET_TOKENLEN);
  }

  static int secrets(gnutls_session_t session, gnutls_record_encryption_level_t level,
                     const void* receiving, const void* sending, std::size_t size) {
    auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
    End& end = of(reference->user_data);
    const auto secret = [size](const void* bytes) {
      return std::span(static_cast<const std::uint8_t*>(bytes), bytes == nullptr ? 0U : size);
    };
    return end.keys_.install(end.connection_, session, level, {secret(receiving), secret(sending)});
  }

  static int next_keys(ngtcp2_conn* connection, std::uint8_t* rx_secret, std::uint8_t* tx_secret,
                       ngtcp2_crypto_aead_ctx* rx_key, std::uint8_t* rx_iv,
                       ngtcp2_crypto_aead_ctx* tx_key, std::uint8_t* tx_iv,
                       const std::uint8_t* rx_now, const std::uint8_t* tx_now, std::size_t size,
                       void* user_data) {
    return of(user_data).keys_.update(connection, {rx_secret, rx_iv, rx_key},
                                      {tx_secret, tx_iv, tx_key},
                                      {std::span(rx_now, size), std::span(tx_now, size)});
  }

  static void key_unused(ngtcp2_conn* connection, ngtcp2_crypto_aead_ctx* key, void* user_data) {
    of(user_data).keys_.drop(connection, key);
  }

  static void header_key_unused(ngtcp2_conn* connection, ngtcp2_crypto_cipher_ctx* key,
                                void* user_data) {
    of(user_data).keys_.drop(connection, key);
  }

  static ngtcp2_callbacks table() {
    ngtcp2_callbacks table{};
    table.client_initial = ngtcp2_crypto_client_initial_cb;
    table.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    table.recv_retry = ngtcp2_crypto_recv_retry_cb;
    table.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    table.encrypt = quic::encrypt_packet;
    table.decrypt = quic::decrypt_packet;
    table.hp_mask = quic::mask_header;
    table.update_key = next_keys;
    table.delete_crypto_aead_ctx = key_unused;
    table.delete_crypto_cipher_ctx = header_key_unused;
    table.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
    table.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    table.handshake_completed = completed;
    table.recv_stream_data = stream_data;
    table.acked_stream_data_offset = acked;
    table.rand = random;
    table.get_new_connection_id = new_id;
    return table;
  }
};

End::End(net::UdpSocket socket, bool is_server)
    : socket_(std::move(socket)), is_server_(is_server) {
  ngtcp2_path_storage_zero(&path_);
}

std::unique_ptr<End> End::client(const base::Address& server) {
  auto end = std::unique_ptr<End>(new End(opened(net::UdpSocket::connect(server, {})), false));
  end->make_credentials(nullptr);
  end->connect(server);
  return end;
}

std::unique_ptr<End> End::server(const Certificate& certificate) {
  const auto loopback = base::Address::parse("127.0.0.1:0");
  auto end = std::unique_ptr<End>(new End(opened(net::UdpSocket::bind(*loopback, {})), true));
  end->make_credentials(&certificate);
  return end;
}

End::~End() {
  if (connection_ != nullptr) ngtcp2_conn_del(connection_);
  if (session_ != nullptr) gnutls_deinit(session_);
  gnutls_certificate_free_credentials(credentials_);
}

void End::make_credentials(const Certificate* certificate) {
  check(gnutls_certificate_allocate_credentials(&credentials_), "credentials");
  if (certificate == nullptr) return;  // a client, which does not look at the certificate either
  std::string chain = certificate->chain_pem;
  std::string key = certificate->key_pem;
  const auto datum = [](std::string& text) {
    return gnutls_datum_t{reinterpret_cast<unsigned char*>(text.data()),
                          static_cast<unsigned int>(text.size())};
  };
  const gnutls_datum_t chain_datum = datum(chain);
  const gnutls_datum_t key_datum = datum(key);
  check(gnutls_certificate_set_x509_key_mem(credentials_, &chain_datum, &key_datum,
                                            GNUTLS_X509_FMT_PEM),
        "certificate");
}

void End::make_session() {
  check(gnutls_init(&session_,
                    is_server_ ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT),
        "gnutls_init");
  check(gnutls_priority_set_direct(session_, kPriority, nullptr), "priority");
  check(gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_), "credentials");
  check(is_server_ ? ngtcp2_crypto_gnutls_configure_server_session(session_)
                   : ngtcp2_crypto_gnutls_configure_client_session(session_),
        "ngtcp2_crypto_gnutls_configure_session");
  gnutls_handshake_set_secret_function(session_, Callbacks::secrets);
  reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
    return static_cast<End*>(reference->user_data)->connection_;
  };
  reference_.user_data = this;
  gnutls_session_set_ptr(session_, &reference_);
  ngtcp2_conn_set_tls_native_handle(connection_, session_);
}

void End::connect(const base::Address& server) {
  remote_ = server;
  quic::SocketPath path(address(), remote_);
  const ngtcp2_path native_path = path.view();
  const ngtcp2_callbacks callbacks = Callbacks::table();
  const ngtcp2_settings chosen = settings();
  const ngtcp2_transport_params params = transport_params();
  const ngtcp2_cid target = random_id();
  const ngtcp2_cid own = random_id();
  check(ngtcp2_conn_client_new(&connection_, &target, &own, &native_path, NGTCP2_PROTO_VER_V1,
                               &callbacks, &chosen, &params, nullptr, this),
        "ngtcp2_conn_client_new");
  make_session();
}

bool End::accept(const net::Received& received, BytesView packet) {
  ngtcp2_pkt_hd head;
  if (ngtcp2_accept(&head, reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()) !=
      0) {
    return false;
  }
  remote_ = received.remote;
  quic::SocketPath path(address(), remote_);
  const ngtcp2_path native_path = path.view();
  const ngtcp2_callbacks callbacks = Callbacks::table();
  const ngtcp2_settings chosen = settings();
  ngtcp2_transport_params params = transport_params();
  params.original_dcid = head.dcid;
  params.original_dcid_present = 1;
  const ngtcp2_cid own = random_id();
  check(ngtcp2_conn_server_new(&connection_, &head.scid, &own, &native_path, head.version,
                               &callbacks, &chosen, &params, nullptr, this),
        "ngtcp2_conn_server_new");
  make_session();
  return true;
}

bool End::receive() {
  const auto all = received_.receive(socket_, 8);
  std::uint64_t now = now_ns();
  for (const net::Received& received : all) {
    BytesView rest = received.bytes;
    while (!rest.empty() && !closed_) {
      const BytesView packet = rest.first(std::min(rest.size(), received.segment_size));
      rest = rest.subspan(packet.size());
      if (connection_ == nullptr) {
        if (!accept(received, packet)) continue;
        now = now_ns();  // ngtcp2 wants no time before the connection's first
      }
      handle(packet, now);
    }
  }
  return !all.empty();
}

void End::handle(BytesView packet, std::uint64_t now) {
  const ngtcp2_pkt_info info{};
  const int result = ngtcp2_conn_read_pkt(connection_, ngtcp2_conn_get_path(connection_), &info,
                                          reinterpret_cast<const std::uint8_t*>(packet.data()),
                                          packet.size(), now);
  if (result == NGTCP2_ERR_DRAINING) {
    closed_ = true;
  } else if (result != 0) {
    fail(std::string("ngtcp2_conn_read_pkt: ") + ngtcp2_strerror(result));
  }
}

void End::send() {
  if (connection_ == nullptr || closed_) return;
  const std::uint64_t now = now_ns();
  handle_timer(now);
  std::size_t sent = 0;
  while (sent < kSendQuantum && write_packet(now)) {
    sent += kPacketSize;
    // A full GSO send goes out while the next one is built: the other side starts earlier.
    if (batch_.group_count() > 1 || batch_.bytes() > net::SendBatch::kGroupSizeMax - kPacketSize) {
      flush();
    }
  }
  flush();
}

bool End::write_packet(std::uint64_t now) {
  auto room = batch_.space(kPacketSize);
  if (room.empty()) {
    flush();
    room = batch_.space(kPacketSize);
  }
  auto* out = reinterpret_cast<std::uint8_t*>(room.data());
  std::array<ngtcp2_vec, 2> pieces{};
  std::size_t count = 0;
  if (established()) {
    for (const BytesView piece : ring_.unsent()) {
      if (piece.empty()) continue;
      // ngtcp2 does not write to it.
      auto* bytes = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(piece.data()));
      pieces[count++] = {bytes, piece.size()};
    }
  }
  ngtcp2_pkt_info info;
  ngtcp2_ssize taken = -1;
  ngtcp2_ssize size = ngtcp2_conn_writev_stream(
      connection_, &path_.path, &info, out, kPacketSize, &taken, NGTCP2_WRITE_STREAM_FLAG_NONE,
      count > 0 ? stream_ : -1, pieces.data(), count, now);
  if (size == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
    size = ngtcp2_conn_writev_stream(connection_, &path_.path, &info, out, kPacketSize, nullptr,
                                     NGTCP2_WRITE_STREAM_FLAG_NONE, -1, nullptr, 0, now);
  }
  if (size < 0)
    fail(std::string("ngtcp2_conn_writev_stream: ") + ngtcp2_strerror(static_cast<int>(size)));
  if (taken > 0) ring_.taken(static_cast<std::size_t>(taken));
  if (size == 0) return false;
  batch_.push(static_cast<std::size_t>(size), address(), remote_, 0);
  return true;
}

void End::flush() {
  while (!batch_.empty() && batch_.flush(socket_) == net::SendStatus::kBlocked) {
    pollfd writable{.fd = socket_.fd(), .events = POLLOUT, .revents = 0};
    ::poll(&writable, 1, 1);
  }
}

void End::handle_timer(std::uint64_t now) {
  if (ngtcp2_conn_get_expiry(connection_) > now) return;
  const int result = ngtcp2_conn_handle_expiry(connection_, now);
  if (result == NGTCP2_ERR_IDLE_CLOSE) {
    closed_ = true;
  } else if (result != 0) {
    fail(std::string("ngtcp2_conn_handle_expiry: ") + ngtcp2_strerror(result));
  }
}

void End::wait() {
  constexpr std::uint64_t kWaitMax = 1'000'000'000;
  std::uint64_t wait = kWaitMax;
  if (connection_ != nullptr) {
    const std::uint64_t now = now_ns();
    const std::uint64_t due = ngtcp2_conn_get_expiry(connection_);
    wait = due > now ? std::min(due - now, kWaitMax) : 0;
  }
  const timespec timeout{.tv_sec = static_cast<std::time_t>(wait / 1'000'000'000),
                         .tv_nsec = static_cast<long>(wait % 1'000'000'000)};
  pollfd readable{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
  ::ppoll(&readable, 1, &timeout, nullptr);
}

void End::close() {
  ngtcp2_ccerr reason;
  ngtcp2_ccerr_default(&reason);
  const auto room = batch_.space(kPacketSize);
  ngtcp2_pkt_info info;
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
      connection_, &path_.path, &info, reinterpret_cast<std::uint8_t*>(room.data()), room.size(),
      &reason, now_ns());
  if (size > 0) batch_.push(static_cast<std::size_t>(size), address(), remote_, 0);
  flush();
  closed_ = true;
}

}  // namespace orzatty::pump
