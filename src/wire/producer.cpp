#include "wire/producer.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Producer, ProtocolError> decode_producer(BytesView body) {
  Reader reader(body, "PRODUCER");
  return reader.finish(Producer{.alias = reader.read_id<ProducerAlias>(),
                                .producer = {reader.read_array<16>()},
                                .identity = reader.read_text(kIdentitySizeMax)});
}

void encode(const Producer& producer, Bytes& out) {
  Writer writer(out, FrameType::kProducer);
  writer.write_varint(producer.alias.value());
  writer.write_raw(producer.producer.bytes);
  writer.write_text(producer.identity);
  writer.finish();
}

}  // namespace orzatty::wire
