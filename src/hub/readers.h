// Who reads a channel, and how many stand at each run of its index, so that the slowest is known
// without a search. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "base/run_index.h"

namespace orzatty::hub {

class ChannelReader;

// Where a reader stands with its channel; written by Readers alone.
struct Standing {
  enum class State : std::uint8_t {
    kCaughtUp,   // has everything; is woken by the next message
    kBehind,     // at `run`
    kOvertaken,  // what it would read next is gone
  };
  State state = State::kOvertaken;
  base::RunNumber run;
  std::size_t place = 0;    // among all readers
  std::size_t waiting = 0;  // among those that caught up
};

class Readers {
 public:
  [[nodiscard]] bool empty() const { return all_.empty(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] const std::vector<ChannelReader*>& all() const { return all_; }

  // Enters as overtaken: set_behind() or set_caught_up() follows, unless its start is gone.
  void enter(ChannelReader& reader);
  void leave(ChannelReader& reader);
  void set_behind(ChannelReader& reader, base::RunNumber run);
  void set_caught_up(ChannelReader& reader);

  // The index got messages, the first of them in `run`: all who had caught up stand there now, and
  // are given. Valid until the next call.
  [[nodiscard]] const std::vector<ChannelReader*>& wake(base::RunNumber run);
  // How many stand at the oldest run.
  [[nodiscard]] std::uint32_t count_at_front() const;
  // The index let go of its oldest run: who stood there is overtaken, and added to `overtaken`.
  void pop_front(std::vector<ChannelReader*>& overtaken);
  // The oldest run at which somebody stands.
  [[nodiscard]] std::optional<base::RunNumber> slowest() const;

 private:
  void clear_standing(ChannelReader& reader);
  std::uint32_t& count_at(base::RunNumber run);

  std::vector<ChannelReader*> all_;
  std::vector<ChannelReader*> caught_up_;
  std::vector<ChannelReader*> woken_;
  base::Ring<std::uint32_t> counts_;  // per run, from first_ on; may be shorter than the index
  base::RunNumber first_;             // of the index
  mutable std::size_t passed_ = 0;    // counts before this one are 0
};

}  // namespace orzatty::hub
