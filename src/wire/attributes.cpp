#include "wire/attributes.h"

#include "wire/reader.h"

namespace orzatty::wire {

namespace {

constexpr std::uint64_t kTimeToLive = 1;
constexpr std::uint64_t kCorrelation = 2;
constexpr std::uint64_t kTimestamp = 3;
constexpr std::uint64_t kSchema = 4;
constexpr std::uint64_t kKey = 5;
constexpr std::size_t kKeySizeMax = 255;

constexpr std::string_view kWhere = "attributes of a message";

std::expected<void, ProtocolError> decode_item(std::uint64_t tag, BytesView value,
                                               Attributes& into) {
  Reader reader(value, kWhere);
  switch (tag) {
    case kTimeToLive:
      into.time_to_live = reader.read_varint();
      break;
    case kCorrelation:
      into.correlation = reader.read_array<16>();
      break;
    case kTimestamp:
      into.timestamp = reader.read_varint();
      break;
    case kSchema:
      into.schema = reader.read_array<8>();
      break;
    case kKey:
      reader.require(!value.empty() && value.size() <= kKeySizeMax, ErrorCode::kFrameMalformed);
      into.key = reader.read_slice(value.size());
      break;
    default:
      return {};
  }
  return reader.finish();
}

// Inside the block there is no field that may be short: whatever does not fill it is malformed.
ProtocolError malformed(ProtocolError fault) {
  if (fault.code == ErrorCode::kFrameTruncated) fault.code = ErrorCode::kFrameMalformed;
  return fault;
}

}  // namespace

// spec: FRAME-8
std::expected<Attributes, ProtocolError> decode_attributes(BytesView block) {
  Attributes attributes;
  Reader reader(block, kWhere);
  std::optional<std::uint64_t> last;
  while (reader.ok() && !reader.at_end()) {
    const std::uint64_t tag = reader.read_varint();
    const BytesView value = reader.read_slice(reader.read_varint());
    if (!reader.require(!last || tag > *last, ErrorCode::kFrameMalformed)) break;
    if (const auto item = decode_item(tag, value, attributes); !item) {
      return std::unexpected(malformed(item.error()));
    }
    last = tag;
  }
  if (const auto done = reader.finish(); !done) return std::unexpected(malformed(done.error()));
  return attributes;
}

}  // namespace orzatty::wire
