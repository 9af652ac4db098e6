#include "wire/cancel.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Cancel, ProtocolError> decode_cancel(BytesView body) {
  Reader reader(body, "CANCEL");
  return reader.finish(Cancel{CorrelationId{reader.read_array<16>()}});
}

void encode(const Cancel& cancel, Bytes& out) {
  Writer writer(out, FrameType::kCancel);
  writer.write_raw(cancel.correlation.bytes);
  writer.finish();
}

}  // namespace orzatty::wire
