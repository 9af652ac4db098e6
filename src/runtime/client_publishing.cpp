// The senders' side of a client: into an outbox, and the pump when it is worth it.
#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "net/clock.h"
#include "runtime/client_runtime.h"
#include "runtime/outgoing.h"
#include "wire/varint.h"

namespace orzatty {

namespace {

constexpr Duration kForEver = std::chrono::hours(24 * 365);

Error argument(ErrorCode code, std::string text) {
  return {ErrorKind::kArgument, code, std::move(text)};
}

// spec: DATAGRAM-4, DATAGRAM-8
std::optional<Error> fault_of_datagram(const Payload& payload) {
  if (payload.attributes() && payload.attributes()->wants_reply) {
    return argument(ErrorCode::kModeUnsupported, "a request does not travel in mode datagram");
  }
  const std::uint64_t size = runtime::body_size(payload);
  if (size <= kDatagramMessageSizeMax) return std::nullopt;
  return Error{ErrorKind::kTooLarge, ErrorCode::kMessageTooLarge,
               "message of " + std::to_string(size) + " bytes is above the " +
                   std::to_string(kDatagramMessageSizeMax) +
                   " of mode datagram (kDatagramMessageSizeMax)"};
}

}  // namespace

std::expected<PublisherState*, Error> ClientRuntime::publisher(const ChannelRef& channel,
                                                               const PublisherOptions& options,
                                                               const Patience& patience) {
  const auto name_parsed = ChannelName::parse(channel.text());
  if (!name_parsed) {
    return std::unexpected(
        argument(ErrorCode::kNameInvalid, "not a channel name: " + std::string(channel.text())));
  }
  if (options.priority > kPriorityMax) {
    return std::unexpected(
        argument(ErrorCode::kNone, "a priority is at most " + std::to_string(kPriorityMax)));
  }
  if (options.producer.empty() && (options.epoch != 0 || options.next_sequence != Sequence(0))) {
    return std::unexpected(argument(
        ErrorCode::kNone, "an epoch or a sequence is a named producer's: name the producer"));
  }
  if (options.epoch > wire::kVarintMax || options.next_sequence.value() > wire::kVarintMax) {
    return std::unexpected(argument(ErrorCode::kNone, "an epoch and a sequence are below 2^62"));
  }
  if (patience.waiting == Patience::Waiting::kAllowed) {
    wait_for_place(patience.deadline.value_or(net::now() + kForEver));
  }
  const PumpGuard lock = lock_pump();
  if (closed_.load()) return std::unexpected(closed_error());
  if (publishers_.size() >= publisher_count_max()) {
    if (place_will_come()) return std::unexpected(runtime::busy_error());
    return std::unexpected(argument(
        ErrorCode::kLimitExceeded,
        "this client and its server allow at most publication_count_max = " +
            std::to_string(publisher_count_max()) + " publishers at once"));
  }
  const client::NamedProducer named{named_producer(options.producer), ProducerEpoch(options.epoch),
                                    options.next_sequence};
  client::ClientEngine& engine = link_.engine();
  const PublicationId id =
      engine.publish(*name_parsed, {.mode = options.mode, .priority = options.priority},
                     options.producer.empty() ? nullptr : &named);
  publishers_.push_back(
      std::make_unique<PublisherState>(id, engine.outbox(id), engine.producer(id),
                                       options.mode));
  return publishers_.back().get();
}

bool ClientRuntime::place_will_come() const {
  return std::ranges::any_of(publishers_,
                             [](const auto& publisher) { return publisher->abandoned.load(); });
}

// One that was destroyed has its place until all that it sent has its fate.
void ClientRuntime::wait_for_place(Instant deadline) {
  if (in_pump()) return;
  const auto decided = [this] {
    return closed_.load() || publishers_.size() < publisher_count_max() || !place_will_come();
  };
  {
    const PumpGuard lock = lock_pump();
    if (decided()) return;
  }
  static_cast<void>(wait_until(decided, deadline));
}

std::expected<ClientRuntime::SharedWriter*, Error> ClientRuntime::shared_writer(
    const ChannelRef& channel, const Patience& patience) {
  {
    const std::lock_guard lock(shared_mutex_);
    const auto found = shared_writers_.find(channel.text());
    if (found != shared_writers_.end()) return &found->second;
  }
  // Without the lock, as it waits for the pump.
  auto made = publisher(channel, {}, patience);
  if (!made) return std::unexpected(std::move(made.error()));
  PublisherState* unused = *made;
  SharedWriter* writer = nullptr;
  {
    const std::lock_guard lock(shared_mutex_);
    writer = &shared_writers_[std::string(channel.text())];
    if (writer->state == nullptr) std::swap(writer->state, unused);
  }
  if (unused != nullptr) abandon(*unused);  // another thread was faster
  return writer;
}

// What keeps a message from being appended at all, whatever room there is.
std::optional<Error> ClientRuntime::fault_of(const Payload& payload) {
  if (payload.attributes()) {
    if (auto fault = runtime::fault_of(*payload.attributes())) return fault;
  }
  const std::uint64_t size = runtime::body_size(payload);
  const std::uint32_t size_max = message_size_max_.load(std::memory_order_relaxed);
  if (size > size_max) {
    return Error{ErrorKind::kTooLarge, ErrorCode::kMessageTooLarge,
                 "message of " + std::to_string(size) +
                     " bytes is above message_size_max = " + std::to_string(size_max)};
  }
  if (closed_.load(std::memory_order_acquire)) return closed_error();
  // The server would close the session for it. spec: FRAME-3
  if (payload.type() == MessageType::kText && !base::is_utf8(payload.bytes())) {
    return argument(ErrorCode::kTextInvalid, "not UTF-8: send these bytes without stating text");
  }
  return std::nullopt;
}

std::optional<Error> ClientRuntime::fault_of(const PublisherState& state, const Payload& payload) {
  if (state.mode == DeliveryMode::kDatagram) {
    if (auto fault = fault_of_datagram(payload)) return fault;
  }
  if (auto fault = fault_of(payload)) return fault;
  if (state.outbox.admits(payload.attributes() ? payload.attributes()->key : BytesView())) {
    return std::nullopt;
  }
  return argument(ErrorCode::kLimitExceeded,
                  "one publisher of mode latest tells at most " +
                      std::to_string(session::ValueKeys::kKeyCountMax) + " keys apart");
}

// Most messages: nothing can be wrong with them, nor has anything to be noted of them. What is on
// their way is small and inline, as a message costs little more than its copy.
inline bool ClientRuntime::is_plain(const PublisherState& state, const Payload& payload) const {
  return state.mode != DeliveryMode::kDatagram && state.mode != DeliveryMode::kLatest &&
         payload.type() != MessageType::kText && !payload.attributes() &&
         payload.bytes().size() <= message_size_max_.load(std::memory_order_relaxed) &&
         !closed_.load(std::memory_order_acquire);
}

// The heart of smart batching: a message leaves at once when nothing else is on its way, and with
// many others when there is enough.
inline void ClientRuntime::appended(PublisherState& state, std::uint64_t size) {
  state.unpumped += size + 2;
  if (state.unpumped >= kPumpEvery || quiet_.load(std::memory_order_relaxed)) {
    flush(state);
  } else {
    socket_->wake_all();
  }
}

// False when it is none of them, or there is no room now.
inline bool ClientRuntime::append_plain(PublisherState& state, const Payload& payload) {
  if (!is_plain(state, payload)) return false;
  if (!state.outbox.append(payload.type(), payload.bytes())) return false;
  appended(state, payload.bytes().size());
  return true;
}

// False when there is no room now.
bool ClientRuntime::append(PublisherState& state, const Payload& payload,
                           const ReportHandler* report) {
  if (report != nullptr) {
    // Before the message can be settled.
    const std::lock_guard lock(state.mutex);
    state.reports.push_back({state.outbox.next_sequence(), *report});
    state.has_reports.store(true, std::memory_order_release);
  }
  const bool taken = payload.attributes() ? state.outbox.append(payload.type(), payload.bytes(),
                                                                *payload.attributes(), net::now())
                                          : state.outbox.append(payload.type(), payload.bytes());
  if (taken) {
    appended(state, payload.bytes().size());
    return true;
  }
  if (report != nullptr) {
    const std::lock_guard lock(state.mutex);
    state.reports.pop_back();
  }
  return false;
}

void ClientRuntime::flush(PublisherState& state) {
  state.unpumped = 0;
  offer_turn();
}

void ClientRuntime::offer_turn() {
  if (in_pump()) return;  // goes out at the end of it
  const PumpGuard lock(pump_lock_, std::try_to_lock);
  if (lock.owns_lock()) {
    static_cast<void>(pump(net::now()));
  } else {
    socket_->wake_all();
  }
}

std::expected<void, Error> ClientRuntime::try_send(PublisherState& state, const Payload& payload,
                                                   const ReportHandler* report) {
  if (report == nullptr && append_plain(state, payload)) [[likely]] return {};
  if (auto fault = fault_of(state, payload)) return std::unexpected(std::move(*fault));
  if (append(state, payload, report)) return {};
  // Acknowledgements that make room may have arrived already.
  flush(state);
  return std::unexpected(runtime::busy_error());
}

std::expected<void, Error> ClientRuntime::send(PublisherState& state, const Payload& payload,
                                               const ReportHandler* report) {
  if (report == nullptr && append_plain(state, payload)) [[likely]] return {};
  if (auto fault = fault_of(state, payload)) return std::unexpected(std::move(*fault));
  while (!append(state, payload, report)) {
    if (in_pump()) return std::unexpected(runtime::busy_error());
    if (!wait_for_room(state, runtime::body_size(payload))) return std::unexpected(closed_error());
  }
  return {};
}

bool ClientRuntime::wait_for_room(PublisherState& state, std::size_t size) {
  // Not for one message alone: each wait would be for the next one again.
  const std::uint64_t room = std::max<std::uint64_t>(size + 16, kPumpEvery);
  state.unpumped = 0;
  const auto condition = [&] { return closed_.load() || state.outbox.has_room(room); };
  // By reference, or it would be an allocation per wait.
  return wait_until(std::cref(condition), net::now() + kForEver) && !closed_.load();
}

void ClientRuntime::abandon(PublisherState& state) {
  std::function<void()> unwanted;
  {
    const std::lock_guard lock(state.mutex);
    if (state.wants_ready.exchange(false)) --ready_wanted_;
    unwanted = std::exchange(state.ready, nullptr);
  }
  state.abandoned.store(true);
  // From here on another thread's turn may end it.
  turn_wanted_.store(true);
  offer_turn();
}

void ClientRuntime::retire_abandoned() {
  if (!turn_wanted_.exchange(false)) return;
  for (const auto& publisher : publishers_) {
    if (publisher->retired || !publisher->abandoned.load()) continue;
    publisher->retired = true;
    link_.engine().retire(publisher->id);
  }
}

void ClientRuntime::on_ready(PublisherState& state, std::function<void()> ready) {
  {
    const std::lock_guard lock(state.mutex);
    state.ready = std::move(ready);
    if (!state.wants_ready.exchange(true)) ++ready_wanted_;
  }
  socket_->wake_all();
}

}  // namespace orzatty
