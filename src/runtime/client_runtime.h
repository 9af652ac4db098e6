// The client around its engine: a socket, whoever holds the pump, and what the application registered.
//
// The pump is all of the I/O: receive, let handlers run, build packets, send. Whoever holds its lock
// runs it: the sending thread when it has enough (a try-lock, never a wait), a thread that waits for
// something, or the backup thread (backup_thread.h). performance.md of the design tells why: a
// separate I/O thread alone loses a third to wake-ups that preempt the sender after one message.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "link/client_link.h"
#include "net/poller.h"
#include "net/receive_batch.h"
#include "net/wakeup.h"
#include "orzatty/client.h"
#include "runtime/batch_sink.h"

namespace orzatty {

// What a Publisher refers to. The writer's members belong to the thread that sends.
class PublisherState {
 public:
  PublisherState(PublicationId publication, session::Outbox& log) : id(publication), outbox(log) {}

  const PublicationId id;
  session::Outbox& outbox;

  // The writer's.
  std::uint64_t unpumped = 0;  // bytes appended since the pump was last run or offered

  // Between the writer and the pump.
  struct Awaited {
    Sequence sequence;
    ReportHandler report;
  };
  std::atomic<bool> has_reports{false};
  std::mutex mutex;
  std::deque<Awaited> reports;
  std::function<void()> ready;
  std::atomic<bool> wants_ready{false};
};

class ClientRuntime final : private link::ClientEvents {
 public:
  // The sender's thread runs the pump after this much: enough for one GSO send.
  static constexpr std::uint64_t kPumpEvery = 32 * 1024;

  static std::expected<std::unique_ptr<ClientRuntime>, Error> connect(std::string_view address,
                                                                      ClientOptions options);
  ~ClientRuntime();

  // Publishers.
  std::expected<PublisherState*, Error> publisher(const ChannelRef& channel);
  std::expected<PublisherState*, Error> shared_publisher(const ChannelRef& channel);
  std::expected<void, Error> send(PublisherState& state, const Payload& payload,
                                  const ReportHandler& report);
  std::expected<void, Error> try_send(PublisherState& state, const Payload& payload,
                                      const ReportHandler& report);
  void on_ready(PublisherState& state, std::function<void()> ready);
  void flush(PublisherState& state);
  void flush();
  // Of the shared writers. A handler does not wait for it: who has it may be waiting for the pump.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> lock_shared() {
    if (in_pump()) return std::unique_lock(shared_mutex_, std::try_to_lock);
    return std::unique_lock(shared_mutex_);
  }

  // Subscriptions.
  std::expected<std::uint64_t, Error> subscribe(const ChannelRef& pattern,
                                                SubscriptionHandler handler,
                                                SubscribeOptions options);
  void unsubscribe(std::uint64_t id);
  std::expected<void, Error> on(const ChannelRef& channel, SubscriptionHandler handler);

  bool poll(Duration wait);
  bool settle(Duration timeout);
  std::expected<Duration, Error> ping(Duration timeout);
  std::expected<void, Error> close(Duration patience);
  [[nodiscard]] ClientStats stats();
  [[nodiscard]] std::string identity();

 private:
  friend class BackupThread;

  // Asking for a while before sleeping: waking a core costs more than this.
  static constexpr Duration kSpin = std::chrono::microseconds(30);
  // A waiting thread looks up at least this often, so that others get the pump.
  static constexpr Duration kWaitSlice = std::chrono::milliseconds(5);

  enum class Settling : std::uint8_t { kPending, kReady, kEnded };
  struct Registered {
    SubscriptionHandler handler;
    SubscribeOptions options;
    Settling settling = Settling::kPending;
    Error error;
  };

  ClientRuntime(std::string address, ClientOptions options, client::EngineConfig config,
                std::shared_ptr<const quic::ClientCredentials> credentials, std::string server_name,
                net::Poller waiting, net::Poller idle, std::unique_ptr<net::Wakeup> wakeup);

  void on_event(client::EngineOutput& output, Instant now) override;
  void on_messages(const client::Delivered& delivered);
  void on_direct(const client::DeliveredDirect& delivered);
  void on_settled(const client::Settled& settled);
  void on_disconnected(const client::Disconnected& gone);
  void on_subscription_ended(const client::SubscriptionEnded& ended);
  void tell(ConnectionState state, ErrorCode code, const std::string& text);
  void report(PublisherState& state, const client::Settled& settled);

  // With the lock of the pump.
  [[nodiscard]] bool pump(Instant now);
  [[nodiscard]] bool receive(Instant now);
  [[nodiscard]] bool has_unsent();
  void open_transport(Instant now);
  void call_ready();
  template <class Condition>
  [[nodiscard]] bool wait_until(Condition condition, Instant deadline);
  void sleep_pump(Instant until);
  [[nodiscard]] std::expected<void, Error> open(Duration timeout);

  // The sender's side of the pump.
  [[nodiscard]] std::optional<Error> fault_of(const Payload& payload);
  [[nodiscard]] bool append(PublisherState& state, const Payload& payload,
                            const ReportHandler& report);
  void appended(PublisherState& state, std::uint64_t size);
  [[nodiscard]] bool wait_for_room(PublisherState& state, std::size_t size);
  [[nodiscard]] bool in_pump() const { return pumping_.load() == std::this_thread::get_id(); }
  [[nodiscard]] Error closed_error();

  const std::string address_;
  const ClientOptions options_;
  std::atomic<std::uint32_t> message_size_max_;  // each connection states it anew

  // The pump's, under its lock.
  std::mutex pump_mutex_;
  link::ClientLink link_;
  runtime::BatchSink sink_;
  net::ReceiveBatch received_;
  net::Poller waiting_;  // of a thread that waits with the lock
  net::Poller idle_;     // of the backup thread, without
  bool transport_wanted_ = false;
  std::deque<std::unique_ptr<PublisherState>> publishers_;
  std::map<std::uint64_t, std::unique_ptr<Registered>> subscriptions_;
  std::map<std::string, SubscriptionHandler, std::less<>> direct_handlers_;
  ClientStats stats_;
  std::string identity_;
  bool connected_ = false;
  Error last_error_;

  std::atomic<std::thread::id> pumping_;
  std::atomic<bool> quiet_{false};   // nothing is on its way: a lone message may leave at once
  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> pump_count_{0};

  std::recursive_mutex shared_mutex_;  // a handler may send while its own thread does
  std::map<std::string, PublisherState*, std::less<>> shared_publishers_;

  std::unique_ptr<net::Wakeup> wakeup_;
  std::unique_ptr<class BackupThread> backup_;
};

}  // namespace orzatty
