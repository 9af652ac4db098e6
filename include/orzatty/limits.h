// Every bound of the system in one place, each with the reason for its default. Sizes are bytes.
//
// One Limits is given to a server or client when it is made and does not change afterwards.
#pragma once

#include <cstddef>
#include <cstdint>

#include "orzatty/time.h"

namespace orzatty {

using namespace std::chrono_literals;

struct Limits {
  // Messages.
  std::uint32_t message_size_max = 1024 * 1024;  // one message must fit a stream window
  std::uint32_t channel_name_size_max = 255;     // one length byte; caps what a name can cost

  // One session.
  std::uint32_t hello_size_max = 16 * 1024;        // what a stranger may make us buffer
  std::uint32_t control_frame_size_max = 64 * 1024;  // ACK of many runs, SUBSCRIBE of long names
  std::uint32_t publication_count_max = 1024;      // bounds the inbox table of one session
  std::uint32_t subscription_count_max = 1024;     // bounds the outbox table of one session
  std::uint32_t passing_stream_count_max = 1024;   // of unordered channels, from one peer: a packet each
  std::uint32_t subscription_channel_count_max = 16 * 1024;  // channels that wildcards may match
  std::uint32_t control_backlog_max = 1024 * 1024; // replies a peer may leave unread, then close

  // Memory between application and network, per publisher and per connection.
  std::uint32_t outbox_size = 2 * 1024 * 1024;       // stays in cache; 8 MiB was slower. No more than
                                                     // outbox_size_max counts
  std::uint32_t outbox_size_max = 8 * 1024 * 1024;   // what it grows to where a path holds all of it:
                                                     // three times 100 Mbit/s x 200 ms; <= 31 MiB
  std::uint32_t stream_window = 2 * 1024 * 1024;     // >= message_size_max, or it could never arrive
  std::uint32_t stream_window_max = 8 * 1024 * 1024; // what it grows to if used up in two round trips
  std::uint32_t connection_window = 8 * 1024 * 1024; // four busy streams
  std::uint32_t reassembly_size_max = 4 * 1024 * 1024;  // frames that span packets, all streams
  std::uint32_t pinned_size_max = 16 * 1024 * 1024;  // what one connection may hold of the logs

  // Time.
  Duration handshake_timeout = 15s;   // at 40 % loss honest handshakes take more than 5 s
  Duration hello_timeout = 15s;       // a connected stranger has to say who he is; as long
  Duration heartbeat_interval = 5s;
  Duration dead_after = 10s;          // two heartbeats missed
  Duration ack_delay = 5ms;           // lazy: one ACK for many messages
  std::uint32_t ack_every = 4096;     // messages, and
  std::uint32_t ack_every_bytes = 256 * 1024;  // bytes: an eighth of an outbox, so none waits full
  Duration latency_target = 5ms;      // what the Governor lets wait, by time
  Duration reconnect_delay_max = 2s;  // a returning server is found soon
  Duration drain_timeout = 10s;       // a graceful stop gives up waiting after this

  // A session whose connection died without a goodbye.
  Duration session_retention = 120s;  // a minute without a network, dead_after, and the way back
  std::uint32_t session_retained_size_max = 4 * 1024 * 1024;  // two full direct logs, or 16k names
  std::uint32_t session_retained_count_max = 20'000;  // all connections, cut at once

  // Requests whose replies are waited for.
  std::uint32_t request_count_max = 1024;  // of one session: a window of them, not a queue
  Duration request_timeout_max = 1h;       // longer ones are jobs, whose results are messages

  // A server.
  std::uint32_t connection_count_max = 20'000;
  std::uint32_t half_open_count_max = 2'000;  // 55 KB each: what a flood of strangers may cost
  std::uint32_t channel_count_max = 1'000'000;
  std::uint32_t channel_size_max = 64 * 1024 * 1024;  // of one log and its index, whatever its
                                                      // retention asks; of a channel that waits for
                                                      // somebody its publishers' windows come on top
  std::uint32_t latest_key_count_max = 64 * 1024;  // of one channel in mode latest: 60 MiB of the hub's
                                                   // memory at least, 32 of it for values
  std::uint32_t hub_size_max = 2U * 1024 * 1024 * 1024;  // of all channels; then messages are rejected
  std::uint32_t hub_request_count_max = 256 * 1024;  // about 60 MB; an identity
                                                     // has no more than it leaves to others
  std::uint32_t segment_keep_max = 2 * 1024 * 1024;  // freed memory kept at hand: fits a cache
};

}  // namespace orzatty
