// The client around its engine: a socket, whoever holds the pump, and what the application
// registered.
//
// The pump is all of the I/O: receive, let handlers run, build packets, send. Whoever holds its
// lock runs it: the sending thread when it has enough (a try-lock, never a wait), a thread that
// waits for something, or the backup thread (backup_thread.h). The reason: a separate I/O thread
// alone loses a third to wake-ups that preempt the sender after one message.
//
// client_runtime.cpp has the pump and those who wait for it, client_publishing.cpp the senders'
// side, client_subscribing.cpp what is registered, client_requests.cpp what is asked and answered, client_events.cpp what the program is told.
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
#include "orzatty/client.h"
#include "runtime/client_socket.h"
#include "runtime/publisher_state.h"
#include "runtime/pump_lock.h"
#include "runtime/waiting_threads.h"
#include "runtime/writer_lock.h"

namespace orzatty {

// Whether a call may wait, and until when.
struct Patience {
  enum class Waiting : std::uint8_t { kAllowed, kNever };
  Waiting waiting = Waiting::kAllowed;
  std::optional<Instant> deadline = std::nullopt;
};

class ClientRuntime final : private link::ClientEvents {
 public:
  // The sender's thread runs the pump after this much: enough for one GSO send.
  static constexpr std::uint64_t kPumpEvery = 32 * 1024;

  static std::expected<std::unique_ptr<ClientRuntime>, Error> connect(std::string_view address,
                                                                      ClientOptions options);
  ~ClientRuntime();
  // Ends it and its thread: no handler runs afterwards. Not in a handler.
  void shut_down();

  // Publishers. One more than there may be waits for the end of one that was destroyed, or is told
  // kBusy when it has waited until `deadline`, if there is one, or never may.
  std::expected<PublisherState*, Error> publisher(const ChannelRef& channel,
                                                  const PublisherOptions& options = {},
                                                  const Patience& patience = {});
  // The writer that all threads share for a channel. Recursive: a handler may send while its own
  // thread does.
  struct SharedWriter {
    PublisherState* state = nullptr;
    runtime::WriterLock mutex;
  };
  std::expected<SharedWriter*, Error> shared_writer(const ChannelRef& channel,
                                                    const Patience& patience = {});
  // A handler does not wait for it: who has it may be waiting for the pump.
  [[nodiscard]] std::unique_lock<runtime::WriterLock> lock(SharedWriter& writer) {
    if (in_pump()) return std::unique_lock(writer.mutex, std::try_to_lock);
    return std::unique_lock(writer.mutex);
  }
  std::expected<void, Error> send(PublisherState& state, const Payload& payload,
                                  const ReportHandler* report = nullptr);
  std::expected<void, Error> try_send(PublisherState& state, const Payload& payload,
                                      const ReportHandler* report = nullptr);
  void on_ready(PublisherState& state, std::function<void()> ready);
  // Its Publisher is gone; it ends once all that was sent has its fate.
  void abandon(PublisherState& state);
  void flush(PublisherState& state);
  void flush();

  // Subscriptions.
  std::expected<std::uint64_t, Error> subscribe(const ChannelRef& pattern,
                                                SubscriptionHandler handler,
                                                SubscribeOptions options);
  void unsubscribe(std::uint64_t id);
  std::expected<void, Error> on(const ChannelRef& channel, SubscriptionHandler handler);

  std::expected<std::vector<KnownFate>, Error> fate(const ChannelRef& channel,
                                                    const FateQuestion& question, Duration timeout);

  // Requests.
  std::expected<CorrelationId, Error> request(const ChannelRef& channel, const Payload& payload,
                                              const ReplyHandler& handler, Duration timeout);
  std::expected<Reply, Error> request(const ChannelRef& channel, const Payload& payload,
                                      Duration timeout);
  void cancel_request(const CorrelationId& id);
  std::expected<void, Error> reply(const CorrelationId& id, const Payload& payload,
                                   const ReportHandler* report);

  bool poll(Duration wait);
  bool settle(Duration timeout);
  std::expected<void, Error> rebind();
  std::expected<Duration, Error> ping(Duration timeout);
  std::expected<void, Error> close(Duration patience);
  [[nodiscard]] ClientStats stats();
  [[nodiscard]] std::string identity();

 private:
  friend class BackupThread;
  using PumpGuard = std::unique_lock<runtime::PumpLock>;

  // So long nothing came although something is on its way: has this machine another address now?
  static constexpr Duration kSilence = std::chrono::seconds(1);

  enum class Settling : std::uint8_t { kPending, kReady, kEnded };
  struct Registered {
    SubscriptionHandler handler;
    SubscribeOptions options;
    Settling settling = Settling::kPending;
    Error error;
  };

  ClientRuntime(std::string address, ClientOptions options, client::EngineConfig config,
                std::shared_ptr<const quic::ClientCredentials> credentials,
                std::unique_ptr<runtime::ClientSocket> socket);

  void on_event(client::EngineOutput& output, Instant now) noexcept override;
  void on_connected(const client::Connected& up);
  void on_disconnected(const client::Disconnected& gone);
  void on_messages(const client::Delivered& delivered);
  void on_direct(const client::DeliveredDirect& delivered);
  void on_missed(const client::Missed& missed);
  void on_reset(const client::ChannelReset& reset);
  void on_settled(const client::Settled& settled);
  void on_publication_ended(const client::PublicationEnded& ended);
  void on_fates(const client::FatesTold& told);
  void on_replies(const client::DeliveredDirect& delivered);
  void on_request_failed(const client::RequestFailed& failed);
  void on_subscription_ended(const client::SubscriptionEnded& ended);
  void tell(ConnectionState state, ErrorCode code, const std::string& text);
  void report(PublisherState& state, const client::Settled& settled);
  [[nodiscard]] std::shared_ptr<Registered> find(SubscriptionId id) const;
  using Publishers = std::deque<std::unique_ptr<PublisherState>>;
  // The end, when it ended.
  [[nodiscard]] Publishers::iterator find(PublicationId id);

  // With the lock of the pump, which a handler has already.
  [[nodiscard]] PumpGuard lock_pump();
  [[nodiscard]] bool pump(Instant now);
  // Until nothing happened for a while, or somebody wants the lock.
  void pump_until_idle();
  [[nodiscard]] bool receive(Instant now);
  [[nodiscard]] bool write(Instant now);
  // Behind the barrier of a sleeper: nothing was appended, or abandoned, that no turn has seen.
  [[nodiscard]] bool has_news() { return turn_wanted_.load() || link_.engine().has_any_news(); }
  void watch_path(Instant now);
  void wake_backup_if_late();
  void open_transport(Instant now);
  void retire_abandoned();
  void call_ready() noexcept;
  void end(Error reason);
  void sleep_holder(Instant until);
  [[nodiscard]] ClientStats counted();
  [[nodiscard]] static std::expected<void, Error> fate_of_close(std::uint64_t unsettled,
                                                                Duration patience);
  [[nodiscard]] std::expected<void, Error> move_socket(Instant now);

  // Pumps until the condition, which is looked at with the lock, holds.
  using Condition = std::function<bool()>;
  [[nodiscard]] bool wait_until(const Condition& condition, Instant deadline);
  [[nodiscard]] bool spin_until(const Condition& condition, Instant deadline);
  [[nodiscard]] std::expected<void, Error> open(Duration timeout);

  // The sender's side of the pump.
  [[nodiscard]] bool is_plain(const PublisherState& state, const Payload& payload) const;
  [[nodiscard]] std::optional<Error> fault_of(const Payload& payload);
  [[nodiscard]] std::optional<Error> fault_of(const PublisherState& state, const Payload& payload);
  [[nodiscard]] bool append(PublisherState& state, const Payload& payload,
                            const ReportHandler* report);
  [[nodiscard]] bool append_plain(PublisherState& state, const Payload& payload);
  void appended(PublisherState& state, std::uint64_t size);
  [[nodiscard]] std::expected<CorrelationId, Error> ask(PublisherState& state,
                                                        const Payload& payload,
                                                        const ReplyHandler& handler,
                                                        Instant deadline);
  // Its message was not appended.
  void withdraw_request(const CorrelationId& id);
  [[nodiscard]] std::expected<void, Error> await_reply(const client::AwaitedReply& request,
                                                       const ReplyHandler& handler);
  void wait_for_place(Instant deadline);
  [[nodiscard]] bool place_will_come() const;
  // Runs the pump, unless somebody does: then he is woken.
  void offer_turn();
  // That client and server allow at once.
  [[nodiscard]] std::size_t publisher_count_max() {
    return link_.engine().publication_count_max();
  }
  [[nodiscard]] bool wait_for_room(PublisherState& state, std::size_t size);
  [[nodiscard]] bool in_pump() const { return pumping_.load() == std::this_thread::get_id(); }
  [[nodiscard]] Error closed_error() const;
  [[nodiscard]] static Error closed_by_user();

  const std::string address_;
  const ClientOptions options_;
  std::atomic<std::uint32_t> message_size_max_;  // each connection states it anew
  const std::unique_ptr<runtime::ClientSocket> socket_;

  // The pump's, under its lock.
  runtime::PumpLock pump_lock_;
  link::ClientLink link_;
  bool transport_wanted_ = false;
  bool rebind_wanted_ = false;
  std::map<std::uint64_t, std::optional<std::vector<KnownFate>>> fates_;  // by question
  std::map<CorrelationId, ReplyHandler> reply_handlers_;
  bool active_ = false;                  // the last turn did something
  bool unsent_ = false;                  // it left something that could be sent at once
  std::optional<Instant> backup_until_;  // when the backup thread wakes by itself
  Instant received_at_;
  Instant probe_at_;
  Publishers publishers_;          // ascending by their ids
  std::uint64_t sent_before_ = 0;  // by those that ended
  std::map<std::uint64_t, std::shared_ptr<Registered>> subscriptions_;
  std::map<std::string, std::shared_ptr<SubscriptionHandler>, std::less<>> direct_handlers_;
  ClientStats stats_;
  std::string identity_;
  bool connected_ = false;
  bool attempt_lost_ = false;        // the transport could not be had, and not for want of an answer
  std::size_t attempts_failed_ = 0;  // for good
  Error last_error_;
  Error closed_reason_;  // written once, before closed_

  runtime::WaitingThreads waiting_threads_;
  std::atomic<std::thread::id> pumping_;
  std::atomic<bool> quiet_{false};  // nothing is on its way: a lone message may leave at once
  std::atomic<bool> closed_{false};
  std::atomic<bool> turn_wanted_{false};  // for what stands in no outbox
  std::atomic<std::size_t> ready_wanted_{0};  // by publishers, that their room is told
  std::atomic<std::uint64_t> pump_count_{0};

  std::mutex shared_mutex_;  // of the map, never held while anybody waits for the pump
  std::map<std::string, SharedWriter, std::less<>> shared_writers_;

  std::unique_ptr<class BackupThread> backup_;
};

}  // namespace orzatty
