#include "quic/connection_state.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "quic/error_translation.h"
#include "quic/ngtcp2_callbacks.h"
#include "quic/sockaddr.h"

namespace orzatty::quic {
namespace {

constexpr std::size_t kClientIdSize = 8;
constexpr std::size_t kFirstTargetSize = 18;  // a secret for the Initial keys until the server's id

std::uint64_t nanoseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration::zero()).count());
}

// Path discovery tries the largest first and stops at the first that gets through; the others are
// what tunnels and mobile networks leave of Ethernet's 1500 bytes. 1232 is IPv6's minimum.
struct Probes {
  std::array<std::uint16_t, 4> sizes{};
  std::size_t count = 0;

  explicit Probes(std::size_t size_max) {
    for (const std::size_t size :
         {size_max, std::size_t{1392}, std::size_t{1332}, std::size_t{1232}}) {
      const bool useful = size > NGTCP2_MAX_UDP_PAYLOAD_SIZE && (count == 0 || size < size_max);
      if (useful) sizes[count++] = static_cast<std::uint16_t>(size);
    }
  }
};

ngtcp2_cc_algo algorithm_of(CongestionControl control) {
  return control == CongestionControl::kBbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
}

ngtcp2_settings settings_of(const ConnectionConfig& config, KeyedRandom& random,
                            const Probes& probes, std::uint64_t now) {
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = now;
  settings.cc_algo = algorithm_of(config.congestion_control);
  settings.max_tx_udp_payload_size = config.packet_size_max;
  settings.handshake_timeout = nanoseconds(config.handshake_timeout);
  settings.rand_ctx.native_handle = &random;
  // ngtcp2 grows windows up to these by itself.
  settings.max_window = config.connection_window;
  settings.max_stream_window = std::max(config.stream_window, config.stream_window_max);
  settings.pmtud_probes = probes.sizes.data();
  settings.pmtud_probeslen = probes.count;
  settings.no_pmtud = probes.count == 0 ? 1 : 0;
  return settings;
}

void set_token(ngtcp2_settings& settings, BytesView token) {
  settings.token = reinterpret_cast<const std::uint8_t*>(token.data());
  settings.tokenlen = token.size();
}

ngtcp2_transport_params transport_params_of(const ConnectionConfig& config) {
  constexpr std::uint64_t kPacketSizeReceivedMax = 65527;  // the most that UDP carries
  constexpr std::uint64_t kPeerIdCount = 4;  // addresses that we can change to without waiting
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  params.initial_max_data = config.connection_window;
  params.initial_max_stream_data_bidi_local = config.stream_window;
  params.initial_max_stream_data_bidi_remote = config.stream_window;
  params.initial_max_stream_data_uni = config.stream_window;
  params.initial_max_streams_bidi = config.bidi_stream_count;
  params.initial_max_streams_uni = config.uni_stream_count;
  params.max_idle_timeout = nanoseconds(config.idle_timeout);
  params.max_ack_delay = nanoseconds(config.ack_delay_max);
  params.max_udp_payload_size = kPacketSizeReceivedMax;
  params.active_connection_id_limit = kPeerIdCount;
  // spec: TRANSPORT-7
  params.max_datagram_frame_size = config.datagram_frame_size_max;
  return params;
}

ngtcp2_cid random_id(KeyedRandom& random, std::size_t size) {
  ngtcp2_cid id{};
  id.datalen = size;
  random.fill(std::as_writable_bytes(std::span(id.data, size)));
  return id;
}

BytesView bytes_of_seed(const std::uint64_t& seed) { return std::as_bytes(std::span(&seed, 1)); }

}  // namespace

ConnectionState::ConnectionState(const ConnectionConfig& connection_config,
                                 std::shared_ptr<const ClientCredentials> credentials,
                                 const Ends& ends, const std::string& server_name,
                                 std::uint64_t seed, Instant now)
    : config(connection_config),
      random(bytes_of_seed(seed), "client", 0),
      keys(config.packet_protection) {
  tls = std::make_unique<TlsSession>(std::move(credentials), config.application_protocol,
                                     server_name);
  advance(now);
  make_client(ends);
}

ConnectionState::ConnectionState(const ConnectionConfig& connection_config,
                                 std::shared_ptr<const ServerCredentials> credentials,
                                 const Ends& ends, const Admission& admission,
                                 ConnectionIds& server_ids, Instant now)
    : config(connection_config),
      random(bytes_of_seed(server_ids.random().next()), "server", 0),
      keys(config.packet_protection),
      ids_(&server_ids),
      key_(admission.key) {
  tls = std::make_unique<TlsSession>(std::move(credentials), config.application_protocol);
  advance(now);
  ids_->handshake_begun();
  make_server(ends, admission);
}

void ConnectionState::make_client(const Ends& ends) {
  const Probes probes(config.packet_size_max);
  ngtcp2_settings settings = settings_of(config, random, probes, last_time_);
  if (!config.address_token.empty()) {
    set_token(settings, config.address_token);
    settings.token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
  }
  const ngtcp2_transport_params params = transport_params_of(config);
  const ngtcp2_cid target = random_id(random, kFirstTargetSize);
  const ngtcp2_cid own = random_id(random, kClientIdSize);
  SocketPath path(ends.local, ends.remote);
  const ngtcp2_path native_path = path.view();
  ngtcp2_conn* connection = nullptr;
  ORZATTY_ASSERT(ngtcp2_conn_client_new(&connection, &target, &own, &native_path,
                                        NGTCP2_PROTO_VER_V1, &client_callbacks(), &settings,
                                        &params, nullptr, this) == 0);
  connection_.reset(connection);
  tls->attach(connection, keys);
}

void ConnectionState::make_server(const Ends& ends, const Admission& admission) {
  const Probes probes(config.packet_size_max);
  ngtcp2_settings settings = settings_of(config, random, probes, last_time_);
  ngtcp2_transport_params params = transport_params_of(config);
  params.original_dcid = admission.token.original_target;
  params.original_dcid_present = 1;
  if (admission.token.proof != AddressProof::kNone) {
    const bool retried = admission.token.proof == AddressProof::kRetry;
    set_token(settings, admission.packet.token);
    settings.token_type = retried ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
    params.retry_scid = admission.packet.target_id;
    params.retry_scid_present = retried ? 1 : 0;
  }
  const ConnectionId own = ids_->make();
  const ResetToken token = ids_->reset_token(own);
  params.stateless_reset_token_present = 1;
  std::ranges::copy(token, params.stateless_reset_token);
  // The client uses the id that it chose until it has seen ours.
  track(ConnectionId(admission.packet.target_id));
  track(own);
  SocketPath path(ends.local, ends.remote);
  const ngtcp2_path native_path = path.view();
  const ngtcp2_cid own_native = own.native();
  ngtcp2_conn* connection = nullptr;
  ORZATTY_ASSERT(ngtcp2_conn_server_new(&connection, &admission.packet.client_id, &own_native,
                                        &native_path, admission.packet.version, &server_callbacks(),
                                        &settings, &params, nullptr, this) == 0);
  connection_.reset(connection);
  tls->attach(connection, keys);
}

ConnectionState::~ConnectionState() {
  if (ids_ == nullptr) return;
  for (const ConnectionId& id : own_ids_) ids_->remove(id);
  if (!established) ids_->handshake_ended();
}

std::uint64_t ConnectionState::advance(Instant now) {
  const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  last_time_ = std::max(last_time_, time);
  return last_time_;
}

void ConnectionState::handshake_completed() {
  established = true;
  if (ids_ != nullptr) {
    ids_->handshake_ended();
    send_address_token(address_of(ngtcp2_conn_get_path(native())->remote));
  }
  events.push(HandshakeCompleted{});
}

void ConnectionState::send_address_token(const base::Address& client) {
  std::array<std::byte, kAddressTokenSizeMax> token{};
  const Instant now{std::chrono::nanoseconds(last_time_)};
  const std::size_t size = make_address_token(token, client, ids_->secret(), now);
  if (size == 0) return;
  const int error = ngtcp2_conn_submit_new_token(
      native(), reinterpret_cast<const std::uint8_t*>(token.data()), size);
  ORZATTY_ASSERT(error == 0);
}

void ConnectionState::issue_id(ngtcp2_cid& id, std::uint8_t* reset_token, std::size_t size) {
  if (ids_ == nullptr) {
    id = random_id(random, size);
    random.fill(std::as_writable_bytes(std::span(reset_token, NGTCP2_STATELESS_RESET_TOKENLEN)));
    return;
  }
  ORZATTY_ASSERT(size == ConnectionIds::kSize);
  const ConnectionId own = ids_->make();
  track(own);
  id = own.native();
  std::ranges::copy(ids_->reset_token(own), reset_token);
}

void ConnectionState::retire_id(const ngtcp2_cid& id) {
  if (ids_ == nullptr) return;
  const ConnectionId own(id);
  if (std::erase(own_ids_, own) > 0) ids_->remove(own);
}

// An id of ours that exists already would be a broken generator; one that a client chose may be
// taken, and then its datagrams go to who had it first.
void ConnectionState::track(const ConnectionId& id) {
  if (ids_->add(id, key_)) own_ids_.push_back(id);
}

void ConnectionState::stream_closed(StreamId stream) {
  blocked.remove(stream);
  std::erase(shut, stream);
  events.push(StreamClosed{stream});
}

void ConnectionState::drop_tls() {
  ngtcp2_conn_set_tls_native_handle(native(), nullptr);
  tls.reset();
}

void ConnectionState::close(Closed reason, ClosedBy by) {
  if (!closing.open()) return;
  closing.begin(by, reason.code, reason.text);
  events.push(std::move(reason));
}

void ConnectionState::vanish(Closed reason) {
  if (!closing.open()) return;
  closing.end();
  events.push(std::move(reason));
}

void ConnectionState::drain() {
  if (!closing.open()) return;
  closing.drain(last_time_ + 3 * ngtcp2_conn_get_pto(native()));
  events.push(closed_by_peer(*ngtcp2_conn_get_ccerr(native())));
}

void ConnectionState::fail(int error) {
  switch (error) {
    case NGTCP2_ERR_DRAINING:
      if (!stateless_reset) return drain();
      return vanish({CloseOrigin::kStatelessReset, 0, "the peer has forgotten this connection"});
    case NGTCP2_ERR_IDLE_CLOSE:
      if (established) return vanish({CloseOrigin::kIdle, 0, "nothing was heard for too long"});
      [[fallthrough]];
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      return vanish({CloseOrigin::kHandshakeTimeout, 0, "the handshake took too long"});
    case NGTCP2_ERR_CRYPTO: {
      if (tls != nullptr && tls->refusal()) {
        return close(closed_by_alert(tls->refusal()->alert, tls->refusal()->text),
                     ClosedBy::kTransport);
      }
      const std::uint8_t alert = ngtcp2_conn_get_tls_alert(native());
      if (alert != 0) return close(closed_by_alert(alert, ""), ClosedBy::kTransport);
      return close(closed_by_library(error), ClosedBy::kTransport);
    }
    // What a stranger's first packet can cause. Nothing was promised, so nothing is said.
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      return vanish(closed_by_library(error));
    default:
      return close(closed_by_library(error), ClosedBy::kTransport);
  }
}

}  // namespace orzatty::quic
