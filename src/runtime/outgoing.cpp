#include "runtime/outgoing.h"

#include <string>

#include "wire/message.h"

namespace orzatty::runtime {

namespace {

Error argument(std::string text) {
  return {ErrorKind::kArgument, ErrorCode::kFrameMalformed, std::move(text)};
}

constexpr std::uint64_t kCountMax = std::uint64_t{1} << 62;  // of a varint

template <class Time>
bool fits(const std::optional<Time>& time) {
  return !time || (time->count() >= 0 && static_cast<std::uint64_t>(time->count()) < kCountMax);
}

}  // namespace

std::optional<Error> fault_of(const MessageAttributes& attributes) {
  if (!fits(attributes.time_to_live)) return argument("a time to live cannot be negative");
  if (!fits(attributes.timestamp)) return argument("a timestamp counts from 1970 on");
  if (attributes.key.size() > MessageAttributes::kKeySizeMax) {
    return argument("a key has at most " + std::to_string(MessageAttributes::kKeySizeMax) +
                    " bytes, this one has " + std::to_string(attributes.key.size()));
  }
  if (attributes.wants_reply && !attributes.correlation) {
    return argument("a reply comes to a correlation id: Client::request() draws one");
  }
  if (!attributes.sender.empty()) return argument("the sender of a message is the server's to say");
  return std::nullopt;
}

std::uint64_t body_size(const Payload& payload) {
  const std::uint64_t size = payload.bytes().size();
  return payload.attributes() ? wire::message_body_size(*payload.attributes(), size) : size;
}

Error busy_error() {
  return {ErrorKind::kBusy, ErrorCode::kOverloaded,
          "no room: what was sent before is not acknowledged yet"};
}

}  // namespace orzatty::runtime
