#include "wire/close.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Close, ProtocolError> decode_close(BytesView body) {
  Reader reader(body, "CLOSE");
  return reader.finish(
      Close{.code = reader.read_error_code(), .text = reader.read_text(kExplanationSizeMax)});
}

void encode(const Close& close, Bytes& out) {
  Writer writer(out, FrameType::kClose);
  writer.write_varint(static_cast<std::uint64_t>(close.code));
  writer.write_explanation(close.text);
  writer.finish();
}

}  // namespace orzatty::wire
