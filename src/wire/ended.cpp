#include "wire/ended.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Ended, ProtocolError> decode_ended(BytesView body) {
  Reader reader(body, "ENDED");
  return reader.finish(Ended{.subscription = reader.read_id<SubscriptionId>(),
                             .code = reader.read_error_code(),
                             .text = reader.read_text(kExplanationSizeMax)});
}

void encode(const Ended& ended, Bytes& out) {
  Writer writer(out, FrameType::kEnded);
  writer.write_varint(ended.subscription.value());
  writer.write_varint(static_cast<std::uint64_t>(ended.code));
  writer.write_explanation(ended.text);
  writer.finish();
}

}  // namespace orzatty::wire
