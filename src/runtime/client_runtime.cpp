#include "runtime/client_runtime.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/limits_table.h"
#include "net/clock.h"
#include "net/entropy.h"
#include "runtime/backup_thread.h"
#include "runtime/packet_protection.h"
#include "runtime/stream_window.h"
#include "runtime/tls.h"
#include "wire/hello.h"

namespace orzatty {

namespace {

constexpr Duration kGoodbyeMax = std::chrono::milliseconds(50);

// The host of "host:port", which the certificate must name.
std::string host_of(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

client::EngineConfig engine_config(const ClientOptions& options) {
  client::EngineConfig config;
  config.limits = options.limits;
  config.token = options.token;
  config.agent = options.agent;
  net::entropy(config.producer.bytes);
  return config;
}

// Each of the server's addresses gets its share of the time.
quic::ConnectionConfig connection_config(const ClientOptions& options, std::size_t address_count) {
  const auto share = options.connect_timeout / static_cast<Duration::rep>(address_count);
  quic::ConnectionConfig config;
  config.stream_window = runtime::stream_window(options.limits);
  config.stream_window_max = options.limits.stream_window_max;
  config.connection_window = options.limits.connection_window;
  config.bidi_stream_count = 0;
  config.uni_stream_count =
      options.limits.subscription_count_max + options.limits.passing_stream_count_max;
  config.handshake_timeout = std::min(options.limits.handshake_timeout, share);
  config.idle_timeout = 3 * options.limits.dead_after;
  config.packet_protection = runtime::packet_protection();
  return config;
}

// `timeout` may be as long as it can be said.
Instant deadline_after(Duration timeout) {
  const Instant now = net::now();
  return timeout > Instant::max() - now ? Instant::max() : now + timeout;
}

std::optional<Error> problem_of(const ClientOptions& options) {
  if (auto problem = base::problem_of(options.limits)) {
    return Error{ErrorKind::kArgument, ErrorCode::kNone, "limits: " + *problem};
  }
  if (options.token.size() > wire::kTokenSizeMax) {
    return Error{ErrorKind::kArgument, ErrorCode::kFrameTooLarge,
                 "a token has at most " + std::to_string(wire::kTokenSizeMax) + " bytes"};
  }
  return std::nullopt;
}

}  // namespace

ClientRuntime::ClientRuntime(std::string address, ClientOptions options,
                             client::EngineConfig config,
                             std::shared_ptr<const quic::ClientCredentials> credentials,
                             std::unique_ptr<runtime::ClientSocket> socket)
    : address_(std::move(address)),
      options_(std::move(options)),
      message_size_max_(options_.limits.message_size_max),
      socket_(std::move(socket)),
      pump_lock_(socket_->holder()),
      link_(std::move(config), connection_config(options_, socket_->addresses().count()),
            std::move(credentials), host_of(address_), *this, net::entropy_seed(), net::now()) {}

std::expected<std::unique_ptr<ClientRuntime>, Error> ClientRuntime::connect(
    std::string_view address, ClientOptions options) {
  if (auto problem = problem_of(options)) return std::unexpected(std::move(*problem));
  auto credentials = runtime::client_credentials(options.trust);
  if (!credentials) return std::unexpected(credentials.error());
  // A name that does not resolve is told at once, not tried for ever.
  auto socket = runtime::ClientSocket::prepare(address);
  if (!socket) return std::unexpected(socket.error());
  client::EngineConfig config = engine_config(options);
  const Duration timeout = options.connect_timeout;
  const Drive drive = options.drive;
  auto runtime = std::unique_ptr<ClientRuntime>(
      new ClientRuntime(std::string(address), std::move(options), std::move(config),
                        std::move(*credentials), std::move(*socket)));
  if (auto opened = runtime->open(timeout); !opened) return std::unexpected(opened.error());
  if (drive == Drive::kPoll) return runtime;
  try {
    runtime->backup_ = std::make_unique<BackupThread>(*runtime);
  } catch (const std::system_error& error) {
    return std::unexpected(Error{ErrorKind::kIo, ErrorCode::kNone,
                                 std::string("cannot start a thread: ") + error.what()});
  }
  return runtime;
}

// The first connection: its failure is the caller's to know, not something to try again behind it.
// Every address of the server's name is tried once, and again while nothing is heard of it.
std::expected<void, Error> ClientRuntime::open(Duration timeout) {
  const std::size_t attempts = socket_->addresses().count();
  const bool decided =
      wait_until([&] { return connected_ || closed_.load() || attempts_failed_ >= attempts; },
                 deadline_after(timeout));
  const PumpGuard lock = lock_pump();
  if (connected_) return {};
  const bool said_why = !last_error_.text.empty() && last_error_.code != ErrorCode::kPeerSilent;
  if (decided || said_why) return std::unexpected(last_error_);
  return std::unexpected(Error{ErrorKind::kUnreachable, ErrorCode::kPeerSilent,
                               "no answer from " + address_ + ": is a server running there?"});
}

ClientRuntime::~ClientRuntime() { shut_down(); }

void ClientRuntime::shut_down() {
  ORZATTY_ASSERT(!in_pump());  // a handler would wait for itself
  static_cast<void>(close(Duration::zero()));
  backup_.reset();
}

// ---- The pump.

ClientRuntime::PumpGuard ClientRuntime::lock_pump() {
  if (in_pump()) return PumpGuard(pump_lock_, std::defer_lock);
  return PumpGuard(pump_lock_);
}

bool ClientRuntime::pump(Instant now) {
  pumping_.store(std::this_thread::get_id());
  pump_count_.fetch_add(1, std::memory_order_relaxed);
  active_ = receive(now);
  const auto due = link_.next_timeout();
  if (due && *due <= now) {
    link_.handle_timeout(now);
    watch_path(now);
    active_ = true;
  }
  link_.drain(now);
  if (transport_wanted_) open_transport(now);
  if (std::exchange(rebind_wanted_, false)) static_cast<void>(move_socket(now));
  retire_abandoned();
  call_ready();
  unsent_ = write(now) && !socket_->sink().blocked();
  if (unsent_) active_ = true;
  if (socket_->sink().blocked()) active_ = false;  // only time helps
  quiet_.store(link_.quiet() && connected_, std::memory_order_relaxed);
  wake_backup_if_late();
  pumping_.store({});
  return active_;
}

bool ClientRuntime::receive(Instant now) {
  if (!socket_->open()) return false;
  const auto batch = socket_->receive();
  for (const net::Received& received : batch) {
    BytesView rest = received.bytes;
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), received.segment_size);
      link_.handle_datagram({received.local, received.remote, rest.first(size), received.ecn}, now);
      rest = rest.subspan(size);
    }
  }
  if (!batch.empty()) received_at_ = now;
  // A hint that anybody can forge, so an open session does not end by it.
  if (socket_->refused() && !connected_ && link_.has_connection()) {
    attempt_lost_ = true;
    link_.connect_failed("nobody listens at " + address_ + ": is a server running there?", now);
  }
  return !batch.empty();
}

bool ClientRuntime::write(Instant now) {
  if (!socket_->open()) return false;
  runtime::BatchSink& sink = socket_->sink();
  if (sink.blocked()) sink.unblock();
  const bool more = link_.write(sink, now);
  sink.flush();
  return more;
}

// A sender that pumped may have started a timer which is due before the sleeping backup thread
// wakes, or leave something unsent. What it left unread wakes that thread by itself.
void ClientRuntime::wake_backup_if_late() {
  const auto next = link_.next_timeout();
  const bool late = next && backup_until_ && *next < *backup_until_;
  if (late || unsent_ || turn_wanted_.load() || link_.engine().has_news()) socket_->backup().wake();
}

void ClientRuntime::open_transport(Instant now) {
  transport_wanted_ = false;
  active_ = true;
  const auto path = socket_->connect();
  attempt_lost_ = !path;
  if (!path) return link_.connect_failed(path.error().text, now);
  received_at_ = now;
  link_.connect(path->local, path->remote, now);
}

void ClientRuntime::watch_path(Instant now) {
  if (!connected_ || link_.quiet() || now - received_at_ < kSilence || now < probe_at_) return;
  probe_at_ = now + kSilence;
  if (socket_->has_moved()) static_cast<void>(move_socket(now));
}

std::expected<void, Error> ClientRuntime::move_socket(Instant now) {
  const auto local = socket_->rebind();
  if (!local) return std::unexpected(local.error());
  link_.migrate(*local, now);
  return {};
}

void ClientRuntime::call_ready() noexcept {
  if (ready_wanted_.load() == 0) return;
  // By index: what is called may ask for another publisher.
  for (std::size_t i = 0; i < publishers_.size(); ++i) {
    PublisherState& publisher = *publishers_[i];
    if (!publisher.wants_ready.load(std::memory_order_acquire)) continue;
    if (!publisher.outbox.has_room(kPumpEvery)) continue;
    std::function<void()> ready;
    {
      const std::lock_guard lock(publisher.mutex);
      if (!publisher.wants_ready.exchange(false)) continue;
      --ready_wanted_;
      ready = publisher.ready;
    }
    if (ready) ready();
  }
}

// ---- Waiting.

// Sleeps with the lock, and leaves it to whoever wants it.
void ClientRuntime::sleep_holder(Instant until) {
  if (const auto timeout = link_.next_timeout()) until = std::min(until, *timeout);
  runtime::Sleeper& sleeper = socket_->holder();
  sleeper.begin();
  if (!pump_lock_.wanted() && !has_news()) {
    socket_->aim(sleeper);
    sleeper.wait(until);
  }
  sleeper.end();
}

bool ClientRuntime::spin_until(const Condition& condition, Instant deadline) {
  Instant now = net::now();
  Instant until = now + options_.spin;
  do {
    const bool active = pump(now);
    if (condition()) return true;
    now = net::now();
    if (active) until = now + options_.spin;
  } while (now < std::min(until, deadline) && !pump_lock_.wanted());
  return false;
}

bool ClientRuntime::wait_until(const Condition& condition, Instant deadline) {
  const runtime::WaitingThreads::Place place(waiting_threads_);
  while (true) {
    const std::lock_guard lock(pump_lock_);
    if (spin_until(condition, deadline)) return true;
    if (net::now() >= deadline) return false;
    sleep_holder(deadline);
  }
}

void ClientRuntime::pump_until_idle() {
  static_cast<void>(spin_until([] { return false; }, Instant::max()));
}

bool ClientRuntime::poll(Duration wait) {
  if (in_pump()) return false;  // in a handler, it is running already
  bool active = false;
  const auto decided = [&] {
    active = active_;
    return active || closed_.load();
  };
  return wait_until(decided, deadline_after(wait)) && active;
}

void ClientRuntime::flush() {
  if (in_pump()) return;
  const std::lock_guard lock(pump_lock_);
  static_cast<void>(pump(net::now()));
}

bool ClientRuntime::settle(Duration timeout) {
  if (in_pump()) return false;
  bool settled = false;
  const auto decided = [&] {
    settled = link_.engine().settled();
    return settled || closed_.load();
  };
  return wait_until(decided, deadline_after(timeout)) && settled;
}

std::expected<void, Error> ClientRuntime::rebind() {
  const PumpGuard lock = lock_pump();
  if (!connected_) return {};  // it is opening a new socket anyway
  rebind_wanted_ = in_pump();  // then the connection is at work, and it is done afterwards
  if (rebind_wanted_) return {};
  return move_socket(net::now());
}

std::expected<Duration, Error> ClientRuntime::ping(Duration timeout) {
  if (in_pump()) {
    return std::unexpected(
        Error{ErrorKind::kBusy, ErrorCode::kOverloaded, "a handler cannot wait for an answer"});
  }
  const Instant start = net::now();
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock(pump_lock_);
    if (closed_.load()) return std::unexpected(closed_error());
    if (!connected_) return std::unexpected(last_error_);
    ticket = link_.engine().ping();
  }
  const bool answered = wait_until(
      [&] { return link_.engine().pongs() >= ticket || closed_.load(); }, deadline_after(timeout));
  if (answered && !closed_.load()) return net::now() - start;
  return std::unexpected(Error{ErrorKind::kTimeout, ErrorCode::kPeerSilent,
                               "no answer from " + address_ + " in time"});
}

// ---- Ending.

void ClientRuntime::end(Error reason) {
  if (closed_.load()) return;
  closed_reason_ = std::move(reason);
  closed_.store(true);
}

Error ClientRuntime::closed_by_user() {
  return {ErrorKind::kClosed, ErrorCode::kClosedByUser, "the client was closed"};
}

Error ClientRuntime::closed_error() const { return closed_reason_; }

std::expected<void, Error> ClientRuntime::close(Duration patience) {
  if (closed_.load()) return {};
  if (in_pump()) {  // in a handler nothing can be waited for
    const ClientStats last = counted();
    link_.engine().close(client::ClientEngine::Ending::kNow, net::now());
    return fate_of_close(last.waiting + last.unknown, patience);
  }
  if (patience > Duration::zero()) static_cast<void>(settle(patience));
  std::uint64_t unsettled = 0;
  {
    const std::lock_guard lock(pump_lock_);
    const ClientStats last = counted();
    unsettled = last.waiting + last.unknown;
    link_.engine().close(client::ClientEngine::Ending::kNow, net::now());
  }
  // The goodbye is one packet; nothing is waited for but room for it.
  static_cast<void>(wait_until([this] { return link_.has_left() || !socket_->open(); },
                               net::now() + kGoodbyeMax));
  {
    const std::lock_guard lock(pump_lock_);
    end(closed_by_user());
  }
  return fate_of_close(unsettled, patience);
}

std::expected<void, Error> ClientRuntime::fate_of_close(std::uint64_t unsettled,
                                                        Duration patience) {
  if (unsettled == 0 || patience <= Duration::zero()) return {};
  const std::string what = unsettled == 1 ? " message has" : " messages have";
  return std::unexpected(Error{
      ErrorKind::kTimeout, ErrorCode::kNone,
      std::to_string(unsettled) + what + " no known fate: the server did not answer in time"});
}

ClientStats ClientRuntime::stats() {
  const PumpGuard lock = lock_pump();
  return counted();
}

ClientStats ClientRuntime::counted() {
  ClientStats stats = stats_;
  stats.sent = sent_before_;
  for (const auto& publisher : publishers_) {
    stats.sent += publisher->outbox.published() - publisher->outbox.first_sequence();
  }
  stats.waiting = stats.sent - stats.accepted - stats.rejected - stats.expired - stats.superseded -
                  stats.handed_to_network - stats.unknown;
  stats.round_trip = link_.smoothed_rtt();
  return stats;
}

std::string ClientRuntime::identity() {
  const PumpGuard lock = lock_pump();
  return identity_;
}

}  // namespace orzatty
