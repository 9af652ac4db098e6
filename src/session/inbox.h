// The channel streams that the peer opened: a reader for each, and the credit that goes back for what
// was consumed. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "orzatty/error.h"
#include "session/transport.h"
#include "wire/channel_stream.h"

namespace orzatty::session {

// One stream of the peer. `subject` is what its preface named: a publication, a subscription.
class IncomingStream {
 public:
  IncomingStream(RemoteStream id, wire::StreamOpener opener, std::uint32_t message_size_max)
      : id_(id), reader_(opener, message_size_max) {}

  [[nodiscard]] RemoteStream id() const { return id_; }
  [[nodiscard]] wire::ChannelStreamReader& reader() { return reader_; }

  std::uint64_t subject = 0;
  bool passing = false;              // of its subject's messages or gaps some, by themselves
  std::uint64_t fed = 0;             // bytes that were given to the reader
  std::uint64_t surfaced = 0;        // of them, in messages, whose credit is the consumer's to give
  std::uint64_t credited_marks = 0;  // of the rest, what went back already

 private:
  RemoteStream id_;
  wire::ChannelStreamReader reader_;
};

class Inbox {
 public:
  Inbox(wire::StreamOpener opener, std::uint32_t message_size_max, std::size_t stream_count_max)
      : opener_(opener), message_size_max_(message_size_max), stream_count_max_(stream_count_max) {}

  // The stream, made when it is new; nullptr when there are too many.
  [[nodiscard]] IncomingStream* open(RemoteStream id);
  [[nodiscard]] IncomingStream* find(RemoteStream id);
  void close(RemoteStream id);

  // What is held of frames that are not complete, over all streams.
  [[nodiscard]] std::size_t held() const { return held_; }
  void account(IncomingStream& stream, std::size_t held_before);

 private:
  wire::StreamOpener opener_;
  std::uint32_t message_size_max_;
  std::size_t stream_count_max_;
  std::size_t held_ = 0;
  IncomingStream* latest_ = nullptr;  // packets of one stream come in a row
  std::unordered_map<std::uint64_t, std::unique_ptr<IncomingStream>> streams_;  // never iterated
};

}  // namespace orzatty::session
