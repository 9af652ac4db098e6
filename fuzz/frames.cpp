// Property: a control frame that a decoder accepts is encoded to the very bytes it was decoded
// from, so that a meaning has one form; and no decoder reads beyond its body.
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "base/assert.h"
#include "wire/ack.h"
#include "wire/alias.h"
#include "wire/cancel.h"
#include "wire/close.h"
#include "wire/consumed.h"
#include "wire/deliver.h"
#include "wire/direct.h"
#include "wire/drain.h"
#include "wire/ended.h"
#include "wire/fate.h"
#include "wire/framer.h"
#include "wire/gap_mark.h"
#include "wire/hello.h"
#include "wire/ping.h"
#include "wire/producer.h"
#include "wire/publish.h"
#include "wire/reject.h"
#include "wire/run.h"
#include "wire/skip.h"
#include "wire/subscribe.h"
#include "wire/subscribed.h"
#include "wire/unsubscribe.h"
#include "wire/welcome.h"

namespace {

using namespace orzatty;

template <class X>
std::optional<Bytes> encoded(const std::expected<X, ProtocolError>& decoded) {
  if (!decoded) return std::nullopt;
  Bytes bytes;
  encode(*decoded, bytes);
  return bytes;
}

template <class X, class Decode>
std::optional<Bytes> encoded(BytesView body, Decode decode) {
  X into;
  if (!decode(body, into)) return std::nullopt;
  Bytes bytes;
  encode(into, bytes);
  return bytes;
}

// Nothing when the frame was refused.
std::optional<Bytes> encoded_again(wire::FrameType type, BytesView body) {
  switch (type) {
    case wire::FrameType::kHello:
      return encoded(wire::decode_hello(body));
    case wire::FrameType::kWelcome:
      return encoded(wire::decode_welcome(body));
    case wire::FrameType::kSubscribe:
      return encoded(wire::decode_subscribe(body));
    case wire::FrameType::kSubscribed:
      return encoded(wire::decode_subscribed(body));
    case wire::FrameType::kUnsubscribe:
      return encoded(wire::decode_unsubscribe(body));
    case wire::FrameType::kEnded:
      return encoded(wire::decode_ended(body));
    case wire::FrameType::kAck:
      return encoded<wire::Ack>(body, wire::decode_ack);
    case wire::FrameType::kReject:
      return encoded(wire::decode_reject(body));
    case wire::FrameType::kConsumed:
      return encoded<wire::Consumed>(body, wire::decode_consumed);
    case wire::FrameType::kPing:
      return encoded(wire::decode_ping(body));
    case wire::FrameType::kPong:
      return encoded(wire::decode_pong(body));
    case wire::FrameType::kDrain:
      return encoded(wire::decode_drain(body));
    case wire::FrameType::kClose:
      return encoded(wire::decode_close(body));
    case wire::FrameType::kFate:
      return encoded(wire::decode_fate(body));
    case wire::FrameType::kCancel:
      return encoded(wire::decode_cancel(body));
    case wire::FrameType::kPublish:
      return encoded(wire::decode_publish(body));
    case wire::FrameType::kDeliver:
      return encoded(wire::decode_deliver(body));
    case wire::FrameType::kDirect:
      return encoded(wire::decode_direct(body));
    case wire::FrameType::kAlias:
      return encoded(wire::decode_alias(body));
    case wire::FrameType::kProducer:
      return encoded(wire::decode_producer(body));
    case wire::FrameType::kRun:
      return encoded(wire::decode_run(body));
    case wire::FrameType::kGap:
      return encoded(wire::decode_gap_mark(body));
    case wire::FrameType::kSkip:
      return encoded(wire::decode_skip(body));
  }
  return std::nullopt;
}

}  // namespace

// Frames, one behind the other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wire::Framer framer(0, wire::kControlSizeMax);
  framer.feed(std::as_bytes(std::span(data, size)));
  while (true) {
    const auto frame = framer.next();
    if (!frame || !*frame) return 0;
    const Bytes body = copy_of((*frame)->body);  // of just its size, for the sanitizer
    const auto again = encoded_again((*frame)->type(), body);
    ORZATTY_ASSERT(!again || *again == copy_of((*frame)->whole));
  }
}
