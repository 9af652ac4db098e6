// How often things happened to a server's peers, for the metrics. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "orzatty/server.h"

namespace orzatty::apps {

struct Events {
  std::uint64_t joined = 0;
  std::uint64_t resumed = 0;
  std::uint64_t detached = 0;
  std::uint64_t refused = 0;
  std::uint64_t slow = 0;
  std::map<std::string, std::uint64_t> left = {};  // by the name of its ErrorCode
};

class EventCounts {
 public:
  void count(const ServerEvent& event);
  [[nodiscard]] Events counted() const;

 private:
  mutable std::mutex mutex_;
  Events events_;
};

}  // namespace orzatty::apps
