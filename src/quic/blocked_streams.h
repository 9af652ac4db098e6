// Streams that had bytes to send and no credit, until the peer gives some.
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <algorithm>
#include <vector>

#include "quic/event_queue.h"
#include "quic/stream.h"

namespace orzatty::quic {

class BlockedStreams {
 public:
  void add(StreamId stream) {
    if (std::ranges::find(streams_, stream) == streams_.end()) streams_.push_back(stream);
  }
  // The credit for all streams together was used up. ngtcp2 does not tell when it comes back.
  void connection_blocked() { connection_blocked_ = true; }
  void credit_came() { credit_came_ = true; }
  void remove(StreamId stream) { std::erase(streams_, stream); }

  // In the order in which they were blocked.
  void announce(ngtcp2_conn* connection, EventQueue& events) {
    if (!credit_came_ && !connection_blocked_) return;
    if (ngtcp2_conn_get_max_data_left(connection) == 0) return;
    credit_came_ = false;
    connection_blocked_ = false;
    std::erase_if(streams_, [&](StreamId stream) {
      if (ngtcp2_conn_get_max_stream_data_left(connection, stream.value()) == 0) return false;
      events.push(StreamWritable{stream});
      return true;
    });
  }

 private:
  std::vector<StreamId> streams_;
  bool credit_came_ = false;
  bool connection_blocked_ = false;
};

}  // namespace orzatty::quic
