// The golden vectors of spec/vectors: what is `ok` is read and written as it stands there, and what
// is not is refused with the error that stands there, in one piece and byte by byte.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "wire/ack.h"
#include "wire/alias.h"
#include "wire/attributes.h"
#include "wire/cancel.h"
#include "wire/close.h"
#include "wire/consumed.h"
#include "wire/datagram.h"
#include "wire/deliver.h"
#include "wire/direct.h"
#include "wire/drain.h"
#include "wire/ended.h"
#include "wire/fate.h"
#include "wire/framer.h"
#include "wire/gap_mark.h"
#include "wire/hello.h"
#include "wire/message.h"
#include "wire/ping.h"
#include "wire/producer.h"
#include "wire/publish.h"
#include "wire/reject.h"
#include "wire/run.h"
#include "wire/skip.h"
#include "wire/subscribe.h"
#include "wire/subscribed.h"
#include "wire/test_bytes.h"
#include "wire/unsubscribe.h"
#include "wire/varint.h"
#include "wire/welcome.h"

namespace orzatty::wire {
namespace {

constexpr std::uint32_t kMessageSizeMax = 1'048'576;

struct Vector {
  std::string name;
  std::string context;
  Bytes bytes;
  std::string expected;
};

Bytes bytes_of_hex(const std::string& hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::vector<Vector> read_vectors(const std::string& file) {
  std::ifstream in(std::string(ORZATTY_SOURCE_DIR) + "/spec/vectors/" + file);
  std::vector<Vector> vectors;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> cells;
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t bar = std::min(line.find(" | ", from), line.size());
      cells.push_back(line.substr(from, bar - from));
      from = bar + 3;
    }
    EXPECT_EQ(cells.size(), 4U) << line;
    if (cells.size() == 4)
      vectors.push_back({cells[0], cells[1], bytes_of_hex(cells[2]), cells[3]});
  }
  return vectors;
}

// What became of a vector: the error, or the bytes that its value encodes to.
struct Outcome {
  ErrorCode code = ErrorCode::kNone;
  Bytes encoded;
};

template <class X>
Outcome encoded_again(const std::expected<X, ProtocolError>& decoded) {
  if (!decoded) return {decoded.error().code, {}};
  Outcome outcome;
  encode(*decoded, outcome.encoded);
  return outcome;
}

template <class X, class Decode>
Outcome encoded_again(BytesView body, Decode decode) {
  X into;
  if (const auto decoded = decode(body, into); !decoded) return {decoded.error().code, {}};
  Outcome outcome;
  encode(into, outcome.encoded);
  return outcome;
}

Outcome decode_frame(const Frame& frame) {
  const BytesView body = frame.body;
  switch (frame.type()) {
    case FrameType::kHello:
      return encoded_again(decode_hello(body));
    case FrameType::kWelcome:
      return encoded_again(decode_welcome(body));
    case FrameType::kSubscribe:
      return encoded_again(decode_subscribe(body));
    case FrameType::kSubscribed:
      return encoded_again(decode_subscribed(body));
    case FrameType::kUnsubscribe:
      return encoded_again(decode_unsubscribe(body));
    case FrameType::kEnded:
      return encoded_again(decode_ended(body));
    case FrameType::kAck:
      return encoded_again<Ack>(body, decode_ack);
    case FrameType::kReject:
      return encoded_again(decode_reject(body));
    case FrameType::kConsumed:
      return encoded_again<Consumed>(body, decode_consumed);
    case FrameType::kPing:
      return encoded_again(decode_ping(body));
    case FrameType::kPong:
      return encoded_again(decode_pong(body));
    case FrameType::kDrain:
      return encoded_again(decode_drain(body));
    case FrameType::kClose:
      return encoded_again(decode_close(body));
    case FrameType::kFate:
      return encoded_again(decode_fate(body));
    case FrameType::kCancel:
      return encoded_again(decode_cancel(body));
    case FrameType::kPublish:
      return encoded_again(decode_publish(body));
    case FrameType::kDeliver:
      return encoded_again(decode_deliver(body));
    case FrameType::kDirect:
      return encoded_again(decode_direct(body));
    case FrameType::kAlias:
      return encoded_again(decode_alias(body));
    case FrameType::kProducer:
      return encoded_again(decode_producer(body));
    case FrameType::kRun:
      return encoded_again(decode_run(body));
    case FrameType::kGap:
      return encoded_again(decode_gap_mark(body));
    case FrameType::kSkip:
      return encoded_again(decode_skip(body));
  }
  return {ErrorCode::kFrameUnexpected, {}};
}

bool is_extension(BytesView frame) { return (std::to_integer<unsigned>(frame[0]) & 0xf8) == 0x98; }

Outcome read_frame(BytesView bytes, std::size_t part) {
  Framer framer(kMessageSizeMax, kControlSizeMax);
  for (std::size_t at = 0; at < bytes.size(); at += part) {
    framer.feed(bytes.subspan(at, std::min(part, bytes.size() - at)));
    const auto frame = framer.next();
    if (!frame) return {frame.error().code, {}};
    if (*frame) return decode_frame(**frame);
  }
  EXPECT_TRUE(is_extension(bytes)) << "the frame is not whole";
  EXPECT_EQ(framer.held(), 0U);
  return {ErrorCode::kNone, copy_of(bytes)};
}

// An attribute block is written again item by item; its order and sizes leave no choice.
Outcome read_message(BytesView bytes) {
  const MessageScan scan = scan_messages(bytes, kMessageSizeMax);
  if (scan.fault) return {scan.fault->code, {}};
  EXPECT_EQ(scan.count, 1U);
  EXPECT_EQ(scan.size, bytes.size());
  const auto range = MessageRange(bytes);
  const MessageView message = *range.begin();
  const auto head = std::to_integer<std::uint8_t>(bytes[0]);
  std::array<std::byte, 16> header;
  Bytes body;
  if ((head & kAttributesBit) != 0) {
    const std::size_t size = encode_varint(header, message.attributes.size());
    test::append(body, BytesView(header).first(size));
    test::append(body, message.attributes);
  }
  test::append(body, message.payload);
  const std::size_t size = encode_message_header(header, message.type, body.size());
  header[0] |= static_cast<std::byte>(head & (kAttributesBit | kPriorityBit));
  EXPECT_EQ(message.priority, (head & kPriorityBit) != 0);
  Outcome outcome{.code = ErrorCode::kNone, .encoded = copy_of(BytesView(header).first(size))};
  test::append(outcome.encoded, body);
  return outcome;
}

void expect_as_written(const Vector& vector, const Outcome& outcome) {
  const std::string_view found = outcome.code == ErrorCode::kNone ? "ok" : name(outcome.code);
  EXPECT_EQ(found, vector.expected) << vector.name;
  if (vector.expected == "ok") {
    EXPECT_EQ(outcome.encoded, vector.bytes) << vector.name;
  }
}

// spec: FRAME-1, FRAME-2, FRAME-5, FRAME-6, FRAME-7, CONTROL-1, CONTROL-2, ERROR-1, STREAM-4
// spec: STREAM-5, STREAM-8, NAME-1, NAME-2, FATE-1
TEST(Vectors, EveryControlFrameIsReadAsTheVectorsSay) {
  const auto vectors = read_vectors("frames.txt");
  EXPECT_GE(vectors.size(), 200U);
  for (const Vector& vector : vectors) {
    ASSERT_EQ(vector.context, "frame") << vector.name;
    expect_as_written(vector, read_frame(vector.bytes, vector.bytes.size()));
    expect_as_written(vector, read_frame(vector.bytes, 1));
  }
}

// spec: FRAME-1, FRAME-2, FRAME-3, FRAME-4, FRAME-8
TEST(Vectors, EveryMessageIsReadAsTheVectorsSay) {
  const auto vectors = read_vectors("messages.txt");
  EXPECT_GE(vectors.size(), 70U);
  for (const Vector& vector : vectors) {
    ASSERT_EQ(vector.context, "message") << vector.name;
    expect_as_written(vector, read_message(vector.bytes));
  }
}

template <class Datagram>
Outcome encoded_again_with_frames(const std::expected<Datagram, ProtocolError>& decoded) {
  if (!decoded) return {decoded.error().code, {}};
  DatagramHeader header;
  Outcome outcome;
  test::append(outcome.encoded, BytesView(header).first(encode_header(*decoded, header)));
  test::append(outcome.encoded, decoded->frames);
  return outcome;
}

// spec: DATAGRAM-3
TEST(Vectors, EveryDatagramIsReadAsTheVectorsSay) {
  const auto vectors = read_vectors("datagrams.txt");
  EXPECT_GE(vectors.size(), 29U);
  for (const Vector& vector : vectors) {
    const bool from_client = vector.context == "publish-datagram";
    ASSERT_TRUE(from_client || vector.context == "deliver-datagram") << vector.name;
    expect_as_written(vector,
                      from_client ? encoded_again_with_frames(decode_publish_datagram(vector.bytes))
                                  : encoded_again_with_frames(decode_deliver_datagram(vector.bytes)));
  }
}

}  // namespace
}  // namespace orzatty::wire
