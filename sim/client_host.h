// A client's machine, and the program on it: publishes and subscribes as it was told, goes on when
// it was killed and started again, and reports everything that its client engine says.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "link/client_link.h"
#include "orzatty/limits.h"
#include "session/scratch.h"
#include "sim/chronicle.h"
#include "sim/host.h"
#include "sim/server_host.h"
#include "sim/streams.h"
#include "wire/message.h"

namespace orzatty::sim {

// Messages to one channel, over all lives of the program.
struct Feed {
  std::string channel;
  std::uint64_t count = 0;
  Duration from = Duration::zero();  // since the host exists
  Duration every = std::chrono::milliseconds(10);
  std::uint64_t burst_max = 1;  // messages at a time: 1 to that many
  std::size_t size_max = 64;
  std::optional<std::chrono::milliseconds> time_to_live = {};
  // Of a producer of that name, whose newer processes fence the older; else of the process's own.
  std::string producer = {};
  std::uint8_t priority = kPriorityDefault;
  // They are requests, whose replies are waited for so long; every seventh is cancelled at once.
  std::optional<std::chrono::milliseconds> asks_for = {};
  // After so many messages its publisher ends, and another begins; one for all with 0.
  std::uint64_t publisher_ends_after = 0;
  DeliveryMode mode = DeliveryMode::kReliable;
  std::uint64_t key_count = 0;  // they take turns; with none messages have no key
};

struct ClientConfig {
  std::string identity;
  std::string token;
  Role role = Role::kClient;
  Limits limits;
  std::uint64_t index = 0;  // among all clients of a world: draws its chance
  std::uint64_t epoch = 0;  // before that of its named producers' first process
  const ServerConfig* server = nullptr;  // whose channels it knows; outlives it
};

// What a program was told of one channel, in order.
struct Heard {
  std::vector<MessageName> messages;
  std::vector<Gap> gaps;
  std::uint64_t resets = 0;
};

class ClientHost final : public Host, private link::ClientEvents {
 public:
  ClientHost(ClientConfig config, const base::Address& server, Streams streams,
             Chronicle& chronicle, Instant now);

  // The application's wishes. They outlive the process.
  void feed(const Feed& feed, Instant now);
  void subscribe(std::string_view pattern, const StartPosition& start);
  // By live subscriptions of its own: replies to every request that it sees.
  void answer(std::string_view pattern);

  // The process dies at once, without a word; a started one subscribes where it stored that it was.
  void kill();
  void start(Instant now);
  [[nodiscard]] bool running() const { return link_ != nullptr; }

  void handle(const quic::Datagram& datagram, ServerLife life, link::PacketSink& sink,
              Instant now) override;
  void handle_timeout(Instant now) override;
  [[nodiscard]] std::optional<Instant> next_timeout() const override;
  void write(link::PacketSink& sink, Instant now) override;
  void move(const base::Address& local, Instant now);

  // A newer process of its producer has shut it out, and it will not come back.
  [[nodiscard]] bool fenced() const { return fenced_; }
  // Nothing is left to publish, and everything that was has its fate.
  [[nodiscard]] bool settled();
  [[nodiscard]] bool connected() const { return link_ != nullptr && link_->engine().connected(); }
  [[nodiscard]] const std::string& identity() const { return config_.identity; }
  [[nodiscard]] Role role() const { return config_.role; }
  [[nodiscard]] ProgramId program() const { return program_; }
  [[nodiscard]] std::uint64_t published_count() const { return published_count_; }
  [[nodiscard]] std::uint64_t seen_count() const { return seen_count_; }
  [[nodiscard]] std::uint64_t connected_count() const { return connected_count_; }
  // Messages to this client alone, in this life of the process.
  [[nodiscard]] std::uint64_t direct_count() const { return direct_count_; }
  // Requests of all lives of the process, by their ends: "answered" or as RequestOver has it.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& requests() const { return requests_; }
  // Publishers of all lives of the process that ended.
  [[nodiscard]] std::uint64_t publishers_ended() const { return publishers_ended_; }
  // In how many sessions it was welcome, and how often again in the same.
  [[nodiscard]] std::uint64_t session_count() const { return session_count_; }
  [[nodiscard]] std::uint64_t resumed_count() const { return resumed_count_; }
  // By channel, of this life of the process, all subscriptions together.
  [[nodiscard]] const std::map<std::string, Heard>& heard() const { return heard_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& fates() const { return fates_; }

  base::Address address;

 private:
  struct Feeding {
    Feed feed;
    std::uint64_t left = 0;
    std::uint64_t due_count = 0;  // whose time has come, but for whom there was no room
    Instant next_at;
    std::optional<PublicationId> publication;
    std::uint64_t published = 0;  // by that one
  };
  struct Wish {
    ChannelPattern pattern;
    StartPosition start;
    std::optional<SubscriptionId> subscription;
    std::optional<Offset> stored;  // of an exact pattern: what the application would start from
    bool answers = false;
  };

  void on_event(client::EngineOutput& output, Instant now) override;
  // That it stands behind everything below, which it does not know where no order is kept.
  void store(SubscriptionId subscription, std::string_view channel, Offset next);
  void on_delivered(const client::Delivered& delivered);
  void on_missed(const client::Missed& missed);
  void on_reset(const client::ChannelReset& reset);
  void on_settled(const client::Settled& settled);
  void on_ended(const client::SubscriptionEnded& ended);
  void on_disconnected(const client::Disconnected& disconnected);
  void on_direct(const client::DeliveredDirect& direct);
  void on_reply(const wire::MessageView& message);
  void on_request_failed(const client::RequestFailed& failed);
  void open(Feeding& feeding);
  // False when there is no room for another request.
  [[nodiscard]] bool append(Feeding& feeding, const MessageName& name, Instant now);
  void begin_request(const MessageName& request, Duration patience);
  void end_publisher(Feeding& feeding);
  void reply_to_all(Instant now);
  void speak_out_of_turn();
  void run_feeds(Instant now);
  [[nodiscard]] bool publish_one(Feeding& feeding, Instant now);
  void ask(Wish& wish, const StartPosition& start);
  [[nodiscard]] Wish* find(SubscriptionId subscription);
  void report_counts();
  void tell(const Happening& happening) { chronicle_.handle(happening); }

  ClientConfig config_;
  base::Address server_;
  Streams streams_;
  Chronicle& chronicle_;
  base::Prng chance_;
  std::uint64_t start_count_ = 0;
  session::Scratch unasked_;  // what an intruder says; outlives the link
  std::unique_ptr<link::ClientLink> link_;
  ProgramId program_;
  ServerLife life_;  // of the server whose datagram is being handled
  std::vector<Feeding> feeds_;
  std::vector<Wish> wishes_;
  std::vector<std::size_t> to_ask_again_;  // of wishes_
  std::vector<std::string> channels_;      // by publication of this process; empty when it ended
  std::deque<MessageName> to_reply_;       // requests that it has seen
  std::optional<PublicationId> replying_;
  std::vector<SeenMessage> seen_;  // reused
  Bytes payload_;                  // reused
  bool connection_wanted_ = false;
  bool fenced_ = false;
  bool spoke_ = false;
  std::uint64_t published_count_ = 0;
  std::uint64_t seen_count_ = 0;
  std::uint64_t connected_count_ = 0;
  std::uint64_t direct_count_ = 0;
  std::uint64_t session_count_ = 0;
  std::uint64_t resumed_count_ = 0;
  std::map<std::string, Heard> heard_;
  std::map<std::string, std::uint64_t> fates_;
  std::map<std::string, std::uint64_t> requests_;
  std::uint64_t publishers_ended_ = 0;
};

}  // namespace orzatty::sim
