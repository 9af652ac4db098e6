#include "wire/publish.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Publish, ProtocolError> decode_publish(BytesView body) {
  Reader reader(body, "PUBLISH");
  return reader.finish(Publish{.publication = reader.read_id<PublicationId>(),
                               .producer = {reader.read_array<16>()},
                               .epoch = reader.read_id<ProducerEpoch>(),
                               .next = reader.read_id<Sequence>(),
                               .channel = reader.read_channel_name(),
                               .mode = reader.read_enum(DeliveryMode::kLatest),
                               .passing = reader.read_bool()});
}

void encode(const Publish& publish, Bytes& out) {
  Writer writer(out, FrameType::kPublish);
  writer.write_varint(publish.publication.value());
  writer.write_raw(publish.producer.bytes);
  writer.write_varint(publish.epoch.value());
  writer.write_varint(publish.next.value());
  writer.write_text(publish.channel.text());
  writer.write_varint(static_cast<std::uint64_t>(publish.mode));
  writer.write_varint(publish.passing ? 1 : 0);
  writer.finish();
}

}  // namespace orzatty::wire
