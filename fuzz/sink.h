// A transport as a session sees it from above: takes what is offered in whatever sizes, holds it,
// and acknowledges it in whatever order. Asserts that what it holds stays as it was taken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "orzatty/bytes.h"
#include "session/send_table.h"
#include "session/transport.h"

namespace orzatty::fuzz {

class NoSource final : public session::Refill {
 public:
  void refill(session::StreamKey, session::SendQueue&) override {}
};

class Sink {
 public:
  explicit Sink(session::SendTable& sends) {
    sends.opened(session::kControlKey);
    streams_[session::kControlKey] = {session::RemoteStream(0), false};
  }

  // Takes at most `room` bytes; where there is no room at all, the peer has given no credit.
  // deliver(stream, bytes, fin)
  template <class Deliver>
  void pull(session::SendTable& sends, session::Refill& source, std::size_t room, Deliver deliver) {
    open_streams(sends);
    const bool credit = room > 0;
    while (const auto offer = sends.offer(source)) {
      std::size_t offered = 0;
      for (const BytesView span : offer->bytes()) offered += span.size();
      if (offer->datagram) {
        if (offered > room) return;  // whole or not at all
        room -= offered;
        take_datagram(sends, source, *offer);
        continue;
      }
      const std::size_t size = std::min(offered, room);
      if (offered > 0 && size == 0) {
        if (credit) return;
        sends.blocked(offer->stream);
        continue;
      }
      const session::Fin fin = size == offered ? offer->fin : session::Fin::kNo;
      ORZATTY_ASSERT(size > 0 || fin == session::Fin::kYes);
      const Bytes bytes = hold(*offer, size);
      room -= size;
      sends.taken(offer->stream, size, fin);
      Open& stream = streams_.at(offer->stream);
      ORZATTY_ASSERT(!stream.finished);
      stream.finished = fin == session::Fin::kYes;
      deliver(stream.id, BytesView(bytes), fin);
    }
  }
  void unblock(session::SendTable& sends) {
    for (const auto& [key, stream] : streams_) {
      if (!stream.finished) sends.writable(key);
    }
  }
  // The oldest piece of the stream that holds the piece `which`. acked(stream, size),
  // closed(stream)
  template <class Acked, class Closed>
  void acknowledge(std::size_t which, Acked acked, Closed closed) {
    close_finished(closed);
    if (held_.empty()) return;
    const session::StreamKey key = held_[which % held_.size()].stream;
    const auto oldest = std::ranges::find(held_, key, &Held::stream);
    std::uint64_t size = 0;
    for (const Piece& piece : oldest->pieces) {
      ORZATTY_ASSERT(std::ranges::equal(piece.view, piece.copy));
      size += piece.copy.size();
    }
    held_.erase(oldest);
    acked(key, size);
    close_finished(closed);
  }
  // What datagrams were taken: their tags, and their bytes.
  std::vector<std::pair<session::DatagramTag, Bytes>> datagrams;

  // The transport gives up one of this side's channel streams; false when there is none.
  template <class Closed>
  bool stop(std::size_t which, Closed closed) {
    if (streams_.size() < 2) return false;
    auto stream =
        std::next(streams_.begin(), 1 + static_cast<std::ptrdiff_t>(which % (streams_.size() - 1)));
    forget(stream->first, closed);
    return true;
  }
  void check() const {
    for (const Held& held : held_) {
      for (const Piece& piece : held.pieces) {
        ORZATTY_ASSERT(std::ranges::equal(piece.view, piece.copy));
      }
    }
  }
  [[nodiscard]] std::size_t stream_count() const { return streams_.size(); }

 private:
  void take_datagram(session::SendTable& sends, session::Refill& source,
                     const session::Offer& offer) {
    Bytes bytes;
    for (const BytesView span : offer.bytes()) bytes.insert(bytes.end(), span.begin(), span.end());
    source.datagram_taken(offer.stream);
    sends.datagram_taken(offer.stream, bytes.size());
    datagrams.emplace_back(*offer.datagram, std::move(bytes));
  }
  struct Open {
    session::RemoteStream id;
    bool finished = false;
  };
  struct Piece {
    BytesView view;
    Bytes copy;
  };
  struct Held {
    session::StreamKey stream;
    std::vector<Piece> pieces;
  };

  void open_streams(session::SendTable& sends) {
    while (const auto key = sends.next_to_open()) {
      ORZATTY_ASSERT(!streams_.contains(*key));
      sends.opened(*key);
      streams_[*key] = {session::RemoteStream(++opened_), false};
    }
  }
  Bytes hold(const session::Offer& offer, std::size_t size) {
    Bytes whole;
    Held held{.stream = offer.stream, .pieces = {}};
    for (const BytesView span : offer.bytes()) {
      const BytesView part = span.first(std::min(span.size(), size - whole.size()));
      if (part.empty()) break;
      whole.insert(whole.end(), part.begin(), part.end());
      held.pieces.push_back({part, copy_of(part)});
    }
    if (!held.pieces.empty()) held_.push_back(std::move(held));
    return whole;
  }
  template <class Closed>
  void close_finished(Closed closed) {
    for (auto stream = streams_.begin(); stream != streams_.end();) {
      const auto [key, open] = *stream++;
      if (open.finished && std::ranges::find(held_, key, &Held::stream) == held_.end()) {
        forget(key, closed);
      }
    }
  }
  template <class Closed>
  void forget(session::StreamKey key, Closed closed) {
    std::erase_if(held_, [&](const Held& held) { return held.stream == key; });
    streams_.erase(key);
    closed(key);
  }

  std::map<session::StreamKey, Open> streams_;
  std::vector<Held> held_;  // oldest first
  std::uint64_t opened_ = 0;
};

}  // namespace orzatty::fuzz
