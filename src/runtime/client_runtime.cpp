#include "runtime/client_runtime.h"

#include <algorithm>

#include "base/limits_table.h"
#include "base/utf8.h"
#include "net/clock.h"
#include "net/entropy.h"
#include "net/resolver.h"
#include "runtime/backup_thread.h"
#include "runtime/tls.h"
#include "wire/hello.h"
#include "wire/message.h"

namespace orzatty {

namespace {

constexpr std::uint64_t kSocketToken = 0;
constexpr std::uint64_t kWakeupToken = 1;

Error argument(ErrorCode code, std::string text) {
  return {ErrorKind::kArgument, code, std::move(text)};
}

Error busy_error() {
  return {ErrorKind::kBusy, ErrorCode::kOverloaded,
          "no room: what was sent before is not acknowledged yet"};
}

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

quic::ConnectionConfig connection_config(const ClientOptions& options) {
  quic::ConnectionConfig config;
  config.stream_window = options.limits.stream_window;
  config.connection_window = options.limits.connection_window;
  config.bidi_stream_count = 0;
  config.uni_stream_count = options.limits.subscription_count_max;
  config.handshake_timeout = std::min(options.limits.handshake_timeout, options.connect_timeout);
  config.idle_timeout = 3 * options.limits.dead_after;
  return config;
}

}  // namespace

ClientRuntime::ClientRuntime(std::string address, ClientOptions options,
                             client::EngineConfig config,
                             std::shared_ptr<const quic::ClientCredentials> credentials,
                             std::string server_name, net::Poller waiting, net::Poller idle,
                             std::unique_ptr<net::Wakeup> wakeup)
    : address_(std::move(address)),
      options_(std::move(options)),
      message_size_max_(options_.limits.message_size_max),
      link_(std::move(config), connection_config(options_), std::move(credentials),
            std::move(server_name), *this, net::entropy_seed(), net::now()),
      waiting_(std::move(waiting)),
      idle_(std::move(idle)),
      wakeup_(std::move(wakeup)) {}

std::expected<std::unique_ptr<ClientRuntime>, Error> ClientRuntime::connect(
    std::string_view address, ClientOptions options) {
  if (auto problem = base::problem_of(options.limits)) {
    return std::unexpected(argument(ErrorCode::kNone, "limits: " + *problem));
  }
  if (options.token.size() > wire::kTokenSizeMax) {
    return std::unexpected(argument(
        ErrorCode::kFrameTooLarge,
        "a token has at most " + std::to_string(wire::kTokenSizeMax) + " bytes"));
  }
  auto credentials = runtime::client_credentials(options.trust);
  if (!credentials) return std::unexpected(credentials.error());
  // A name that does not resolve is told at once, not tried for ever.
  if (auto resolved = net::resolve(address); !resolved) return std::unexpected(resolved.error());
  auto waiting = net::Poller::open();
  if (!waiting) return std::unexpected(waiting.error());
  auto idle = net::Poller::open();
  if (!idle) return std::unexpected(idle.error());
  auto wakeup = net::Wakeup::open();
  if (!wakeup) return std::unexpected(wakeup.error());
  if (auto added = idle->add((*wakeup)->fd(), kWakeupToken, net::Interest::kRead); !added) {
    return std::unexpected(added.error());
  }
  client::EngineConfig config = engine_config(options);
  const std::string text(address);
  const Duration timeout = options.connect_timeout;
  const Drive drive = options.drive;
  auto runtime = std::unique_ptr<ClientRuntime>(new ClientRuntime(
      text, std::move(options), std::move(config), std::move(*credentials), host_of(text),
      std::move(*waiting), std::move(*idle), std::move(*wakeup)));
  if (auto opened = runtime->open(timeout); !opened) return std::unexpected(opened.error());
  if (drive == Drive::kThreads) runtime->backup_ = std::make_unique<BackupThread>(*runtime);
  return runtime;
}

// The first connection: its failure is the caller's to know, not something to try again behind it.
std::expected<void, Error> ClientRuntime::open(Duration timeout) {
  const Instant deadline = net::now() + timeout;
  const bool decided = wait_until(
      [this] { return connected_ || closed_.load() || !last_error_.text.empty(); }, deadline);
  if (connected_) return {};
  if (!last_error_.text.empty()) return std::unexpected(last_error_);
  static_cast<void>(decided);
  return std::unexpected(Error{ErrorKind::kUnreachable, ErrorCode::kPeerSilent,
                               "no answer from " + address_ + ": is a server running there?"});
}

ClientRuntime::~ClientRuntime() {
  static_cast<void>(close(Duration::zero()));
  backup_.reset();
}

// ---- The pump.

bool ClientRuntime::pump(Instant now) {
  pumping_.store(std::this_thread::get_id());
  pump_count_.fetch_add(1, std::memory_order_relaxed);
  if (transport_wanted_) open_transport(now);
  bool active = receive(now);
  const auto due = link_.next_timeout();
  if (due && *due <= now) {
    link_.handle_timeout(now);
    active = true;
  }
  link_.drain(now);
  if (sink_.size() > 0) {
    active |= link_.write(sink_, now);
    sink_.flush();
  }
  call_ready();
  quiet_.store(link_.quiet() && connected_, std::memory_order_relaxed);
  pumping_.store({});
  return active && !sink_.blocked();
}

bool ClientRuntime::receive(Instant now) {
  if (sink_.size() == 0) return false;
  const auto batch = received_.receive(sink_.socket(0), 8);
  if (received_.was_refused() && !connected_ && link_.has_connection()) {
    last_error_ = {ErrorKind::kUnreachable, ErrorCode::kPeerSilent,
                   "nobody listens at " + address_ + ": is a server running there?"};
  }
  for (const net::Received& received : batch) {
    BytesView rest = received.bytes;
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), received.segment_size);
      link_.handle_datagram({received.local, received.remote, rest.first(size), received.ecn}, now);
      rest = rest.subspan(size);
    }
  }
  return !batch.empty();
}

bool ClientRuntime::has_unsent() {
  return std::ranges::any_of(publishers_,
                             [](const auto& publisher) { return publisher->outbox.has_unsent(); });
}

void ClientRuntime::open_transport(Instant now) {
  transport_wanted_ = false;
  if (sink_.size() > 0) {
    waiting_.remove(sink_.socket(0).fd());
    idle_.remove(sink_.socket(0).fd());
    sink_.clear();
  }
  const auto resolved = net::resolve(address_);
  if (!resolved) return link_.connect_failed(resolved.error().text, now);
  auto socket = net::UdpSocket::connect(resolved->front(), {});
  if (!socket) return link_.connect_failed(socket.error().text, now);
  static_cast<void>(waiting_.add(socket->fd(), kSocketToken, net::Interest::kRead));
  static_cast<void>(idle_.add(socket->fd(), kSocketToken, net::Interest::kRead));
  const base::Address local = socket->local_address();
  sink_.add(std::move(*socket));
  link_.connect(local, resolved->front(), now);
}

// Waits, with the pump's lock, for news: at most a slice, so that others get the lock too.
void ClientRuntime::sleep_pump(Instant until) {
  const auto timeout = link_.next_timeout();
  if (timeout) until = std::min(until, *timeout);
  if (sink_.blocked()) {
    waiting_.change(sink_.socket(0).fd(), kSocketToken, net::Interest::kReadWrite);
  }
  static_cast<void>(waiting_.wait(until));
  if (sink_.blocked()) {
    waiting_.change(sink_.socket(0).fd(), kSocketToken, net::Interest::kRead);
    sink_.unblock();
  }
}

template <class Condition>
bool ClientRuntime::wait_until(Condition condition, Instant deadline) {
  while (true) {
    const std::lock_guard lock(pump_mutex_);
    Instant active = net::now();
    for (Instant now = active; now - active < kSpin; now = net::now()) {
      link_.engine().wake_all();
      if (pump(now)) active = now;
      if (condition()) return true;
    }
    const Instant now = net::now();
    if (now >= deadline) return false;
    sleep_pump(std::min(now + kWaitSlice, deadline));
  }
}

bool ClientRuntime::poll(Duration wait) {
  if (in_pump()) return false;  // in a handler, it is running already
  const std::lock_guard lock(pump_mutex_);
  const Instant start = net::now();
  Instant now = start;
  do {
    link_.engine().wake_all();
    if (pump(now)) return true;
    now = net::now();
  } while (now - start < std::min(wait, kSpin));
  if (wait <= kSpin) return false;
  sleep_pump(start + wait);
  return pump(net::now());
}

void ClientRuntime::call_ready() {
  for (const auto& publisher : publishers_) {
    if (!publisher->wants_ready.load(std::memory_order_acquire)) continue;
    if (!publisher->outbox.has_room(kPumpEvery)) continue;
    std::function<void()> ready;
    {
      const std::lock_guard lock(publisher->mutex);
      publisher->wants_ready.store(false);
      ready = publisher->ready;
    }
    if (ready) ready();
  }
}

Error ClientRuntime::closed_error() {
  if (!last_error_.text.empty()) return last_error_;
  return {ErrorKind::kClosed, ErrorCode::kClosedByUser, "the client was closed"};
}

// ---- Publishers.

std::expected<PublisherState*, Error> ClientRuntime::publisher(const ChannelRef& channel) {
  const auto name_parsed = ChannelName::parse(channel.text());
  if (!name_parsed) {
    return std::unexpected(argument(ErrorCode::kNameInvalid, "not a channel name: " +
                                                                 std::string(channel.text())));
  }
  std::unique_lock lock(pump_mutex_, std::defer_lock);
  if (!in_pump()) lock.lock();
  const PublicationId id = link_.engine().publish(*name_parsed);
  publishers_.push_back(std::make_unique<PublisherState>(id, link_.engine().outbox(id)));
  return publishers_.back().get();
}

std::expected<PublisherState*, Error> ClientRuntime::shared_publisher(const ChannelRef& channel) {
  const auto found = shared_publishers_.find(channel.text());
  if (found != shared_publishers_.end()) return found->second;
  auto made = publisher(channel);
  if (made) shared_publishers_.emplace(channel.text(), *made);
  return made;
}

// What keeps a message from being appended at all, whatever room there is.
std::optional<Error> ClientRuntime::fault_of(const Payload& payload) {
  const std::size_t size = payload.bytes().size();
  const std::uint32_t size_max = message_size_max_.load(std::memory_order_relaxed);
  if (size > size_max) {
    return Error{ErrorKind::kTooLarge, ErrorCode::kMessageTooLarge,
                 "message of " + std::to_string(size) +
                     " bytes is above message_size_max = " + std::to_string(size_max)};
  }
  if (closed_.load(std::memory_order_relaxed)) return closed_error();
  // The server would close the session for it. spec: FRAME-3
  if (payload.type() == MessageType::kText && !base::is_utf8(payload.bytes())) {
    return argument(ErrorCode::kTextInvalid, "not UTF-8: send these bytes without stating text");
  }
  return std::nullopt;
}

// False when there is no room now.
bool ClientRuntime::append(PublisherState& state, const Payload& payload,
                           const ReportHandler& report) {
  if (report) {
    // Before the message can be settled.
    const std::lock_guard lock(state.mutex);
    state.reports.push_back({state.outbox.next_sequence(), report});
    state.has_reports.store(true, std::memory_order_release);
  }
  if (state.outbox.append(payload.type(), payload.bytes())) [[likely]] {
    appended(state, payload.bytes().size());
    return true;
  }
  if (report) {
    const std::lock_guard lock(state.mutex);
    state.reports.pop_back();
  }
  return false;
}

// The heart of smart batching: a message leaves at once when nothing else is on its way, and with
// many others when there is enough.
void ClientRuntime::appended(PublisherState& state, std::uint64_t size) {
  state.unpumped += size + 2;
  if (state.unpumped >= kPumpEvery || quiet_.load(std::memory_order_relaxed)) {
    flush(state);
  } else if (backup_ != nullptr) {
    wakeup_->wake();
  }
}

void ClientRuntime::flush(PublisherState& state) {
  state.unpumped = 0;
  if (in_pump()) return;  // goes out at the end of it
  const std::unique_lock lock(pump_mutex_, std::try_to_lock);
  if (lock.owns_lock()) {
    link_.engine().wake(state.id);
    static_cast<void>(pump(net::now()));
  } else if (backup_ != nullptr) {
    wakeup_->wake();
  }
}

void ClientRuntime::flush() {
  if (in_pump()) return;
  const std::lock_guard lock(pump_mutex_);
  link_.engine().wake_all();
  static_cast<void>(pump(net::now()));
}

std::expected<void, Error> ClientRuntime::try_send(PublisherState& state, const Payload& payload,
                                                   const ReportHandler& report) {
  if (auto fault = fault_of(payload)) return std::unexpected(std::move(*fault));
  if (append(state, payload, report)) return {};
  // Acknowledgements that make room may have arrived already.
  flush(state);
  return std::unexpected(busy_error());
}

std::expected<void, Error> ClientRuntime::send(PublisherState& state, const Payload& payload,
                                               const ReportHandler& report) {
  if (auto fault = fault_of(payload)) return std::unexpected(std::move(*fault));
  while (!append(state, payload, report)) {
    if (in_pump()) return std::unexpected(busy_error());
    if (!wait_for_room(state, payload.bytes().size())) return std::unexpected(closed_error());
  }
  return {};
}

bool ClientRuntime::wait_for_room(PublisherState& state, std::size_t size) {
  // Not for one message alone: each wait would be for the next one again.
  const std::uint64_t room = std::max<std::uint64_t>(size + 16, kPumpEvery);
  state.unpumped = 0;
  constexpr Duration kForEver = std::chrono::hours(24 * 365);
  return wait_until([&] { return closed_.load() || state.outbox.has_room(room); },
                    net::now() + kForEver) &&
         !closed_.load();
}

void ClientRuntime::on_ready(PublisherState& state, std::function<void()> ready) {
  const std::lock_guard lock(state.mutex);
  state.ready = std::move(ready);
  state.wants_ready.store(true, std::memory_order_release);
  wakeup_->wake();
}

// ---- Subscriptions.

std::expected<std::uint64_t, Error> ClientRuntime::subscribe(const ChannelRef& pattern,
                                                             SubscriptionHandler handler,
                                                             SubscribeOptions options) {
  const auto parsed = ChannelPattern::parse(pattern.text());
  if (!parsed) {
    return std::unexpected(argument(ErrorCode::kNameInvalid, "not a channel name or pattern: " +
                                                                 std::string(pattern.text())));
  }
  std::uint64_t id = 0;
  Registered* registered = nullptr;
  {
    std::unique_lock lock(pump_mutex_, std::defer_lock);
    if (!in_pump()) lock.lock();
    if (closed_.load()) return std::unexpected(closed_error());
    id = link_.engine().subscribe(*parsed, options.from).value();
    auto& slot = subscriptions_[id];
    slot = std::make_unique<Registered>();
    slot->handler = std::move(handler);
    slot->options = std::move(options);
    registered = slot.get();
  }
  if (in_pump()) return id;
  const bool answered = wait_until(
      [&] { return registered->settling != Settling::kPending || closed_.load(); },
      net::now() + options_.connect_timeout);
  const std::lock_guard lock(pump_mutex_);
  if (registered->settling == Settling::kReady) return id;
  Error error = registered->settling == Settling::kEnded ? registered->error : closed_error();
  if (!answered) {
    link_.engine().unsubscribe(SubscriptionId(id));
    error = {ErrorKind::kTimeout, ErrorCode::kNone, "the server did not answer the subscription"};
  }
  subscriptions_.erase(id);
  return std::unexpected(std::move(error));
}

void ClientRuntime::unsubscribe(std::uint64_t id) {
  std::unique_lock lock(pump_mutex_, std::defer_lock);
  if (!in_pump()) lock.lock();
  link_.engine().unsubscribe(SubscriptionId(id));
  // A handler that ends its own subscription is still running: only its registration goes silent.
  const auto found = subscriptions_.find(id);
  if (found != subscriptions_.end()) found->second->settling = Settling::kEnded;
  wakeup_->wake();
}

std::expected<void, Error> ClientRuntime::on(const ChannelRef& channel,
                                             SubscriptionHandler handler) {
  if (!ChannelName::parse(channel.text())) {
    return std::unexpected(argument(ErrorCode::kNameInvalid, "not a channel name: " +
                                                                 std::string(channel.text())));
  }
  std::unique_lock lock(pump_mutex_, std::defer_lock);
  if (!in_pump()) lock.lock();
  direct_handlers_[std::string(channel.text())] = std::move(handler);
  return {};
}

// ---- Waiting and ending.

bool ClientRuntime::settle(Duration timeout) {
  if (in_pump()) return false;
  bool settled = false;
  const auto decided = [&] {
    settled = link_.engine().settled();
    return settled || closed_.load();
  };
  return wait_until(decided, net::now() + timeout) && settled;
}

std::expected<Duration, Error> ClientRuntime::ping(Duration timeout) {
  if (in_pump()) return std::unexpected(busy_error());
  const Instant start = net::now();
  std::uint64_t ticket = 0;
  {
    const std::lock_guard lock(pump_mutex_);
    if (!connected_) return std::unexpected(closed_error());
    ticket = link_.engine().ping();
  }
  const bool answered = wait_until(
      [&] { return link_.engine().pongs() >= ticket || closed_.load(); }, start + timeout);
  if (answered && !closed_.load()) return net::now() - start;
  return std::unexpected(Error{ErrorKind::kTimeout, ErrorCode::kPeerSilent,
                               "no answer from " + address_ + " in time"});
}

std::expected<void, Error> ClientRuntime::close(Duration patience) {
  if (closed_.load()) return {};
  if (in_pump()) {  // in a handler nothing can be waited for
    link_.engine().close(client::ClientEngine::Ending::kNow, net::now());
    return {};
  }
  const bool settled = patience > Duration::zero() && settle(patience);
  {
    const std::lock_guard lock(pump_mutex_);
    link_.engine().close(client::ClientEngine::Ending::kNow, net::now());
  }
  // The goodbye is one packet; nothing is waited for.
  static_cast<void>(wait_until([this] { return link_.finished() || sink_.size() == 0; },
                               net::now() + std::chrono::milliseconds(50)));
  closed_.store(true);
  if (settled || patience == Duration::zero()) return {};
  return std::unexpected(Error{ErrorKind::kTimeout, ErrorCode::kNone,
                               "not everything was accepted in time"});
}

ClientStats ClientRuntime::stats() {
  std::unique_lock lock(pump_mutex_, std::defer_lock);
  if (!in_pump()) lock.lock();
  ClientStats stats = stats_;
  stats.sent = 0;
  for (const auto& publisher : publishers_) stats.sent += publisher->outbox.published().value();
  stats.waiting = stats.sent - stats.accepted - stats.rejected - stats.unknown;
  stats.round_trip = link_.smoothed_rtt();
  return stats;
}

std::string ClientRuntime::identity() {
  std::unique_lock lock(pump_mutex_, std::defer_lock);
  if (!in_pump()) lock.lock();
  return identity_;
}

}  // namespace orzatty
