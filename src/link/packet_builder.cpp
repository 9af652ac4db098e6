#include "link/packet_builder.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"

namespace orzatty::link {

namespace {

// Streams that the session wants are opened as far as the peer granted them: between packets, as
// QUIC is asked for nothing else while one is put together. True when there was one.
bool open_streams(quic::Connection& connection, const Carried& carried) {
  if (carried.sends == nullptr) return false;
  bool any = false;
  while (const auto key = carried.sends->next_to_open()) {
    const auto stream = connection.open_stream(quic::StreamKind::kUnidirectional);
    if (!stream) break;
    carried.streams->bind(*key, *stream);
    carried.sends->opened(*key);
    any = true;
  }
  return any;
}

// What became of one offer, told to the session.
void settle(const Carried& carried, const session::Offer& offer, const quic::Written& written) {
  switch (written.status) {
    case quic::WriteStatus::kPacket:
    case quic::WriteStatus::kRoomLeft: {
      std::size_t offered = 0;
      for (const BytesView span : offer.bytes()) offered += span.size();
      const bool whole = written.included && written.taken == offered;
      const session::Fin fin = whole ? offer.fin : session::Fin::kNo;
      if (written.taken == 0 && fin == session::Fin::kNo) return;
      carried.sends->taken(offer.stream, written.taken, fin);
      return;
    }
    case quic::WriteStatus::kStreamBlocked: carried.sends->blocked(offer.stream); return;
    case quic::WriteStatus::kStreamGone: carried.sends->release(offer.stream); return;
    case quic::WriteStatus::kDatagramRefused:
    case quic::WriteStatus::kIdle:
    case quic::WriteStatus::kClosed: return;
  }
}

// A datagram is taken whole or waits for the next packet.
void settle_datagram(const Carried& carried, const session::Offer& offer,
                     const quic::Written& written) {
  if (written.status == quic::WriteStatus::kDatagramRefused) {
    carried.source->datagram_refused(offer.stream);
  } else if (written.taken > 0) {
    carried.source->datagram_taken(offer.stream);
    carried.sends->datagram_taken(offer.stream, written.taken);
  }
}

quic::Written write_offer(quic::Connection& connection, const Carried& carried,
                          const session::Offer& offer, std::span<std::byte> out, Instant now) {
  if (offer.datagram) {
    const quic::Written written =
        connection.write_datagram_frame(out, offer.datagram->value(), offer.bytes(), now);
    settle_datagram(carried, offer, written);
    return written;
  }
  const auto stream = carried.streams->find(offer.stream);
  ORZATTY_ASSERT(stream.has_value());
  const quic::Fin fin = offer.fin == session::Fin::kYes ? quic::Fin::kYes : quic::Fin::kNo;
  const quic::Written written = connection.write(out, *stream, offer.bytes(), fin, now);
  settle(carried, offer, written);
  return written;
}

// Fills one packet from as many streams as fit into it.
quic::Written build_packet(quic::Connection& connection, const Carried& carried,
                           std::span<std::byte> out, Instant now) {
  while (carried.sends != nullptr) {
    const std::optional<session::Offer> offer = carried.sends->offer(*carried.source);
    if (!offer) break;
    const quic::Written written = write_offer(connection, carried, *offer, out, now);
    const bool goes_on = written.status == quic::WriteStatus::kRoomLeft ||
                         written.status == quic::WriteStatus::kStreamBlocked ||
                         written.status == quic::WriteStatus::kDatagramRefused ||
                         written.status == quic::WriteStatus::kStreamGone;
    if (!goes_on) return written;
  }
  return connection.write(out, now);
}

}  // namespace

BuildResult build_packets(quic::Connection& connection, const Carried& carried, PacketSink& sink,
                          std::size_t bytes_max, Instant now) {
  if (carried.sends != nullptr) {
    carried.sends->begin_turn(
        {.size = connection.congestion_window(), .in_flight = connection.bytes_in_flight()}, now);
  }
  const std::size_t burst = std::min(bytes_max, connection.burst_size_max());
  std::size_t bytes = 0;
  BuildResult result = BuildResult::kTurnOver;
  while (bytes < burst && !sink.blocked()) {
    static_cast<void>(open_streams(connection, carried));
    const quic::Written written = build_packet(connection, carried, sink.space(), now);
    if (written.packet.size > 0) {
      sink.push(written.packet);
      bytes += written.packet.size;
    }
    if (written.status == quic::WriteStatus::kClosed) return BuildResult::kClosed;
    if (written.status != quic::WriteStatus::kPacket) {
      // Whoever was asked last may have begun streams.
      if (open_streams(connection, carried)) continue;
      result = BuildResult::kDone;
      break;
    }
  }
  if (bytes > 0) connection.burst_sent(now);
  return result;
}

}  // namespace orzatty::link
