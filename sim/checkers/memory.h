// What the hub holds in its logs is bounded, whatever peers do, at all times.
#pragma once

#include <string>

#include "sim/checker.h"
#include "sim/server_host.h"

namespace orzatty::sim {

class Memory final : public Checker {
 public:
  explicit Memory(const ServerConfig& server)
      : Checker("memory"), size_max_(server.limits.hub_size_max) {}

  void handle(const Happening& happening) override {
    const auto* grew = std::get_if<HubGrew>(&happening);
    if (grew == nullptr || grew->bytes <= size_max_) return;
    violated("the hub holds " + std::to_string(grew->bytes) + " of " + std::to_string(size_max_) +
             " bytes");
  }

 private:
  std::uint64_t size_max_;
};

}  // namespace orzatty::sim
