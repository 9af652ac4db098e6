#include "wire/direct.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Direct, ProtocolError> decode_direct(BytesView body) {
  Reader reader(body, "DIRECT");
  return reader.finish(Direct{.channel = reader.read_channel_name()});
}

void encode(const Direct& direct, Bytes& out) {
  Writer writer(out, FrameType::kDirect);
  writer.write_text(direct.channel.text());
  writer.finish();
}

}  // namespace orzatty::wire
