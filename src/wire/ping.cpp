#include "wire/ping.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace orzatty::wire {

std::expected<Ping, ProtocolError> decode_ping(BytesView body) {
  Reader reader(body, "PING");
  return reader.finish(Ping{reader.read_array<8>()});
}

std::expected<Pong, ProtocolError> decode_pong(BytesView body) {
  Reader reader(body, "PONG");
  return reader.finish(Pong{reader.read_array<8>()});
}

void encode(const Ping& ping, Bytes& out) {
  Writer writer(out, FrameType::kPing);
  writer.write_raw(ping.opaque);
  writer.finish();
}

void encode(const Pong& pong, Bytes& out) {
  Writer writer(out, FrameType::kPong);
  writer.write_raw(pong.opaque);
  writer.finish();
}

}  // namespace orzatty::wire
