#include "wire/welcome.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

namespace {

// producer, channel, sequence
constexpr std::size_t kProducerSizeMin = 16 + 2 + 1;

WelcomeProducer read_producer(Reader& reader) {
  return {.producer = {reader.read_array<16>()},
          .channel = reader.read_channel_name(),
          .next = reader.read_id<Sequence>()};
}

}  // namespace

std::expected<Welcome, ProtocolError> decode_welcome(BytesView body) {
  Reader reader(body, "WELCOME");
  Welcome welcome{.version = reader.read_varint(),
                  .features = reader.read_varint(),
                  .session = {reader.read_array<16>()},
                  .resumed = reader.read_bool(),
                  .identity = reader.read_text(kIdentitySizeMax),
                  .message_size_max = reader.read_varint32(),
                  .publication_count_max = reader.read_varint32(),
                  .heartbeat_interval = reader.read_milliseconds(),
                  .dead_after = reader.read_milliseconds(),
                  .producers = {},
                  .subscriptions = {}};
  // A heartbeat of no time at all would never let the session rest.
  reader.require(welcome.heartbeat_interval.count() > 0 && welcome.dead_after.count() > 0,
                 ErrorCode::kFrameMalformed);
  for (auto left = reader.read_count(kProducerSizeMin); left > 0 && reader.ok(); --left) {
    welcome.producers.push_back(read_producer(reader));
  }
  for (auto left = reader.read_count(1); left > 0 && reader.ok(); --left) {
    welcome.subscriptions.push_back(reader.read_id<SubscriptionId>());
  }
  return reader.finish(std::move(welcome));
}

void encode(const Welcome& welcome, Bytes& out) {
  Writer writer(out, FrameType::kWelcome);
  writer.write_varint(welcome.version);
  writer.write_varint(welcome.features);
  writer.write_raw(welcome.session.bytes);
  writer.write_varint(welcome.resumed ? 1 : 0);
  writer.write_text(welcome.identity);
  writer.write_varint(welcome.message_size_max);
  writer.write_varint(welcome.publication_count_max);
  writer.write_varint(static_cast<std::uint64_t>(welcome.heartbeat_interval.count()));
  writer.write_varint(static_cast<std::uint64_t>(welcome.dead_after.count()));
  writer.write_varint(welcome.producers.size());
  for (const WelcomeProducer& producer : welcome.producers) {
    writer.write_raw(producer.producer.bytes);
    writer.write_text(producer.channel.text());
    writer.write_varint(producer.next.value());
  }
  writer.write_varint(welcome.subscriptions.size());
  for (const SubscriptionId subscription : welcome.subscriptions) {
    writer.write_varint(subscription.value());
  }
  writer.finish();
}

}  // namespace orzatty::wire
