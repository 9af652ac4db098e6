#include "hub/peer.h"

#include "wire/deliver.h"
#include "wire/direct.h"

namespace orzatty::hub {

namespace {

template <class Preface>
session::StreamKey open_stream(session::SessionCore& core, const Preface& preface) {
  const session::StreamKey stream = core.sends().add();
  Bytes bytes;
  wire::encode(preface, bytes);
  if (!core.scratch().write(bytes, core.sends().queue(stream))) {
    core.close(ErrorCode::kLimitExceeded, "LIMIT_EXCEEDED: replies are not read");
  }
  return stream;
}

}  // namespace

void Peer::bind(session::StreamKey stream, const Source& source) {
  if (sources_.size() <= stream.value()) sources_.resize(stream.value() + 1);
  sources_[stream.value()] = source;
}

void Peer::refill(session::StreamKey stream, session::SendQueue& queue) {
  if (stream.value() >= sources_.size()) return;
  const Source& source = sources_[stream.value()];
  if (source.delivery != nullptr) {
    ChannelReader* const reader =
        source.delivery->refill(queue, *this);
    if (reader != nullptr) {
      given_up.emplace(source.delivery->id(), reader);
    }
  } else if (source.direct != nullptr) {
    source.direct->refill(queue, session.core());
  }
}

Delivery& Peer::add_delivery(SubscriptionId id, ChannelPattern pattern) {
  const session::StreamKey stream = open_stream(session.core(), wire::Deliver{id});
  auto& delivery = deliveries_[id.value()];
  delivery = std::make_unique<Delivery>(key, id, std::move(pattern), stream);
  bind(stream, {.delivery = delivery.get()});
  return *delivery;
}

void Peer::remove_delivery(SubscriptionId id) {
  const auto found = deliveries_.find(id.value());
  if (found == deliveries_.end()) return;
  const session::StreamKey stream = found->second->stream();
  bind(stream, {});
  session.core().sends().finish(stream);
  deliveries_.erase(found);
}

Delivery* Peer::find_delivery(SubscriptionId id) {
  const auto found = deliveries_.find(id.value());
  return found == deliveries_.end() ? nullptr : found->second.get();
}

DirectLog& Peer::direct_log(const ChannelName& channel, std::size_t size_max) {
  auto& log = direct_logs_[std::string(channel.text())];
  if (log == nullptr) {
    const session::StreamKey stream = open_stream(session.core(), wire::Direct{channel});
    log = std::make_unique<DirectLog>(stream, size_max);
    bind(stream, {.direct = log.get()});
  }
  return *log;
}

}  // namespace orzatty::hub
