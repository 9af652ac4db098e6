// One pass of the demo: three publishers, each with its channel and the whole source, and five
// subscribers, all with sessions of their own; then what each subscriber saw, held against the
// source.
//
// Threads: open(), run() and result() belong to one; publishers have their own, and handlers run in
// the clients'. What they count may be read at any time, the rest after run().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection_options.h"
#include "failure.h"
#include "interruption.h"
#include "orzatty/client.h"
#include "quic/digest.h"

namespace orzatty::apps {

// A file, and its lines without their newlines.
struct DemoSource {
  std::string name;
  std::string text;
  std::vector<std::string_view> lines;
};
Result<DemoSource> read_demo_source(const std::string& path);

inline constexpr std::array<std::string_view, 3> kDemoChannels = {"demo.a", "demo.b", "demo.c"};

struct DemoPhaseOptions {
  std::uint64_t message_count = 0;  // per publisher: the first lines of the source
  double rate = 0;                  // messages per second and publisher; 0: as fast as it goes
};

// When every 16th message was sent: a clock read each time would be a good part of sending it.
class SendTimes {
 public:
  static constexpr std::uint64_t kEvery = 16;

  explicit SendTimes(std::uint64_t message_count) : times_(message_count / kEvery + 1) {}
  void set(std::uint64_t index, Instant now) {
    times_[index / kEvery].store(now.time_since_epoch().count(), std::memory_order_release);
  }
  [[nodiscard]] Instant at(std::uint64_t index) const {
    return Instant(Duration(times_[index / kEvery].load(std::memory_order_acquire)));
  }

 private:
  std::vector<std::atomic<Duration::rep>> times_;
};

// What one subscriber sees of one channel. Written by its client's thread.
class Reception {
 public:
  Reception(const SendTimes& times, std::uint64_t message_count);

  void take(const Message& message);
  void miss(const Gap& gap) { missed_ += gap.to - gap.from; }

  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] bool complete() const { return count() == message_count_; }
  // Of these and what follows, only after the client was closed.
  [[nodiscard]] std::uint64_t disordered() const { return disordered_; }
  [[nodiscard]] std::uint64_t missed() const { return missed_; }
  [[nodiscard]] Instant last() const { return last_; }
  [[nodiscard]] const std::vector<Duration>& latencies() const { return latencies_; }
  [[nodiscard]] quic::Digest::Value digest();

 private:
  const SendTimes& times_;
  const std::uint64_t message_count_;
  std::atomic<std::uint64_t> count_{0};
  Offset first_;
  Offset next_;
  std::uint64_t disordered_ = 0;
  std::uint64_t missed_ = 0;
  Instant last_;
  std::vector<Duration> latencies_;
  quic::Digest digest_;
  std::string undigested_;
};

class DemoPublisher {
 public:
  DemoPublisher(Client client, Publisher publisher, std::uint64_t message_count)
      : times(message_count), client_(std::move(client)), publisher_(std::move(publisher)) {}

  // Sends; ends early when the client is closed.
  void run(const DemoSource& source, const DemoPhaseOptions& options);
  [[nodiscard]] Client& client() { return client_; }
  [[nodiscard]] std::uint64_t published() const { return published_.load(); }
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

  SendTimes times;

 private:
  void wait_for_turn(std::uint64_t index, double rate, Instant began);

  Client client_;
  Publisher publisher_;
  std::atomic<std::uint64_t> published_{0};
  std::optional<Failure> failure_;  // of its thread, until that has ended
};

struct DemoSubscriber {
  // Null where the channel is not its.
  [[nodiscard]] Reception* reception_of(std::string_view channel) const;

  std::string_view name;
  std::array<std::unique_ptr<Reception>, kDemoChannels.size()> receptions;  // by channel
  std::optional<Client> client;  // last, so that its handlers end first
};

struct DemoResult {
  std::uint64_t published = 0;
  std::uint64_t accepted = 0;
  std::uint64_t bytes = 0;  // published
  std::uint64_t deliveries_due = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t disordered = 0;
  std::uint64_t missed = 0;  // told as gaps
  std::uint64_t digests_due = 0;
  std::uint64_t digests_equal = 0;
  Duration time{};  // from the first send to the last delivery
  Duration latency_p50{};
  Duration latency_p99{};

  [[nodiscard]] std::uint64_t lost() const { return deliveries_due - deliveries; }
  [[nodiscard]] bool is_right() const;
};

class DemoPhase {
 public:
  static Result<std::unique_ptr<DemoPhase>> open(const DemoSource& source,
                                                 const DemoPhaseOptions& options,
                                                 const ConnectionOptions& connection,
                                                 Interruption& interruption);

  // Until everything has arrived, nothing moves for a while, or it is interrupted. `watch` is
  // called again and again meanwhile.
  Result<void> run(Interruption& interruption, const std::function<void()>& watch);
  // After run().
  [[nodiscard]] DemoResult result();

  [[nodiscard]] std::vector<std::unique_ptr<DemoPublisher>>& publishers() { return publishers_; }
  [[nodiscard]] const std::vector<std::unique_ptr<DemoSubscriber>>& subscribers() const {
    return subscribers_;
  }

 private:
  DemoPhase(const DemoSource& source, const DemoPhaseOptions& options)
      : source_(source), options_(options) {}
  Result<void> add_publisher(std::string_view channel, const ConnectionOptions& connection,
                             Interruption& interruption);
  Result<void> add_subscriber(std::string_view name, const std::vector<std::string_view>& patterns,
                              const ConnectionOptions& connection, Interruption& interruption);
  [[nodiscard]] std::uint64_t delivered() const;
  [[nodiscard]] bool complete() const;
  Result<void> wait(Interruption& interruption, const std::function<void()>& watch);
  [[nodiscard]] std::optional<Failure> publisher_failure() const;

  const DemoSource& source_;
  DemoPhaseOptions options_;
  std::vector<std::unique_ptr<DemoPublisher>> publishers_;  // by channel
  std::vector<std::unique_ptr<DemoSubscriber>> subscribers_;
  Instant began_;
  std::atomic<std::size_t> publishing_{0};
};

}  // namespace orzatty::apps
