#include "link/stream_map.h"

#include <algorithm>

#include "base/assert.h"

namespace orzatty::link {

void StreamMap::bind(session::StreamKey key, quic::StreamId stream) {
  if (quic::kind_of(stream) == quic::StreamKind::kBidirectional) {
    ORZATTY_ASSERT(key == session::kControlKey);
    control_ = stream;
    return;
  }
  if (streams_.size() <= key.value()) streams_.resize(key.value() + 1);
  // The session may name another stream so before the transport is done with the one before.
  if (const auto before = streams_[key.value()]) unbind(*before);
  streams_[key.value()] = stream;
  ORZATTY_ASSERT(opened_.empty() || opened_.back().stream < stream);
  opened_.push_back({stream, key});
}

void StreamMap::unbind(quic::StreamId stream) {
  if (control_ == stream) {
    control_.reset();
    return;
  }
  const auto index = index_of(stream);
  if (!index) return;
  std::optional<session::StreamKey>& key = opened_[*index].key;
  streams_[key->value()].reset();
  key.reset();
  // In steps, so that the cost of moving the rest is spread.
  if (++closed_count_ < kClosedMin || closed_count_ * 2 < opened_.size()) return;
  std::erase_if(opened_, [](const Opened& opened) { return !opened.key; });
  closed_count_ = 0;
}

std::optional<quic::StreamId> StreamMap::find(session::StreamKey key) const {
  if (key == session::kControlKey) return control_;
  if (key.value() >= streams_.size()) return std::nullopt;
  return streams_[key.value()];
}

std::optional<session::StreamKey> StreamMap::find(quic::StreamId stream) const {
  if (control_ == stream) return session::kControlKey;
  const auto index = index_of(stream);
  if (!index) return std::nullopt;
  return opened_[*index].key;
}

// Of one that is bound.
std::optional<std::size_t> StreamMap::index_of(quic::StreamId stream) const {
  const auto found = std::ranges::lower_bound(opened_, stream, {}, &Opened::stream);
  if (found == opened_.end() || found->stream != stream || !found->key) return std::nullopt;
  return static_cast<std::size_t>(found - opened_.begin());
}

}  // namespace orzatty::link
