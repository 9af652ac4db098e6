// Ids and positions. Each is a type of its own, so that an offset cannot be passed for a sequence.
//
// Positions are half-open everywhere: [from, to). The first message of a channel has Offset(0), the
// first of a publisher Sequence(0), and "next" is the position that comes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace orzatty {

template <class Tag, class Value = std::uint64_t>
class StrongId {
 public:
  using value_type = Value;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Value value) : value_(value) {}
  [[nodiscard]] constexpr Value value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

 private:
  Value value_ = 0;
};

// A position that can be moved by a count, and whose differences are counts.
template <class Tag>
class Position : public StrongId<Tag> {
 public:
  using StrongId<Tag>::StrongId;
  constexpr Position operator+(std::uint64_t count) const { return Position(this->value() + count); }
  constexpr Position& operator+=(std::uint64_t count) { return *this = *this + count; }
  constexpr std::uint64_t operator-(Position from) const { return this->value() - from.value(); }
};

using Offset = Position<struct OffsetTag>;      // of a message in a channel's log
using Sequence = Position<struct SequenceTag>;  // of a message of one publisher on one channel

// 128 random bits.
template <class Tag>
struct Id128 {
  std::array<std::byte, 16> bytes{};
  constexpr auto operator<=>(const Id128&) const = default;
};

using SessionId = Id128<struct SessionIdTag>;    // survives its connection; bound to an identity
using ProducerId = Id128<struct ProducerIdTag>;  // one writer; sequences belong to it
using CorrelationId = Id128<struct CorrelationIdTag>;  // a request and its reply share it

using ChannelEpoch = StrongId<struct ChannelEpochTag>;    // 64 random bits: which life of the log
using ProducerEpoch = StrongId<struct ProducerEpochTag>;  // a newer one fences the older out

// What a session calls its own things on the wire.
using PublicationId = StrongId<struct PublicationIdTag>;
using SubscriptionId = StrongId<struct SubscriptionIdTag>;
using ChannelAlias = StrongId<struct ChannelAliasTag>;    // per subscription stream
using ProducerAlias = StrongId<struct ProducerAliasTag>;  // per subscription stream

}  // namespace orzatty
