// Turns the bytes of a control stream into whole frames, however they were split. One thread.
//
//   framer.feed(bytes);
//   while (auto frame = framer.next()) { if (!*frame) break; ... }
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "orzatty/bytes.h"
#include "orzatty/error.h"
#include "wire/frame.h"
#include "wire/frame_cutter.h"

namespace orzatty::wire {

class Framer {
 public:
  // Where `message_size_max` is 0 no message may stand at all.
  Framer(std::uint32_t message_size_max, std::uint32_t control_size_max);

  // `input` is borrowed until next() returned nothing.
  void feed(BytesView input);
  // The next frame; nothing when more has to come. It is valid until the next call. An error stays:
  // nothing after it has any meaning. Frames of extensions are skipped. spec: FRAME-6
  std::expected<std::optional<Frame>, ProtocolError> next();
  // Of the frames whose header has yet to come.
  void set_control_size_max(std::uint32_t size) { cutter_.set_control_size_max(size); }
  // Bytes kept of a frame that is not whole.
  [[nodiscard]] std::size_t held() const { return cutter_.held(); }

 private:
  FrameCutter cutter_;
  FrameSet allowed_;
  BytesView input_;
  std::optional<ProtocolError> fault_;
};

}  // namespace orzatty::wire
