// Reads a whole channel stream, spec/protocol.md section 5: the preface, then introductions, gaps
// and runs of messages. What it yields is validated; what it refuses ends the session.
//
//   reader.feed(bytes);
//   while (true) {
//     auto item = reader.next();
//     if (!item) -> close with item.error()
//     if (std::holds_alternative<NeedMore>(*item)) break;
//     ...
//   }
//
// A run's messages come as they arrive, as many whole frames at once as there are, in place. A
// frame that spans feeds is put together and comes alone. In steady state nothing is allocated for
// messages that span packets, unless they are larger than 64 KiB. One stream, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "orzatty/ids.h"
#include "wire/alias.h"
#include "wire/alias_table.h"
#include "wire/deliver.h"
#include "wire/direct.h"
#include "wire/frame_cutter.h"
#include "wire/gap_mark.h"
#include "wire/message.h"
#include "wire/producer.h"
#include "wire/publish.h"
#include "wire/run.h"
#include "wire/skip.h"

namespace orzatty::wire {

enum class StreamOpener : std::uint8_t { kClient, kServer };

// Everything that was fed has been read.
struct NeedMore {};

// Whole message frames of one run, at positions [first, first + count).
struct Messages {
  ChannelAlias channel;
  ProducerAlias producer;
  std::uint64_t first = 0;  // an offset on a DELIVER stream, else a sequence
  std::uint64_t count = 0;
  std::uint32_t nonce = 0;  // of their run
  bool has_attributes = false;  // some of them may have
  BytesView bytes;              // valid until the next call
};

using ChannelStreamItem =
    std::variant<NeedMore, Publish, Deliver, Direct, Alias, Producer, Messages, GapMark, Skip>;

class ChannelStreamReader {
 public:
  // What a peer may introduce on one stream; a table of either costs 16 bytes an entry.
  static constexpr std::size_t kChannelCountMax = 16 * 1024;
  static constexpr std::size_t kProducerCountMax = 64 * 1024;

  ChannelStreamReader(StreamOpener opener, std::uint32_t message_size_max);

  // `input` is borrowed until next() returned NeedMore.
  void feed(BytesView input);
  // An error stays: nothing after it has any meaning.
  std::expected<ChannelStreamItem, ProtocolError> next();

  // Bytes kept of a frame that is not whole.
  [[nodiscard]] std::size_t held() const { return cutter_.held(); }
  // Whether the stream may end here: it said what it is, and no frame or run is open. spec:
  // STREAM-10
  [[nodiscard]] bool at_boundary() const;

 private:
  enum class Kind : std::uint8_t { kUnknown, kPublish, kDeliver, kDirect };
  // NeedMore means: look again, or nothing is left.
  using Taken = std::expected<ChannelStreamItem, ProtocolError>;

  Taken take_next();
  Taken take_messages();
  Taken take_spanning_message(BytesView available);
  Taken take_frame();
  Taken open_frame(const Frame& frame);
  [[nodiscard]] FrameSet allowed() const;

  Taken begin_publish(BytesView body);
  Taken begin_deliver(BytesView body);
  Taken begin_direct(BytesView body);
  Taken introduce_channel(BytesView body);
  Taken introduce_producer(BytesView body);
  Taken begin_run(BytesView body);
  Taken take_gap(BytesView body);
  Taken take_skip(BytesView body);
  // Counts messages of the run as taken.
  Taken yield_messages(BytesView bytes, const MessageScan& scan);

  FrameCutter cutter_;
  std::uint32_t message_size_max_;
  StreamOpener opener_;
  Kind kind_ = Kind::kUnknown;
  // What stands first on a DIRECT stream, or a passing PUBLISH stream, states where it begins.
  bool position_open_ = false;
  AliasTable channels_{kChannelCountMax};  // with the position that comes next of each
  AliasTable datagram_channels_{kChannelCountMax};  // whose messages do not come on a stream
  AliasTable producers_{kProducerCountMax};
  Run run_;
  std::uint64_t run_left_ = 0;  // its bytes that have not been taken; 0: no run is open
  std::uint64_t* position_ = nullptr;
  BytesView input_;
  std::optional<ProtocolError> fault_;
};

}  // namespace orzatty::wire
