// Which processors a measurement runs on: one side gets the last one for itself.
#pragma once

#include <sched.h>

#include <cstdint>

namespace orzatty::apps {

class Cores {
 public:
  enum class Side : std::uint8_t {
    kServer,   // the last processor that this process might use when this was made
    kClients,  // all the others
  };

  Cores();
  // For the calling thread and those that it makes. Nothing happens on a single processor.
  void occupy(Side side) const;

 private:
  cpu_set_t allowed_{};
};

}  // namespace orzatty::apps
