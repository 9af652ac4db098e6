// Typed messages: FlatBuffers payloads (frame type 1), read where they lie. Optional: it needs the
// headers of FlatBuffers, and `orzatty_add_schema()` of the CMake package compiles a schema for it.
//
//   publisher.send(orzatty::typed(market::Quote(17.5, 100)));        a struct
//   publisher.send(orzatty::typed<market::Book>(builder));           a table that builder finished
//
//   const auto book = orzatty::as<market::Book>(message);
//   if (book) show((*book)->bids());
//
// Nobody gets a view of bytes that were not verified: a struct has exactly its size, and each offset of
// a table leads to where its type says. What a verified view says is still the publisher's word.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "orzatty/bytes.h"
#include "orzatty/channel_ref.h"
#include "orzatty/message.h"

namespace orzatty {

// What a type is called on the wire, in eight bytes. orzatty_add_schema() specialises it for the types
// that it is told, with a digest of their schema: two programs with different ones know it.
template <class T>
struct SchemaOf;

enum class TypedFault : std::uint8_t {
  kNotTyped,     // raw bytes, or text
  kOtherSchema,  // of another schema, or another version of it
  kMalformed,    // its bytes are not what its schema says
};
inline std::string_view name(TypedFault fault) {
  switch (fault) {
    case TypedFault::kNotTyped: return "not a typed message";
    case TypedFault::kOtherSchema: return "of another schema";
    case TypedFault::kMalformed: return "malformed";
  }
  return "unknown";
}

namespace typed_detail {

template <class T>
concept Table = requires(const T& table, flatbuffers::Verifier& verifier) {
  { table.Verify(verifier) } -> std::same_as<bool>;
};
template <class T>
concept Struct = !Table<T> && std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>;

// The largest of FlatBuffers' scalars. Of what a schema aligns further by force_align, views are as
// FlatBuffers makes them: unaligned reads that its targets allow.
inline constexpr std::size_t kAlignment = 8;

// Memory for payloads that lie where no view of them may: packets put them anywhere. A thread keeps what
// it took once, so that it allocates for the largest message and then no more.
class Scratch {
 public:
  explicit Scratch(BytesView bytes) : words_(take()) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    const std::size_t count = (bytes.size() + kWord - 1) / kWord;
    if (words_.size() < count) words_.resize(count);
    std::memcpy(words_.data(), bytes.data(), bytes.size());
  }
  Scratch(Scratch&&) = default;
  Scratch& operator=(Scratch&&) = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (words_.capacity() > 0) kept().push_back(std::move(words_));
  }
  [[nodiscard]] const std::uint8_t* data() const {
    return reinterpret_cast<const std::uint8_t*>(words_.data());
  }

 private:
  using Words = std::vector<std::uint64_t>;
  static std::vector<Words>& kept() {
    thread_local std::vector<Words> kept;
    return kept;
  }
  static Words take() {
    if (kept().empty()) return {};
    Words words = std::move(kept().back());
    kept().pop_back();
    return words;
  }

  Words words_;
};

}  // namespace typed_detail

// A verified view of a message: valid until the handler returns, like the message, and to be destroyed
// in the thread that made it.
template <class T>
class Typed {
 public:
  const T& operator*() const { return *view_; }
  const T* operator->() const { return view_; }
  // Read in the packet itself, and not in a copy that is aligned as a view has to be.
  [[nodiscard]] bool in_place() const { return !scratch_; }

 private:
  template <class Type>
  friend std::expected<Typed<Type>, TypedFault> as(const Message& message);
  Typed(const T* view, std::optional<typed_detail::Scratch> scratch)
      : scratch_(std::move(scratch)), view_(view) {}

  std::optional<typed_detail::Scratch> scratch_;
  const T* view_;
};

namespace typed_detail {

// Tables that a hostile message may make the verifier visit: each of its bytes may stand for several.
inline constexpr std::size_t kTablesMax = 10'000;
inline constexpr std::size_t kDepthMax = 32;

template <Struct T>
const T* verified(const std::uint8_t* data, std::size_t size) {
  return size == sizeof(T) ? reinterpret_cast<const T*>(data) : nullptr;
}

template <Table T>
const T* verified(const std::uint8_t* data, std::size_t size) {
  flatbuffers::Verifier verifier(data, size, kDepthMax, kTablesMax);
  return verifier.VerifyBuffer<T>(nullptr) ? flatbuffers::GetRoot<T>(data) : nullptr;
}

template <class T>
constexpr std::size_t alignment() {
  return Struct<T> ? alignof(T) : kAlignment;
}

}  // namespace typed_detail

// The message as a T of its schema: in place when its payload is aligned, else in a copy.
template <class T>
std::expected<Typed<T>, TypedFault> as(const Message& message) {
  static_assert(typed_detail::alignment<T>() <= typed_detail::kAlignment);
  if (message.type() != MessageType::kTyped) return std::unexpected(TypedFault::kNotTyped);
  if (message.attributes().schema != SchemaOf<T>::id) return std::unexpected(TypedFault::kOtherSchema);
  const BytesView payload = message.payload();
  const auto* data = reinterpret_cast<const std::uint8_t*>(payload.data());
  std::optional<typed_detail::Scratch> scratch;
  if (reinterpret_cast<std::uintptr_t>(data) % typed_detail::alignment<T>() != 0) {
    scratch.emplace(payload);
    data = scratch->data();
  }
  const T* const view = typed_detail::verified<T>(data, payload.size());
  if (view == nullptr) return std::unexpected(TypedFault::kMalformed);
  return Typed<T>(view, std::move(scratch));
}

// A table that the builder finished as its root; borrowed until the call that sends it returns.
template <typed_detail::Table T>
Payload typed(const flatbuffers::FlatBufferBuilder& builder, MessageAttributes attributes = {}) {
  attributes.schema = SchemaOf<T>::id;
  const auto* const data = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return Payload::typed(BytesView(data, builder.GetSize())).with(attributes);
}

// A struct, borrowed likewise.
template <typed_detail::Struct T>
Payload typed(const T& value, MessageAttributes attributes = {}) {
  attributes.schema = SchemaOf<T>::id;
  return Payload::typed(std::as_bytes(std::span(&value, 1))).with(attributes);
}

}  // namespace orzatty
