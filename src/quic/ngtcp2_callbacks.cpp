#include "quic/ngtcp2_callbacks.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <span>

#include "base/assert.h"
#include "quic/connection_state.h"
#include "quic/sockaddr.h"

namespace orzatty::quic {
namespace {

ConnectionState& state_of(void* user_data) { return *static_cast<ConnectionState*>(user_data); }

// After the handshake nothing in CRYPTO frames matters: we send no tickets and accept none.
int on_crypto_data(ngtcp2_conn* connection, ngtcp2_encryption_level level, std::uint64_t offset,
                   const std::uint8_t* data, std::size_t size, void* user_data) {
  if (state_of(user_data).tls == nullptr) return 0;
  return ngtcp2_crypto_recv_crypto_data_cb(connection, level, offset, data, size, user_data);
}

int on_handshake_completed(ngtcp2_conn*, void* user_data) {
  state_of(user_data).handshake_completed();
  return 0;
}

int on_stream_data(ngtcp2_conn*, std::uint32_t flags, std::int64_t stream, std::uint64_t,
                   const std::uint8_t* data, std::size_t size, void* user_data, void*) {
  StreamSink* sink = state_of(user_data).sink;
  ORZATTY_ASSERT(sink != nullptr);
  const Fin fin = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0 ? Fin::kYes : Fin::kNo;
  sink->on_stream_bytes(StreamId(stream), std::as_bytes(std::span(data, size)), fin);
  return 0;
}

int on_datagram(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data, std::size_t size,
                void* user_data) {
  StreamSink* sink = state_of(user_data).sink;
  ORZATTY_ASSERT(sink != nullptr);
  sink->on_datagram_frame(std::as_bytes(std::span(data, size)));
  return 0;
}

int on_datagram_acked(ngtcp2_conn*, std::uint64_t tag, void* user_data) {
  state_of(user_data).events.push(DatagramFrameAcked{tag});
  return 0;
}

int on_datagram_lost(ngtcp2_conn*, std::uint64_t tag, void* user_data) {
  state_of(user_data).events.push(DatagramFrameLost{tag});
  return 0;
}

int on_acked(ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t size, void* user_data,
             void*) {
  if (size > 0) state_of(user_data).events.push_acked(StreamId(stream), size);
  return 0;
}

int on_stream_open(ngtcp2_conn*, std::int64_t stream, void* user_data) {
  state_of(user_data).events.push(StreamOpened{StreamId(stream)});
  return 0;
}

int on_stream_close(ngtcp2_conn*, std::uint32_t, std::int64_t stream, std::uint64_t,
                    void* user_data, void*) {
  state_of(user_data).stream_closed(StreamId(stream));
  return 0;
}

int on_stream_reset(ngtcp2_conn*, std::int64_t stream, std::uint64_t, std::uint64_t code,
                    void* user_data, void*) {
  state_of(user_data).events.push(StreamReset{StreamId(stream), code});
  return 0;
}

int on_stream_credit(ngtcp2_conn*, std::int64_t, std::uint64_t, void* user_data, void*) {
  state_of(user_data).blocked.credit_came();
  return 0;
}

int on_streams_granted(ngtcp2_conn*, std::uint64_t, void* user_data) {
  state_of(user_data).events.push_streams_granted();
  return 0;
}

int on_stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user_data) {
  state_of(user_data).stateless_reset = true;
  return 0;
}

// spec: TRANSPORT-5
int on_path_validation(ngtcp2_conn*, std::uint32_t flags, const ngtcp2_path* path,
                       const ngtcp2_path*, ngtcp2_path_validation_result result, void* user_data) {
  if (result != NGTCP2_PATH_VALIDATION_RESULT_SUCCESS) return 0;
  if ((flags & NGTCP2_PATH_VALIDATION_FLAG_NEW_TOKEN) != 0) {
    state_of(user_data).send_address_token(address_of(path->remote));
  }
  state_of(user_data).events.push(PathChanged{address_of(path->local), address_of(path->remote)});
  return 0;
}

// A longer one is not of our server, and would leave a first packet no room for what it is for.
int on_address_token(ngtcp2_conn*, const std::uint8_t* token, std::size_t size, void* user_data) {
  if (size > kAddressTokenSizeMax) return 0;
  const auto bytes = std::as_bytes(std::span(token, size));
  state_of(user_data).events.push(AddressTokenReceived{Bytes(bytes.begin(), bytes.end())});
  return 0;
}

int on_new_connection_id(ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t size,
                         void* user_data) {
  state_of(user_data).issue_id(*id, token, size);
  return 0;
}

int on_remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* id, void* user_data) {
  state_of(user_data).retire_id(*id);
  return 0;
}

int on_path_challenge(ngtcp2_conn*, std::uint8_t* data, void* user_data) {
  state_of(user_data).random.fill(
      std::as_writable_bytes(std::span(data, NGTCP2_PATH_CHALLENGE_DATALEN)));
  return 0;
}

int on_key_update(ngtcp2_conn* connection, std::uint8_t* rx_secret, std::uint8_t* tx_secret,
                  ngtcp2_crypto_aead_ctx* rx_key, std::uint8_t* rx_iv,
                  ngtcp2_crypto_aead_ctx* tx_key, std::uint8_t* tx_iv,
                  const std::uint8_t* current_rx_secret, const std::uint8_t* current_tx_secret,
                  std::size_t size, void* user_data) {
  return state_of(user_data).keys.update(
      connection, {rx_secret, rx_iv, rx_key}, {tx_secret, tx_iv, tx_key},
      {std::span(current_rx_secret, size), std::span(current_tx_secret, size)});
}

void on_packet_key_unused(ngtcp2_conn* connection, ngtcp2_crypto_aead_ctx* key, void* user_data) {
  state_of(user_data).keys.drop(connection, key);
}

void on_header_key_unused(ngtcp2_conn* connection, ngtcp2_crypto_cipher_ctx* key, void* user_data) {
  state_of(user_data).keys.drop(connection, key);
}

void on_random(std::uint8_t* data, std::size_t size, const ngtcp2_rand_ctx* context) {
  auto* random = static_cast<KeyedRandom*>(context->native_handle);
  random->fill(std::as_writable_bytes(std::span(data, size)));
}

ngtcp2_callbacks common_callbacks() {
  ngtcp2_callbacks callbacks{};
  callbacks.recv_crypto_data = on_crypto_data;
  callbacks.handshake_completed = on_handshake_completed;
  callbacks.encrypt = encrypt_packet;
  callbacks.decrypt = decrypt_packet;
  callbacks.hp_mask = mask_header;
  callbacks.recv_stream_data = on_stream_data;
  callbacks.acked_stream_data_offset = on_acked;
  callbacks.stream_open = on_stream_open;
  callbacks.stream_close = on_stream_close;
  callbacks.recv_stateless_reset = on_stateless_reset;
  callbacks.extend_max_local_streams_bidi = on_streams_granted;
  callbacks.extend_max_local_streams_uni = on_streams_granted;
  callbacks.rand = on_random;
  callbacks.get_new_connection_id = on_new_connection_id;
  callbacks.remove_connection_id = on_remove_connection_id;
  callbacks.update_key = on_key_update;
  callbacks.path_validation = on_path_validation;
  callbacks.stream_reset = on_stream_reset;
  callbacks.extend_max_stream_data = on_stream_credit;
  callbacks.recv_datagram = on_datagram;
  callbacks.ack_datagram = on_datagram_acked;
  callbacks.lost_datagram = on_datagram_lost;
  callbacks.delete_crypto_aead_ctx = on_packet_key_unused;
  callbacks.delete_crypto_cipher_ctx = on_header_key_unused;
  callbacks.get_path_challenge_data = on_path_challenge;
  callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  return callbacks;
}

}  // namespace

const ngtcp2_callbacks& client_callbacks() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks client = common_callbacks();
    client.client_initial = ngtcp2_crypto_client_initial_cb;
    client.recv_retry = ngtcp2_crypto_recv_retry_cb;
    client.recv_new_token = on_address_token;
    return client;
  }();
  return callbacks;
}

const ngtcp2_callbacks& server_callbacks() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks server = common_callbacks();
    server.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    return server;
  }();
  return callbacks;
}

}  // namespace orzatty::quic
