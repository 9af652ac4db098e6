// Fault scripts of `orzatty lab`: strict TOML, where an unknown key is an error. Every fault has
// the name that lab::Conditions gives it.
//
//   preset = "mobile"           # where everything starts from; leave it out for a perfect network
//   seed = 7                    # the same seed, the same faults
//   delay = "40ms"              # and jitter, both ways
//   loss = 0.05                 # probabilities are per datagram: reordering, duplication,
//                               # corruption, truncation
//   burst_begins = 0.001        # of a burst of losses; burst_ends, burst_loss while one lasts
//   rate = "10Mbit/s"           # or "64kbit/s", "1MB/s", "unlimited"; queue_bytes wait for it
//   mtu = 1280                  # larger payloads vanish
//   rebind_every = "1s"         # clients have a new port as the server sees them
//
//   [up]                        # only from the clients; [down] only to them
//   rate = "64kbit/s"
//
//   [[phase]]                   # otherwise as above, but from here
//   from = "5s"
//   to = "8s"                   # leave it out: for ever
//   every = "20s"               # again at 25s, 45s, ...
//   black_hole = true
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "lab/fault_script.h"

namespace orzatty::apps {

// `path` is for errors.
Result<lab::FaultScript> parse_fault_script(std::string_view text,
                                            const std::filesystem::path& path);
Result<lab::FaultScript> load_fault_script(const std::filesystem::path& path);

Result<lab::FaultScript> preset_script(std::string_view name);

// Changes the whole script by faults such as "loss=0.05", "delay=20ms", "up.rate=64kbit/s": what
// holds always, and every phase.
Result<void> add_faults(lab::FaultScript& script, const std::vector<std::string>& faults);

}  // namespace orzatty::apps
