// What a datagram of the transport carries in mode datagram, spec/protocol.md section 12: a few numbers
// and whole message frames, as they lie in a log. Numbers and frames are all there is: who may send
// which of the two, and the connection, say the rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "orzatty/bytes.h"
#include "orzatty/channel.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "wire/varint.h"

namespace orzatty::wire {

// The smallest packet of QUIC that every path carries has 1,200 bytes (RFC 9000, section 14). Of it go
// the short header (1, an id of at most 20, a packet number of 4), the tag of the encryption (16), the
// frame's type and length (3), and what WebTransport would put before it (8; RFC 9297, section 2.1).
inline constexpr std::size_t kDatagramSizeMax = 1200 - (1 + 20 + 4) - 16 - 3 - 8;
inline constexpr std::size_t kDatagramHeaderSizeMax = 4 * kVarintSizeMax;
inline constexpr std::size_t kDatagramFramesSizeMax = kDatagramSizeMax - kDatagramHeaderSizeMax;
// Of a message whose body has kDatagramMessageSizeMax bytes: what no frame may exceed.
inline constexpr std::size_t kDatagramFrameSizeMax =
    1 + varint_size(kDatagramMessageSizeMax) + kDatagramMessageSizeMax;
static_assert(kDatagramFrameSizeMax <= kDatagramFramesSizeMax);

// From a client: messages [first, first + count) of one of its publications.
struct PublishDatagram {
  PublicationId publication;
  Sequence first;
  std::uint64_t count = 0;
  bool has_attributes = false;  // some of them may have
  BytesView frames;             // whole and validated; borrowed
};

// From a server: messages [first, first + count) of one channel of a subscription.
struct DeliverDatagram {
  SubscriptionId subscription;
  ChannelAlias channel;
  ProducerAlias producer;
  Offset first;
  std::uint64_t count = 0;
  BytesView frames;  // whole and validated; borrowed
};

std::expected<PublishDatagram, ProtocolError> decode_publish_datagram(BytesView bytes);
std::expected<DeliverDatagram, ProtocolError> decode_deliver_datagram(BytesView bytes);

// What stands before the frames; gives its size.
using DatagramHeader = std::array<std::byte, kDatagramHeaderSizeMax>;
std::size_t encode_header(const PublishDatagram& datagram, DatagramHeader& out);
std::size_t encode_header(const DeliverDatagram& datagram, DatagramHeader& out);

}  // namespace orzatty::wire
