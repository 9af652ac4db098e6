#include "wire/reject.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

// spec: STREAM-8
std::expected<Reject, ProtocolError> decode_reject(BytesView body) {
  Reader reader(body, "REJECT");
  Reject reject{.publication = reader.read_id<PublicationId>(),
                .from = reader.read_id<Sequence>(),
                .to = reader.read_id<Sequence>(),
                .code = reader.read_error_code(),
                .text = reader.read_text(kExplanationSizeMax)};
  reader.require(reject.to > reject.from, ErrorCode::kRangeEmpty);
  return reader.finish(std::move(reject));
}

void encode(const Reject& reject, Bytes& out) {
  Writer writer(out, FrameType::kReject);
  writer.write_varint(reject.publication.value());
  writer.write_varint(reject.from.value());
  writer.write_varint(reject.to.value());
  writer.write_varint(static_cast<std::uint64_t>(reject.code));
  writer.write_explanation(reject.text);
  writer.finish();
}

}  // namespace orzatty::wire
