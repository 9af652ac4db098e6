#include "link/stream_map.h"

#include "base/assert.h"

namespace orzatty::link {

void StreamMap::bind(session::StreamKey key, quic::StreamId stream) {
  if (quic::kind_of(stream) == quic::StreamKind::kBidirectional) {
    ORZATTY_ASSERT(key == session::kControlKey);
    control_ = stream;
    return;
  }
  if (streams_.size() <= key.value()) streams_.resize(key.value() + 1);
  streams_[key.value()] = stream;
  ORZATTY_ASSERT(ordinal(stream) == first_ + keys_.size());
  keys_.emplace_back(key);
}

void StreamMap::unbind(quic::StreamId stream) {
  const std::optional<session::StreamKey> key = find(stream);
  if (!key) return;
  if (*key == session::kControlKey) {
    control_.reset();
    return;
  }
  streams_[key->value()].reset();
  keys_[ordinal(stream) - first_].reset();
  std::size_t gone = 0;
  while (gone < keys_.size() && !keys_[gone]) ++gone;
  // In steps, so that the cost of moving the rest is spread.
  if (gone >= 64 || gone == keys_.size()) {
    keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(gone));
    first_ += gone;
  }
}

std::optional<quic::StreamId> StreamMap::find(session::StreamKey key) const {
  if (key == session::kControlKey) return control_;
  if (key.value() >= streams_.size()) return std::nullopt;
  return streams_[key.value()];
}

std::optional<session::StreamKey> StreamMap::find(quic::StreamId stream) const {
  if (control_ && *control_ == stream) return session::kControlKey;
  if (quic::kind_of(stream) == quic::StreamKind::kBidirectional) return std::nullopt;
  const std::size_t index = ordinal(stream) - first_;
  if (ordinal(stream) < first_ || index >= keys_.size()) return std::nullopt;
  return keys_[index];
}

}  // namespace orzatty::link
