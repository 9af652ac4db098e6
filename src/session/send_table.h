// The streams on which a session sends: what waits on each, which goes next, and how each stands with
// the transport. Bytes are pulled: the packet builder asks for an Offer whenever a packet has room.
//
// The control stream goes first, then the streams of the highest priority that have something; those
// of one priority take turns. What was given to the transport is not overtaken, so streams that are
// below one that was active lately leave a part of the congestion window free for it. A stream whose
// queue ran low is filled again by whoever owns its source (Refill), at the moment at which it is
// its turn, so what is sent is always the newest decision. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "orzatty/channel.h"
#include "orzatty/time.h"
#include "session/send_queue.h"
#include "session/transport.h"

namespace orzatty::session {

// Puts more bytes of its source into a stream's queue.
class Refill {
 public:
  // Nothing is put when the source has nothing (or may not send) now.
  virtual void refill(StreamKey stream, SendQueue& queue) = 0;
  // Asked when nothing waits on the stream: whether its source has a datagram that goes next. It is
  // valid until the next call. What has to be said on the stream before goes into its queue instead.
  virtual bool offer_datagram(StreamKey stream, SendQueue& queue, Offer& offer) {
    static_cast<void>(stream), static_cast<void>(queue), static_cast<void>(offer);
    return false;
  }
  // The one that was offered last is in a packet, which holds its bytes.
  virtual void datagram_taken(StreamKey stream) { static_cast<void>(stream); }
  // The peer does not take it, nor any that comes after: there had better be none.
  virtual void datagram_refused(StreamKey stream) { static_cast<void>(stream); }

 protected:
  ~Refill() = default;
};

// What the transport may have on its way, and has.
struct SendWindow {
  std::uint64_t size = 0;
  std::uint64_t in_flight = 0;
};

class SendTable {
 public:
  // A queue is refilled when less than this waits in it: more than a burst of packets takes.
  static constexpr std::uint64_t kRefillBelow = 16 * 1024;
  // A stream hands over its turn after this much.
  static constexpr std::uint64_t kTurn = 64 * 1024;
  static constexpr std::size_t kPriorityCount = std::size_t{kPriorityMax} + 1;

  // The part of the congestion window that streams fill while they yield. BBR's is twice what the
  // path holds, so this leaves next to no queue at a bottleneck; 0.65 already overruns a queue of
  // 20 ms while the rate is still being found, and what is lost there is urgent too.
  static constexpr double kYieldShare = 0.55;
  // For so long after something of a higher priority was sent. A lone transfer yields to nobody.
  static constexpr Duration kYieldFor = std::chrono::seconds(1);

  SendTable();

  // A new stream, unknown to the transport until opened().
  StreamKey add(std::uint8_t priority = kPriorityDefault);
  // A stream that carries what is queued on it until finish(), for `parent`, whose priority it has: the
  // parent gets its turn again when little waits on such streams of its.
  StreamKey add_passing(StreamKey parent);
  // What waits on the finished ones of them. It asks for more while that is below kRefillBelow.
  [[nodiscard]] std::uint64_t passing_unsent(StreamKey parent) const;
  // Some of them were not released: the transport may have to send their bytes again.
  [[nodiscard]] bool has_passing(StreamKey parent) const;
  // From now on. spec: PRIORITY-1
  void set_priority(StreamKey stream, std::uint8_t priority);
  [[nodiscard]] SendQueue& queue(StreamKey stream);
  // Something may be there to send. Cheap when it was known already.
  void wake(StreamKey stream);
  // The stream ends when its queue is empty. Its key is reused once the transport closed it.
  void finish(StreamKey stream);
  // The transport has nothing to do with the stream any more: pins are given up.
  void release(StreamKey stream);

  // The transport's side.
  [[nodiscard]] std::optional<StreamKey> next_to_open();
  void opened(StreamKey stream);
  // Before offers are asked for.
  void begin_turn(const SendWindow& window, Instant now);
  [[nodiscard]] std::optional<Offer> offer(Refill& source);
  void taken(StreamKey stream, std::uint64_t size, Fin fin);
  // A datagram of that size, which needs no acknowledgement.
  void datagram_taken(StreamKey stream, std::uint64_t size);
  void acked(StreamKey stream, std::uint64_t size);
  void blocked(StreamKey stream);   // the peer gave it no credit
  void writable(StreamKey stream);  // and now it did
  [[nodiscard]] bool ready() const { return lines_ != 0 || control_ready(); }
  [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
  // Nothing is queued or in flight on any stream. Looks at all of them.
  [[nodiscard]] bool settled() const;
  // The stream's end was sent, and all before it acknowledged.
  [[nodiscard]] bool settled(StreamKey stream) const;
  [[nodiscard]] std::size_t size() const { return entries_.size() - free_.size(); }

 private:
  enum class State : std::uint8_t { kFree, kOpening, kOpen, kFinished };
  struct Entry {
    SendQueue queue;
    std::uint64_t life = 0;            // of its key, which is used again
    std::uint64_t passing_unsent = 0;  // on finished streams that are its
    std::size_t passing_count = 0;     // of streams that are its
    StreamKey parent = kControlKey;    // whose such stream it is; the control stream has none
    std::uint64_t parent_life = 0;
    std::uint64_t charged = 0;  // to the parent
    std::uint64_t turn_left = kTurn;
    std::uint8_t priority = kPriorityDefault;
    std::uint8_t line = 0;  // in which it stands while it is in_turns
    State state = State::kFree;
    bool blocked = false;
    bool in_turns = false;
    bool in_openings = false;
    bool finishing = false;
  };

  [[nodiscard]] Entry& entry(StreamKey stream);
  // nullptr when it has none, or that is gone.
  [[nodiscard]] Entry* parent_of(const Entry& entry);
  void relieve_parent(Entry& entry, std::uint64_t size);
  [[nodiscard]] bool control_ready() const;
  [[nodiscard]] bool fill(Offer& offer, StreamKey stream, Entry& entry, Refill& source);
  // Its key may be given out again, unless it still stands in a line.
  void retire(StreamKey stream, const Entry& entry);
  void line_up(StreamKey stream, Entry& entry);
  void leave_line(base::Ring<StreamKey>& line, std::size_t priority);
  // What is below it, as it sends now.
  void let_yield(const Entry& sender);
  void use_turn(StreamKey stream, Entry& entry, std::uint64_t size);
  void end_turn(StreamKey stream, Entry& entry);

  std::deque<Entry> entries_;  // by key; stable, as queues are referred to
  std::vector<StreamKey> free_;
  // By priority: streams that may have something, in order of their turn; and which lines are not
  // empty, a bit each.
  std::array<base::Ring<StreamKey>, kPriorityCount> turns_;
  unsigned lines_ = 0;
  base::Ring<StreamKey> to_open_;
  std::uint64_t in_flight_ = 0;
  // By priority: until when the streams below yield. All below `yielding_below_` do in this turn, and
  // have `yield_left_` to send.
  std::array<Instant, kPriorityCount> yield_until_{};
  std::size_t yielding_below_ = 0;
  std::uint64_t yield_left_ = std::numeric_limits<std::uint64_t>::max();
  Instant now_{};
};

}  // namespace orzatty::session
