#include "wire/attributes.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/reader.h"
#include "wire/varint.h"

namespace orzatty::wire {

namespace {

constexpr std::uint64_t kTimeToLive = 1;
constexpr std::uint64_t kCorrelation = 2;
constexpr std::uint64_t kTimestamp = 3;
constexpr std::uint64_t kSchema = 4;
constexpr std::uint64_t kKey = 5;
constexpr std::uint64_t kWantsReply = 6;
constexpr std::uint64_t kSender = 7;

constexpr std::string_view kWhere = "attributes of a message";

std::expected<void, ProtocolError> decode_item(std::uint64_t tag, BytesView value,
                                               MessageAttributes& into) {
  Reader reader(value, kWhere);
  switch (tag) {
    case kTimeToLive:
      into.time_to_live = std::chrono::milliseconds(reader.read_varint());
      break;
    case kCorrelation:
      into.correlation = CorrelationId{reader.read_array<16>()};
      break;
    case kTimestamp:
      into.timestamp = std::chrono::microseconds(reader.read_varint());
      break;
    case kSchema:
      into.schema = reader.read_array<8>();
      break;
    case kKey:
      reader.require(!value.empty() && value.size() <= MessageAttributes::kKeySizeMax,
                     ErrorCode::kFrameMalformed);
      into.key = reader.read_slice(value.size());
      break;
    case kWantsReply:
      into.wants_reply = true;
      break;
    case kSender:
      reader.require(!value.empty() && value.size() <= MessageAttributes::kSenderSizeMax,
                     ErrorCode::kFrameMalformed);
      into.sender = text_of(reader.read_slice(value.size()));
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

// Items one behind the other, in ascending order of their tags.
class BlockWriter {
 public:
  explicit BlockWriter(std::span<std::byte, kAttributesSizeMax> out) : out_(out) {}

  void write(std::uint64_t tag, BytesView value) {
    size_ += encode_varint(out_.subspan(size_), tag);
    size_ += encode_varint(out_.subspan(size_), value.size());
    std::ranges::copy(value, out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += value.size();
  }
  void write_varint(std::uint64_t tag, std::uint64_t value) {
    std::array<std::byte, kVarintSizeMax> bytes;
    write(tag, BytesView(bytes).first(encode_varint(bytes, value)));
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::span<std::byte> out_;
  std::size_t size_ = 0;
};

constexpr std::size_t item_size(std::size_t value_size) {
  return 1 + varint_size(value_size) + value_size;
}

}  // namespace

// spec: FRAME-8
std::size_t encode_attributes(std::span<std::byte, kAttributesSizeMax> out,
                              const MessageAttributes& attributes) {
  ORZATTY_ASSERT(attributes.key.size() <= MessageAttributes::kKeySizeMax);
  ORZATTY_ASSERT(attributes.sender.size() <= MessageAttributes::kSenderSizeMax);
  BlockWriter writer(out);
  if (attributes.time_to_live) {
    writer.write_varint(kTimeToLive, static_cast<std::uint64_t>(attributes.time_to_live->count()));
  }
  if (attributes.correlation) writer.write(kCorrelation, attributes.correlation->bytes);
  if (attributes.timestamp) {
    writer.write_varint(kTimestamp, static_cast<std::uint64_t>(attributes.timestamp->count()));
  }
  if (attributes.schema) writer.write(kSchema, *attributes.schema);
  if (!attributes.key.empty()) writer.write(kKey, attributes.key);
  if (attributes.wants_reply) writer.write(kWantsReply, {});
  if (!attributes.sender.empty()) writer.write(kSender, bytes_of(attributes.sender));
  return writer.size();
}

std::size_t attributes_size(const MessageAttributes& attributes) {
  const auto count_size = [](auto time) {
    return item_size(varint_size(static_cast<std::uint64_t>(time->count())));
  };
  std::size_t size = 0;
  if (attributes.time_to_live) size += count_size(attributes.time_to_live);
  if (attributes.correlation) size += item_size(attributes.correlation->bytes.size());
  if (attributes.timestamp) size += count_size(attributes.timestamp);
  if (attributes.schema) size += item_size(attributes.schema->size());
  if (!attributes.key.empty()) size += item_size(attributes.key.size());
  if (attributes.wants_reply) size += item_size(0);
  if (!attributes.sender.empty()) size += item_size(attributes.sender.size());
  return size;
}

// spec: FRAME-8
std::expected<MessageAttributes, ProtocolError> decode_attributes(BytesView block) {
  MessageAttributes attributes;
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

namespace orzatty {

MessageAttributes Message::attributes() const {
  MessageAttributes read;
  if (!attributes_.bytes.empty()) {
    const auto decoded = wire::decode_attributes(attributes_.bytes);
    ORZATTY_ASSERT(decoded.has_value());
    read = *decoded;
  }
  read.priority = attributes_.priority;
  return read;
}

}  // namespace orzatty
