// Many publishers that one thread serves in turn: one on each of many connections, or all of them
// on one. Each sends as much in its turn as fills a dozen packets, however many there are, so that
// rates of different numbers of them are of equally full packets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench_scenes.h"
#include "failure.h"
#include "orzatty/client.h"

namespace orzatty::apps {

class BenchPublishers {
 public:
  explicit BenchPublishers(const BenchPlan& plan);

  // Its messages have the next number of source.
  Result<void> add(Client& client, const std::string& channel);
  // Sends for as long as the plan says, and until all of it is accepted; gives how many.
  Result<std::uint64_t> run();

 private:
  struct Lane {
    Client* client;
    Publisher publisher;
    std::uint64_t sent = 0;
  };

  Result<bool> send_some(std::size_t source);
  Result<void> settle();
  [[nodiscard]] bool is_over() const;

  const BenchPlan& plan_;
  std::uint64_t turn_;  // messages
  Bytes message_;
  std::vector<Lane> lanes_;
  std::uint64_t sent_ = 0;
  Instant end_;
};

}  // namespace orzatty::apps
