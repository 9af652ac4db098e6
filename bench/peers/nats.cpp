// NATS through a nats-server of its own, with TLS or without. It drops what a slow subscriber does
// not take, so the publisher has a bounded number of messages on their way: the subscribers'
// progress lies in memory that both processes see, which costs NATS nothing.

#include <nats/nats.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "certificate_files.h"
#include "net/clock.h"
#include "peer.h"
#include "scene.h"

namespace orzatty::peers {
namespace {

constexpr const char* kFlowSubject = "flow";
constexpr const char* kPingSubject = "ping";
constexpr const char* kPongSubject = "pong";
constexpr std::uint64_t kOnTheirWayOneWay = 32'768;  // messages; 32 MiB of 1 KiB in the server
constexpr std::uint64_t kOnTheirWayFanOut = 4'096;   // the server holds them for each subscriber
constexpr std::uint64_t kProgressEvery = 64;         // messages
constexpr int kDeliveryThreads = 2;                  // of all subscribers together
constexpr Duration kNap = std::chrono::microseconds(100);  // a small part of what is on its way
constexpr std::int64_t kPatienceMs = 10'000;

void check(natsStatus status, const char* what) {
  if (status != NATS_OK) throw Failed(std::string(what) + ": " + ::natsStatus_GetText(status));
}

struct Free {
  void operator()(natsOptions* options) const { ::natsOptions_Destroy(options); }
  void operator()(natsConnection* connection) const { ::natsConnection_Destroy(connection); }
  void operator()(natsSubscription* subscription) const {
    ::natsSubscription_Destroy(subscription);
  }
  void operator()(natsMsg* message) const { ::natsMsg_Destroy(message); }
};
using Options = std::unique_ptr<natsOptions, Free>;
using Connection = std::unique_ptr<natsConnection, Free>;
using Subscription = std::unique_ptr<natsSubscription, Free>;
using Message = std::unique_ptr<natsMsg, Free>;

BytesView view_of(const natsMsg* message) {
  return {reinterpret_cast<const std::byte*>(::natsMsg_GetData(message)),
          static_cast<std::size_t>(::natsMsg_GetDataLength(message))};
}

void publish(natsConnection& connection, const char* subject, BytesView message) {
  check(::natsConnection_Publish(&connection, subject, message.data(),
                                 static_cast<int>(message.size())),
        "publish");
}

// Of each subscriber, seen by both processes.
class Progress {
 public:
  explicit Progress(std::size_t subscribers) : subscribers_(subscribers) {
    void* memory = ::mmap(nullptr, subscribers * sizeof(Place), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "mmap");
    places_ = static_cast<Place*>(memory);  // zeros are a valid beginning
  }
  ~Progress() { ::munmap(places_, subscribers_ * sizeof(Place)); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void report(std::size_t subscriber, std::uint64_t received) {
    places_[subscriber].received.store(received, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t of_slowest() const {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i < subscribers_; ++i) {
      least = std::min(least, places_[i].received.load(std::memory_order_relaxed));
    }
    return least;
  }

 private:
  struct alignas(64) Place {
    std::atomic<std::uint64_t> received;
  };

  std::size_t subscribers_;
  Place* places_ = nullptr;
};

// A nats-server on a free port; it ends with this process.
class Server {
 public:
  Server(const CertificateFiles& files, bool encrypted)
      : worker_(start(words_of(files, encrypted))) {
    const auto ports = await_ports(files.folder());
    // {"nats":["nats://127.0.0.1:PORT"], ...
    const auto from = ports.find("127.0.0.1:");
    require(from != std::string::npos, "nats-server says no port");
    const auto end = ports.find_first_not_of("0123456789", from + 10);
    url_ = (encrypted ? "tls://localhost:" : "nats://localhost:") +
           ports.substr(from + 10, end - from - 10);
  }

  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  static std::vector<std::string> words_of(const CertificateFiles& files, bool encrypted) {
    const std::string folder = files.folder().string();
    std::vector<std::string> words{"nats-server", "--addr", "127.0.0.1",     "--port",
                                   "-1",          "--log",  folder + "/log", "--ports_file_dir",
                                   folder};
    if (encrypted) {
      const std::vector<std::string> tls{"--tls", "--tlscert=" + files.chain(),
                                         "--tlskey=" + files.key()};
      words.insert(words.end(), tls.begin(), tls.end());
    }
    return words;
  }

  static apps::Worker start(std::vector<std::string> words) {
    auto worker = apps::Worker::start([&words](apps::Conversation&) {
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execv(ORZATTY_NATS_SERVER, arguments.data());
      return 1;
    });
    if (!worker) throw Failed(worker.error().text);
    return std::move(*worker);
  }

  // The server writes them into a file once it listens.
  static std::string await_ports(const std::filesystem::path& folder) {
    const Instant end = net::now() + std::chrono::milliseconds(kPatienceMs);
    while (net::now() < end) {
      for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".ports") continue;
        std::ifstream file(entry.path());
        std::string text(std::istreambuf_iterator<char>(file), {});
        if (text.find('}') != std::string::npos) return text;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw Failed("nats-server did not start");
  }

  apps::Worker worker_;
  std::string url_;
};

class Dialer {
 public:
  enum class Flush : std::uint8_t { kInBatches, kAtOnce };

  Dialer(const Server& server, const CertificateFiles& files, bool encrypted) {
    natsOptions* made = nullptr;
    check(::natsOptions_Create(&made), "options");
    options_.reset(made);
    check(::natsOptions_SetURL(made, server.url().c_str()), "URL");
    check(::natsOptions_SetAllowReconnect(made, false), "reconnect");
    check(::natsOptions_SetTimeout(made, kPatienceMs), "timeout");
    if (encrypted) {
      check(::natsOptions_SetSecure(made, true), "TLS");
      check(::natsOptions_LoadCATrustedCertificates(made, files.chain().c_str()), "trust");
      check(::natsOptions_SetExpectedHostname(made, "localhost"), "host");
    }
  }

  // Otherwise each subscription gets a thread of its own.
  void share_delivery_threads() {
    check(::nats_SetMessageDeliveryPoolSize(kDeliveryThreads), "threads");
    check(::natsOptions_UseGlobalMessageDelivery(options_.get(), true), "threads");
  }

  [[nodiscard]] Connection dial(Flush flush) const {
    check(::natsOptions_SetSendAsap(options_.get(), flush == Flush::kAtOnce), "flush");
    natsConnection* made = nullptr;
    check(::natsConnection_Connect(&made, options_.get()), "connect");
    return Connection(made);
  }

 private:
  Options options_;
};

// Keeps a bounded number of messages on their way to the slowest subscriber.
class PublisherLink final : public Link {
 public:
  PublisherLink(Connection connection, const Progress& progress, std::uint64_t on_their_way_max)
      : connection_(std::move(connection)),
        progress_(progress),
        on_their_way_max_(on_their_way_max) {}

  void send(BytesView message) override {
    if (sent_ - arrived_ >= on_their_way_max_) await_subscribers();
    publish(*connection_, kFlowSubject, message);
    ++sent_;
  }
  BytesView receive() override { throw Failed("a publisher receives nothing"); }
  void finish() override { check(::natsConnection_Flush(connection_.get()), "flush"); }

 private:
  void await_subscribers() {
    while (sent_ - (arrived_ = progress_.of_slowest()) >= on_their_way_max_) {
      std::this_thread::sleep_for(kNap);
    }
  }

  Connection connection_;
  const Progress& progress_;
  std::uint64_t on_their_way_max_;
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_ = 0;  // as last looked up
};

class PingPongLink final : public Link {
 public:
  PingPongLink(Connection connection, const char* to, const char* from)
      : connection_(std::move(connection)), to_(to) {
    natsSubscription* made = nullptr;
    check(::natsConnection_SubscribeSync(&made, connection_.get(), from), "subscribe");
    subscription_.reset(made);
    check(::natsConnection_Flush(connection_.get()), "flush");  // the server has it now
  }

  void send(BytesView message) override { publish(*connection_, to_, message); }
  BytesView receive() override {
    natsMsg* received = nullptr;
    check(::natsSubscription_NextMsg(&received, subscription_.get(), kPatienceMs), "receive");
    message_.reset(received);
    return view_of(received);
  }
  void finish() override { check(::natsConnection_Flush(connection_.get()), "flush"); }

 private:
  Connection connection_;
  const char* to_;
  Subscription subscription_;
  Message message_;  // received last
};

// Each with a connection of its own; messages come on threads of the library.
class Subscribers {
 public:
  Subscribers(const Dialer& dialer, std::span<Receipt> receipts, Progress& progress)
      : waiting_(static_cast<std::ptrdiff_t>(receipts.size())) {
    all_.reserve(receipts.size());
    for (Receipt& receipt : receipts) {
      all_.push_back(
          {dialer.dial(Dialer::Flush::kInBatches), {}, receipt, progress, all_.size(), waiting_});
    }
    for (Subscriber& subscriber : all_) subscribe(subscriber);
  }

  void await_end() { waiting_.wait(); }

 private:
  struct Subscriber {
    Connection connection;
    Subscription subscription;
    Receipt& receipt;
    Progress& progress;
    std::size_t place;
    std::latch& waiting;

    void take(BytesView message) {
      if (!receipt.take(message)) return waiting.count_down();
      if (receipt.next() % kProgressEvery == 0) progress.report(place, receipt.next());
    }
  };

  static void subscribe(Subscriber& subscriber) {
    natsSubscription* made = nullptr;
    const auto take = [](natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
      static_cast<Subscriber*>(closure)->take(view_of(message));
      ::natsMsg_Destroy(message);
    };
    check(::natsConnection_Subscribe(&made, subscriber.connection.get(), kFlowSubject, take,
                                     &subscriber),
          "subscribe");
    subscriber.subscription.reset(made);
    check(::natsSubscription_SetPendingLimits(made, -1, -1), "limits");
    check(::natsConnection_Flush(subscriber.connection.get()), "flush");  // the server has it now
  }

  std::latch waiting_;
  std::vector<Subscriber> all_;
};

class Nats final : public Peer {
 public:
  [[nodiscard]] Description describe() const override {
    return {.name = "nats",
            .version = ::nats_GetVersion(),
            .variants = {"tls", "plain"},
            .fans_out = true,
            .has_broker = true};
  }

  void prepare(const Plan& plan) override {
    encrypted_ = plan.variant == "tls";
    files_.emplace();
    server_.emplace(*files_, encrypted_);
    progress_.emplace(plan.subscribers);
  }

  void receive(const Plan& plan, apps::Conversation& sender, std::span<Receipt> receipts) override {
    Dialer dialer(*server_, *files_, encrypted_);
    if (plan.mode == Mode::kFanOut) dialer.share_delivery_threads();
    Subscribers subscribers(dialer, receipts, *progress_);
    sender.tell(true);
    subscribers.await_end();
  }

  void echo(const Plan&, apps::Conversation& sender) override {
    const Dialer dialer(*server_, *files_, encrypted_);
    PingPongLink link(dialer.dial(Dialer::Flush::kAtOnce), kPongSubject, kPingSubject);
    sender.tell(true);
    echo_all(link);
  }

  std::unique_ptr<Link> open(const Plan& plan, apps::Conversation& receiver) override {
    static_cast<void>(heard<bool>(receiver));
    const Dialer dialer(*server_, *files_, encrypted_);
    if (plan.mode == Mode::kRoundTrip) {
      return std::make_unique<PingPongLink>(dialer.dial(Dialer::Flush::kAtOnce), kPingSubject,
                                            kPongSubject);
    }
    return std::make_unique<PublisherLink>(
        dialer.dial(Dialer::Flush::kInBatches), *progress_,
        plan.mode == Mode::kFanOut ? kOnTheirWayFanOut : kOnTheirWayOneWay);
  }

 private:
  bool encrypted_ = false;
  std::optional<CertificateFiles> files_;
  std::optional<Server> server_;
  std::optional<Progress> progress_;
};

}  // namespace
}  // namespace orzatty::peers

int main(int count, char** words) {
  orzatty::peers::Nats peer;
  return orzatty::peers::run(peer, count, words);
}
