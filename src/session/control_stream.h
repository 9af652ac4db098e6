// The control stream of a session: whole frames in, frames out. One thread.
#pragma once

#include <expected>
#include <optional>

#include "orzatty/error.h"
#include "session/scratch.h"
#include "session/send_table.h"
#include "session/transport.h"
#include "wire/framer.h"

namespace orzatty::session {

class ControlStream {
 public:
  // Refuses a longer frame on its header.
  ControlStream(std::uint32_t frame_size_max, Scratch& scratch, SendTable& sends);
  void set_size_max(std::uint32_t size) { framer_.set_control_size_max(size); }

  // `bytes` is borrowed until next() returned nothing.
  void feed(BytesView bytes) { framer_.feed(bytes); }
  // spec: STREAM-2
  [[nodiscard]] std::expected<std::optional<wire::Frame>, ProtocolError> next();
  [[nodiscard]] std::size_t held() const { return framer_.held(); }

  // False when the peer leaves so much unread that there is no room for more.
  template <class Message>
  [[nodiscard]] bool send(const Message& message) {
    out_.clear();
    encode(message, out_);
    return write();
  }

 private:
  [[nodiscard]] bool write();

  wire::Framer framer_;
  Scratch& scratch_;
  SendTable& sends_;
  Bytes out_;  // reused
};

}  // namespace orzatty::session
