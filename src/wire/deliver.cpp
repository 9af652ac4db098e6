#include "wire/deliver.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Deliver, ProtocolError> decode_deliver(BytesView body) {
  Reader reader(body, "DELIVER");
  return reader.finish(
      Deliver{.subscription = reader.read_id<SubscriptionId>(), .passing = reader.read_bool()});
}

void encode(const Deliver& deliver, Bytes& out) {
  Writer writer(out, FrameType::kDeliver);
  writer.write_varint(deliver.subscription.value());
  writer.write_varint(deliver.passing ? 1 : 0);
  writer.finish();
}

}  // namespace orzatty::wire
