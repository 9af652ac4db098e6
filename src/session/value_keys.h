// Of which key each message in an outbox of mode latest is a value, so that the session knows what a
// newer one has taken the place of. The writer notes it behind each message; the session takes the
// notes, and keeps those of messages that are in no run yet.
//
// Threads: as an Outbox: the writer's functions belong to one, the session's to another.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/ring.h"
#include "orzatty/bytes.h"

namespace orzatty::session {

class ValueKeys {
 public:
  // Keys of one publisher: some 10 MB at most. They are never forgotten, so there is an end to them.
  static constexpr std::size_t kKeyCountMax = 64 * 1024;
  // Notes that the session has not taken; with so many the writer waits for its turn.
  static constexpr std::size_t kNoteCount = 16 * 1024;

  // The writer's. Whether a value of that key may be noted at all, and whether one may be now.
  [[nodiscard]] bool admits(BytesView key) const;
  [[nodiscard]] bool has_place() const;
  // The message that was published last is a value of that key.
  void note(BytesView key, std::uint64_t size);

  // The session's. Takes the notes, and says how much of the log they cover.
  const base::Published& look();
  // Where the values that begin at `from` end, which is where the frontier is: those of which there
  // are newer ones, or those to be sent, at most `size_max` bytes and one message.
  [[nodiscard]] base::Published end_of_superseded(base::Published from) const;
  [[nodiscard]] base::Published end_of_newest(base::Published from, std::uint64_t size_max) const;
  // The first `messages` of the log are in runs.
  void pass(std::uint64_t messages);

 private:
  struct Note {
    std::uint32_t key = 0;
    std::uint32_t size = 0;
  };
  [[nodiscard]] bool superseded(std::size_t index) const;

  // The writer's.
  std::map<std::string, std::uint32_t, std::less<>> numbers_;

  // Between both.
  std::array<Note, kNoteCount> notes_;
  std::atomic<std::uint64_t> made_{0};   // the writer's
  std::atomic<std::uint64_t> taken_{0};  // the session's

  // The session's.
  alignas(64) base::Published seen_;
  base::Ring<Note> waiting_;  // of messages in no run: 8 bytes for each
  std::uint64_t passed_ = 0;  // messages before them
  std::vector<std::uint64_t> newest_;  // by key: the number of its newest message
};

}  // namespace orzatty::session
