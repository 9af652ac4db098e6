// Where only the newest value of each key counts, that one arrives: it is not passed over by whoever
// publishes it, and everything at rest has it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "sim/checker.h"
#include "sim/server_host.h"

namespace orzatty::sim {

class LatestValues final : public Checker {
 public:
  explicit LatestValues(const ServerConfig& server) : Checker("latest values"), server_(server) {}
  void handle(const Happening& happening) override;
  void finish() override;
  [[nodiscard]] std::string unrest() const override;

 private:
  struct Value {
    std::string key;
    bool expires = false;
  };
  struct Newest {
    Offset offset;
    bool expires = false;
  };
  using Offsets = std::map<std::string, Offset>;  // by key
  // Of a channel, by one subscription.
  struct Reading {
    ServerLife life;
    Offset begin;
    Offsets had = {};
  };
  struct Subscription {
    ChannelPattern pattern;
    StartPosition start;
    std::map<std::string, Reading, std::less<>> readings = {};
  };
  using Key = std::pair<ProgramId, SubscriptionId>;

  void handle(const Published& published);
  void handle(const FateTold& told);
  void handle(const MessagesSeen& seen);
  void note(ServerLife life, std::string_view channel, Offset offset, const MessageName& name);
  // Of which [from, ...) comes; nullptr when it ended.
  [[nodiscard]] Reading* reading(const Key& key, std::string_view channel, ServerLife life,
                                 Offset from);
  // The key of a newest value that it has to have and has not.
  [[nodiscard]] std::optional<std::string> missing(const Subscription& subscription,
                                                   const std::string& channel) const;
  // From where on it has to have them.
  [[nodiscard]] std::optional<Offset> begin_of(const Subscription& subscription,
                                               const std::string& channel) const;

  [[nodiscard]] bool counts(std::string_view channel) const {
    return config_of(server_, channel).mode == DeliveryMode::kLatest;
  }

  ServerConfig server_;
  ServerLife life_;
  std::map<MessageName, Value> values_;
  // By publication, what it published last of each key.
  std::map<std::pair<ProgramId, PublicationId>, std::map<std::string, Sequence>> last_;
  // By channel, and key; of this life of the server.
  std::map<std::string, std::map<std::string, Newest>, std::less<>> newest_;
  std::map<Key, Subscription> subscriptions_;
};

}  // namespace orzatty::sim
