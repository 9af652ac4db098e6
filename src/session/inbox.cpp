#include "session/inbox.h"

namespace orzatty::session {

IncomingStream* Inbox::find(RemoteStream id) {
  if (latest_ != nullptr && latest_->id() == id) return latest_;
  const auto found = streams_.find(id.value());
  if (found == streams_.end()) return nullptr;
  latest_ = found->second.get();
  return latest_;
}

IncomingStream* Inbox::open(RemoteStream id) {
  if (IncomingStream* known = find(id)) return known;
  if (streams_.size() >= stream_count_max_) return nullptr;
  auto made = std::make_unique<IncomingStream>(id, opener_, message_size_max_);
  latest_ = made.get();
  streams_.emplace(id.value(), std::move(made));
  return latest_;
}

void Inbox::close(RemoteStream id) {
  const auto found = streams_.find(id.value());
  if (found == streams_.end()) return;
  held_ -= found->second->reader().held();
  if (latest_ == found->second.get()) latest_ = nullptr;
  streams_.erase(found);
}

void Inbox::account(IncomingStream& stream, std::size_t held_before) {
  held_ += stream.reader().held();
  held_ -= held_before;
}

}  // namespace orzatty::session
