// Bytes: how the whole of Orzatty names memory that it borrows or owns.
//
// A BytesView never owns; each function that takes or returns one says for how long it is valid,
// and where nothing is said it is valid until the call returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace orzatty {

using BytesView = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;

// The bytes of a text, as they stand. Borrows from `text`.
inline BytesView bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Bytes read as text; whether they are valid UTF-8 is for the caller to know. Borrows from `bytes`.
inline std::string_view text_of(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes copy_of(BytesView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace orzatty
