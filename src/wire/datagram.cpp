#include "wire/datagram.h"

#include <initializer_list>

#include "wire/message.h"
#include "wire/reader.h"

namespace orzatty::wire {

namespace {

// spec: DATAGRAM-3
std::expected<MessageScan, ProtocolError> scan_all(BytesView frames, std::uint64_t first) {
  const MessageScan scan = scan_messages(frames, kDatagramMessageSizeMax);
  if (scan.fault) return std::unexpected(*scan.fault);
  if (scan.count == 0 || scan.size != frames.size()) {
    return std::unexpected(ProtocolError{ErrorCode::kFrameTruncated, "end of a datagram"});
  }
  if (scan.count > kVarintMax - first) {
    return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, "a datagram"});
  }
  return scan;
}

std::size_t encode_numbers(std::initializer_list<std::uint64_t> numbers, DatagramHeader& out) {
  std::size_t size = 0;
  for (const std::uint64_t number : numbers) {
    size += encode_varint(std::span(out).subspan(size), number);
  }
  return size;
}

}  // namespace

std::expected<PublishDatagram, ProtocolError> decode_publish_datagram(BytesView bytes) {
  Reader reader(bytes, "a datagram");
  PublishDatagram datagram{.publication = reader.read_id<PublicationId>(),
                           .first = reader.read_id<Sequence>(),
                           .count = 0,
                           .has_attributes = false,
                           .frames = reader.read_rest()};
  if (const auto done = reader.finish(); !done) return std::unexpected(done.error());
  const auto scan = scan_all(datagram.frames, datagram.first.value());
  if (!scan) return std::unexpected(scan.error());
  datagram.count = scan->count;
  datagram.has_attributes = scan->has_attributes;
  return datagram;
}

std::expected<DeliverDatagram, ProtocolError> decode_deliver_datagram(BytesView bytes) {
  Reader reader(bytes, "a datagram");
  DeliverDatagram datagram{.subscription = reader.read_id<SubscriptionId>(),
                           .channel = reader.read_id<ChannelAlias>(),
                           .producer = reader.read_id<ProducerAlias>(),
                           .first = reader.read_id<Offset>(),
                           .count = 0,
                           .frames = reader.read_rest()};
  if (const auto done = reader.finish(); !done) return std::unexpected(done.error());
  const auto scan = scan_all(datagram.frames, datagram.first.value());
  if (!scan) return std::unexpected(scan.error());
  datagram.count = scan->count;
  return datagram;
}

std::size_t encode_header(const PublishDatagram& datagram, DatagramHeader& out) {
  return encode_numbers({datagram.publication.value(), datagram.first.value()}, out);
}

std::size_t encode_header(const DeliverDatagram& datagram, DatagramHeader& out) {
  return encode_numbers({datagram.subscription.value(), datagram.channel.value(),
                         datagram.producer.value(), datagram.first.value()},
                        out);
}

}  // namespace orzatty::wire
