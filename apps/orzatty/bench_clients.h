// Many clients of one process, polled by one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <string>

#include "orzatty/client.h"
#include "orzatty/time.h"

namespace orzatty::apps {

// So many of them a process has files for, where it may open 16,384: each has five.
inline constexpr std::size_t kClientsPerProcess = 2'500;

class BenchClients {
 public:
  // One after the other, polling those that are open: they have heartbeats to answer.
  std::expected<void, Error> open(const std::string& address, ClientOptions options,
                                  std::size_t count);
  // True when something happened to one of them.
  bool poll();
  // The same when none was polled for a second: for whoever is long busy with one after the other.
  void poll_when_due();

  // Or a server that stops would wait for what they say to it.
  void close() { all_.clear(); }

  std::deque<Client>& all() { return all_; }

 private:
  std::deque<Client> all_;
  Instant polled_at_;
};

}  // namespace orzatty::apps
