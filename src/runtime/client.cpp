#include "orzatty/client.h"

#include <mutex>
#include <utility>

#include "runtime/backup_thread.h"
#include "runtime/client_runtime.h"

namespace orzatty {

namespace {

Error busy() {
  return {ErrorKind::kBusy, ErrorCode::kOverloaded, "another thread is sending; try again"};
}

}  // namespace

std::expected<Client, Error> Client::connect(std::string_view address, ClientOptions options) {
  auto runtime = ClientRuntime::connect(address, std::move(options));
  if (!runtime) return std::unexpected(runtime.error());
  return Client(std::move(*runtime));
}

Client::Client(std::shared_ptr<ClientRuntime> runtime) : runtime_(std::move(runtime)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
  std::swap(runtime_, other.runtime_);
  return *this;
}
// Whoever else holds the runtime for a moment finds it ended.
Client::~Client() {
  if (runtime_ != nullptr) runtime_->shut_down();
}

std::expected<Publisher, Error> Client::publisher(const ChannelRef& channel,
                                                  PublisherOptions options) {
  auto state = runtime_->publisher(channel, options);
  if (!state) return std::unexpected(state.error());
  return Publisher(runtime_, **state);
}

std::expected<void, Error> Client::send(const ChannelRef& channel, const Payload& payload) {
  auto writer = runtime_->shared_writer(channel);
  if (!writer) return std::unexpected(writer.error());
  const auto lock = runtime_->lock(**writer);
  if (!lock.owns_lock()) return std::unexpected(busy());
  return runtime_->send(*(*writer)->state, payload);
}

std::expected<void, Error> Client::try_send(const ChannelRef& channel, const Payload& payload) {
  auto writer = runtime_->shared_writer(channel, {.waiting = Patience::Waiting::kNever});
  if (!writer) return std::unexpected(writer.error());
  const std::unique_lock lock((*writer)->mutex, std::try_to_lock);
  if (!lock.owns_lock()) return std::unexpected(busy());
  return runtime_->try_send(*(*writer)->state, payload);
}

std::expected<Subscription, Error> Client::subscribe(const ChannelRef& pattern,
                                                     SubscriptionHandler handler,
                                                     SubscribeOptions options) {
  auto id = runtime_->subscribe(pattern, std::move(handler), std::move(options));
  if (!id) return std::unexpected(id.error());
  return Subscription(runtime_, *id);
}

std::expected<void, Error> Client::on(const ChannelRef& channel, SubscriptionHandler handler) {
  return runtime_->on(channel, std::move(handler));
}

std::expected<std::vector<KnownFate>, Error> Client::fate(const ChannelRef& channel,
                                                          const FateQuestion& question,
                                                          Duration timeout) {
  return runtime_->fate(channel, question, timeout);
}

bool Client::poll(Duration wait) { return runtime_->poll(wait); }
void Client::flush() { runtime_->flush(); }
bool Client::settle(Duration timeout) { return runtime_->settle(timeout); }
std::expected<void, Error> Client::rebind() { return runtime_->rebind(); }
std::expected<Duration, Error> Client::ping(Duration timeout) { return runtime_->ping(timeout); }
std::expected<void, Error> Client::close(Duration patience) { return runtime_->close(patience); }
ClientStats Client::stats() const { return runtime_->stats(); }
std::string Client::identity() const { return runtime_->identity(); }

Publisher::Publisher(const std::shared_ptr<ClientRuntime>& runtime, PublisherState& state)
    : owner_(runtime), runtime_(runtime.get()), state_(&state) {}
Publisher::Publisher(Publisher&& other) noexcept = default;
Publisher& Publisher::operator=(Publisher&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(runtime_, other.runtime_);
  std::swap(state_, other.state_);
  return *this;
}
Publisher::~Publisher() {
  if (const auto runtime = owner_.lock()) runtime->abandon(*state_);
}

std::expected<void, Error> Publisher::send(const Payload& payload) {
  return runtime_->send(*state_, payload);
}
std::expected<void, Error> Publisher::send(const Payload& payload, ReportHandler report) {
  return runtime_->send(*state_, payload, report ? &report : nullptr);
}
std::expected<void, Error> Publisher::try_send(const Payload& payload) {
  return runtime_->try_send(*state_, payload);
}
std::expected<void, Error> Publisher::try_send(const Payload& payload, ReportHandler report) {
  return runtime_->try_send(*state_, payload, report ? &report : nullptr);
}
void Publisher::on_ready(std::function<void()> ready) {
  runtime_->on_ready(*state_, std::move(ready));
}
void Publisher::flush() { runtime_->flush(*state_); }
ProducerId Publisher::producer() const { return state_->producer; }
Sequence Publisher::next_sequence() const { return state_->outbox.next_sequence(); }

Subscription::Subscription(Subscription&& other) noexcept = default;
Subscription& Subscription::operator=(Subscription&& other) noexcept {
  std::swap(runtime_, other.runtime_);
  std::swap(id_, other.id_);
  return *this;
}
Subscription::~Subscription() { unsubscribe(); }
void Subscription::unsubscribe() {
  if (const auto runtime = std::exchange(runtime_, {}).lock()) runtime->unsubscribe(id_);
}

}  // namespace orzatty
