// Measures one peer: forks the receiver, lets the sender send for a while, and believes nothing
// that the receiver did not check.
#pragma once

#include <cstdint>

#include "peer.h"
#include "statistics.h"

namespace orzatty::peers {

struct Flow {
  std::uint64_t sent = 0;
  double seconds = 0;  // from the first send() until every receiver had all of it
  double sender_cpu_ns = 0;
  double receiver_cpu_ns = 0;  // of all receivers together, which are one process
};

// One way or fan-out. Throws Failed when a message was lost, came twice or came in another size.
Flow measure_flow(Peer& peer, const Plan& plan);
// Throws Failed when an answer was not what was sent.
apps::Percentiles measure_round_trips(Peer& peer, const Plan& plan);

// A whole program: reads the command line, measures, prints one line of JSON; gives the exit code.
int run(Peer& peer, int count, char** words);

}  // namespace orzatty::peers
