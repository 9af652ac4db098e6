// The only source of entropy of the house: the kernel's. Pure layers get seeds as arguments.
//
// It cannot fail in a way that a caller could handle well, so failing ends the process: going on
// with predictable keys or connection IDs would be worse. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace orzatty::net {

void entropy(std::span<std::byte> bytes);
[[nodiscard]] std::uint64_t entropy_seed();

}  // namespace orzatty::net
