#include "wire/unsubscribe.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Unsubscribe, ProtocolError> decode_unsubscribe(BytesView body) {
  Reader reader(body, "UNSUBSCRIBE");
  return reader.finish(Unsubscribe{.subscription = reader.read_id<SubscriptionId>()});
}

void encode(const Unsubscribe& unsubscribe, Bytes& out) {
  Writer writer(out, FrameType::kUnsubscribe);
  writer.write_varint(unsubscribe.subscription.value());
  writer.finish();
}

}  // namespace orzatty::wire
