#include "wire/drain.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Drain, ProtocolError> decode_drain(BytesView body) {
  Reader reader(body, "DRAIN");
  return reader.finish(Drain{.time_left = reader.read_milliseconds(),
                             .text = reader.read_text(kExplanationSizeMax)});
}

void encode(const Drain& drain, Bytes& out) {
  Writer writer(out, FrameType::kDrain);
  writer.write_varint(static_cast<std::uint64_t>(drain.time_left.count()));
  writer.write_explanation(drain.text);
  writer.finish();
}

}  // namespace orzatty::wire
