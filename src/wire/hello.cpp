#include "wire/hello.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

namespace {

// subscription, channel, epoch, offset
constexpr std::size_t kPositionSizeMin = 1 + 2 + 8 + 1;
// channel, sequence
constexpr std::size_t kDirectSizeMin = 2 + 1;

std::optional<SessionId> read_session(Reader& reader) {
  const std::uint64_t size = reader.read_varint();
  if (!reader.require(size == 0 || size == SessionId{}.bytes.size(), ErrorCode::kFrameMalformed)) {
    return std::nullopt;
  }
  if (size == 0) return std::nullopt;
  return SessionId{reader.read_array<16>()};
}

HelloPosition read_position(Reader& reader) {
  return {.subscription = reader.read_id<SubscriptionId>(),
          .channel = reader.read_channel_name(),
          .epoch = ChannelEpoch(reader.read_u64()),
          .next = reader.read_id<Offset>()};
}

HelloDirect read_direct(Reader& reader) {
  return {.channel = reader.read_channel_name(), .next = reader.read_id<Sequence>()};
}

}  // namespace

std::expected<Hello, ProtocolError> decode_hello(BytesView body) {
  Reader reader(body, "HELLO");
  Hello hello;
  for (auto left = reader.read_count(1); left > 0 && reader.ok(); --left) {
    hello.versions.push_back(reader.read_varint());
  }
  hello.features = reader.read_varint();
  hello.session = read_session(reader);
  hello.token = copy_of(reader.read_bytes(kTokenSizeMax));
  hello.agent = reader.read_text(kAgentSizeMax);
  for (auto left = reader.read_count(kPositionSizeMin); left > 0 && reader.ok(); --left) {
    hello.positions.push_back(read_position(reader));
  }
  for (auto left = reader.read_count(kDirectSizeMin); left > 0 && reader.ok(); --left) {
    hello.directs.push_back(read_direct(reader));
  }
  return reader.finish(std::move(hello));
}

void encode(const Hello& hello, Bytes& out) {
  Writer writer(out, FrameType::kHello);
  writer.write_varint(hello.versions.size());
  for (const std::uint64_t version : hello.versions) writer.write_varint(version);
  writer.write_varint(hello.features);
  writer.write_bytes(hello.session ? BytesView(hello.session->bytes) : BytesView());
  writer.write_bytes(hello.token);
  writer.write_text(hello.agent);
  writer.write_varint(hello.positions.size());
  for (const HelloPosition& position : hello.positions) {
    writer.write_varint(position.subscription.value());
    writer.write_text(position.channel.text());
    writer.write_u64(position.epoch.value());
    writer.write_varint(position.next.value());
  }
  writer.write_varint(hello.directs.size());
  for (const HelloDirect& direct : hello.directs) {
    writer.write_text(direct.channel.text());
    writer.write_varint(direct.next.value());
  }
  writer.finish();
}

}  // namespace orzatty::wire
