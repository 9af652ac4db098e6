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

std::size_t size_of(const session::Offer& offer) {
  std::size_t size = 0;
  for (const BytesView span : offer.bytes()) size += span.size();
  return size;
}

// What became of one offer, told to the session.
void settle(const Carried& carried, const session::Offer& offer, const quic::Written& written) {
  switch (written.status) {
    case quic::WriteStatus::kPacket:
    case quic::WriteStatus::kRoomLeft: {
      const bool whole = written.included && written.taken == size_of(offer);
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

quic::Written write_datagram(quic::Connection& connection, const Carried& carried,
                             const session::Offer& offer, std::span<std::byte> out, Instant now) {
  const quic::Written written =
      connection.write_datagram_frame(out, offer.datagram->value(), offer.bytes(), now);
  settle_datagram(carried, offer, written);
  return written;
}

quic::Written write_stream(quic::Connection& connection, const Carried& carried,
                           const session::Offer& offer, std::span<std::byte> out, Instant now) {
  const auto stream = carried.streams->find(offer.stream);
  ORZATTY_ASSERT(stream.has_value());
  const quic::Fin fin = offer.fin == session::Fin::kYes ? quic::Fin::kYes : quic::Fin::kNo;
  const quic::Written written = connection.write(out, *stream, offer.bytes(), fin, now);
  settle(carried, offer, written);
  return written;
}

bool goes_on(quic::WriteStatus status) {
  return status == quic::WriteStatus::kRoomLeft || status == quic::WriteStatus::kStreamBlocked ||
         status == quic::WriteStatus::kDatagramRefused ||
         status == quic::WriteStatus::kStreamGone;
}

struct Built {
  quic::WriteStatus status = quic::WriteStatus::kIdle;
  std::size_t size = 0;
};

Built pushed(PacketSink& sink, const quic::Written& written) {
  if (written.packet.size > 0) sink.push(written.packet);
  return {written.status, written.packet.size};
}

// Fills one packet from as many streams as fit into it.
Built build_packet(quic::Connection& connection, const Carried& carried, PacketSink& sink,
                   Instant now) {
  const std::span<std::byte> out = sink.space();
  while (carried.sends != nullptr) {
    const std::optional<session::Offer> offer = carried.sends->offer(*carried.source);
    if (!offer) break;
    const quic::Written written = offer->datagram
                                      ? write_datagram(connection, carried, *offer, out, now)
                                      : write_stream(connection, carried, *offer, out, now);
    if (!goes_on(written.status)) return pushed(sink, written);
  }
  return pushed(sink, connection.write(out, now));
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
    const Built built = build_packet(connection, carried, sink, now);
    bytes += built.size;
    if (built.status == quic::WriteStatus::kClosed) return BuildResult::kClosed;
    if (built.status != quic::WriteStatus::kPacket) {
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
