#include "wire/subscribed.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Subscribed, ProtocolError> decode_subscribed(BytesView body) {
  Reader reader(body, "SUBSCRIBED");
  return reader.finish(Subscribed{.subscription = reader.read_id<SubscriptionId>(),
                                  .channel_count = reader.read_varint()});
}

void encode(const Subscribed& subscribed, Bytes& out) {
  Writer writer(out, FrameType::kSubscribed);
  writer.write_varint(subscribed.subscription.value());
  writer.write_varint(subscribed.channel_count);
  writer.finish();
}

}  // namespace orzatty::wire
