#include "base/limits_table.h"

#include <array>

namespace orzatty::base {
namespace {

constexpr std::array<CountLimit, 29> kCounts = {
    {{"message_size_max", &Limits::message_size_max},
     {"channel_name_size_max", &Limits::channel_name_size_max},
     {"hello_size_max", &Limits::hello_size_max},
     {"control_frame_size_max", &Limits::control_frame_size_max},
     {"publication_count_max", &Limits::publication_count_max},
     {"subscription_count_max", &Limits::subscription_count_max},
     {"passing_stream_count_max", &Limits::passing_stream_count_max},
     {"subscription_channel_count_max", &Limits::subscription_channel_count_max},
     {"control_backlog_max", &Limits::control_backlog_max},
     {"outbox_size", &Limits::outbox_size},
     {"outbox_size_max", &Limits::outbox_size_max},
     {"stream_window", &Limits::stream_window},
     {"stream_window_max", &Limits::stream_window_max},
     {"connection_window", &Limits::connection_window},
     {"reassembly_size_max", &Limits::reassembly_size_max},
     {"pinned_size_max", &Limits::pinned_size_max},
     {"ack_every", &Limits::ack_every},
     {"ack_every_bytes", &Limits::ack_every_bytes},
     {"session_retained_size_max", &Limits::session_retained_size_max},
     {"session_retained_count_max", &Limits::session_retained_count_max},
     {"request_count_max", &Limits::request_count_max},
     {"connection_count_max", &Limits::connection_count_max},
     {"half_open_count_max", &Limits::half_open_count_max},
     {"channel_count_max", &Limits::channel_count_max},
     {"channel_size_max", &Limits::channel_size_max},
     {"latest_key_count_max", &Limits::latest_key_count_max},
     {"hub_size_max", &Limits::hub_size_max},
     {"hub_request_count_max", &Limits::hub_request_count_max},
     {"segment_keep_max", &Limits::segment_keep_max}}};

constexpr std::array<DurationLimit, 10> kDurations = {
    {{"handshake_timeout", &Limits::handshake_timeout},
     {"hello_timeout", &Limits::hello_timeout},
     {"heartbeat_interval", &Limits::heartbeat_interval},
     {"dead_after", &Limits::dead_after},
     {"ack_delay", &Limits::ack_delay},
     {"latency_target", &Limits::latency_target},
     {"reconnect_delay_max", &Limits::reconnect_delay_max},
     {"session_retention", &Limits::session_retention},
     {"request_timeout_max", &Limits::request_timeout_max},
     {"drain_timeout", &Limits::drain_timeout}}};

// `smaller` may not exceed `larger`, because `reason`.
struct Order {
  std::string_view smaller;
  std::string_view larger;
  std::string_view reason;
};
constexpr std::array<Order, 9> kOrders = {
    {{"message_size_max", "stream_window", "or the largest message could never arrive"},
     {"message_size_max", "outbox_size_max", "or the largest message could never be sent"},
     {"message_size_max", "reassembly_size_max",
      "or the largest message could never be put together"},
     {"stream_window", "connection_window", "or one stream could never use its window"},
     {"half_open_count_max", "connection_count_max", "as half-open connections are connections"},
     {"hello_size_max", "control_frame_size_max", "as a HELLO is a control frame"},
     {"control_frame_size_max", "control_backlog_max", "or a reply could never be sent"},
     {"message_size_max", "channel_size_max", "or the largest message could never be kept"},
     {"message_size_max", "hub_size_max", "or the largest message could never be kept"}}};

// What the protocol, or a data structure, cannot do more of.
struct Ceiling {
  std::string_view name;
  std::uint32_t value;
  std::string_view reason;
};
constexpr std::array<Ceiling, 5> kCeilings = {
    {{"channel_name_size_max", 255, "as a name's length is one byte"},
     {"hello_size_max", 16 * 1024, "as the protocol allows no longer HELLO"},
     {"control_frame_size_max", 64 * 1024, "as the protocol allows no longer control frame"},
     {"subscription_channel_count_max", 16 * 1024, "as one stream introduces no more channels"},
     // 2^24 messages of two bytes are 32 MiB; the rest is slack for a header.
     {"outbox_size_max", 31 * 1024 * 1024, "as it counts less than 2^24 messages"}}};

// The protocol states times in milliseconds, below 2^32.
constexpr Duration kDurationMax = std::chrono::milliseconds(0xffff'ffff);

std::uint32_t value_of(const Limits& limits, std::string_view name) {
  for (const CountLimit& limit : kCounts) {
    if (limit.name == name) return limits.*limit.member;
  }
  return 0;
}

}  // namespace

std::span<const CountLimit> count_limits() { return kCounts; }
std::span<const DurationLimit> duration_limits() { return kDurations; }

// spec: CREDIT-1, CONTROL-1
std::optional<std::string> problem_of(const Limits& limits) {
  for (const CountLimit& limit : kCounts) {
    if (limits.*limit.member == 0) return std::string(limit.name) + " must be at least 1";
  }
  for (const DurationLimit& limit : kDurations) {
    if (limits.*limit.member <= Duration::zero()) {
      return std::string(limit.name) + " must be more than nothing";
    }
    if (limits.*limit.member > kDurationMax) {
      return std::string(limit.name) + " may not exceed 49 days, as no frame could state it";
    }
  }
  for (const Ceiling& ceiling : kCeilings) {
    if (value_of(limits, ceiling.name) <= ceiling.value) continue;
    return std::string(ceiling.name) + " may not exceed " + std::to_string(ceiling.value) + ", " +
           std::string(ceiling.reason);
  }
  for (const Order& order : kOrders) {
    if (value_of(limits, order.smaller) <= value_of(limits, order.larger)) continue;
    return std::string(order.smaller) + " may not exceed " + std::string(order.larger) + ", " +
           std::string(order.reason);
  }
  const auto heartbeat = std::chrono::floor<std::chrono::milliseconds>(limits.heartbeat_interval);
  const auto dead = std::chrono::floor<std::chrono::milliseconds>(limits.dead_after);
  if (heartbeat == heartbeat.zero()) {
    return "heartbeat_interval must be at least 1 ms, as WELCOME states it in milliseconds";
  }
  if (heartbeat >= dead) {
    return "heartbeat_interval must be less than dead_after, or every quiet peer is taken for dead";
  }
  return std::nullopt;
}

}  // namespace orzatty::base
