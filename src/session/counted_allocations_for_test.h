// Counts what the whole test program allocates: replaces operator new in all its forms. To be
// included by one file of a test binary.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace orzatty::session::test {

inline thread_local std::size_t allocation_count = 0;
inline thread_local std::size_t allocated_bytes = 0;
inline thread_local std::size_t held_bytes = 0;  // not freed yet, with what a heap takes for each

constexpr std::size_t round_up(std::size_t size, std::size_t step) {
  return (size + step - 1) / step * step;
}
constexpr std::size_t heap_size(std::size_t size) { return round_up(size + sizeof(size), 16); }

// The size stands before what is given out, which begins one alignment later.
inline void* count_allocation(std::size_t size, std::size_t alignment) {
  void* const block = std::aligned_alloc(alignment, round_up(size, alignment) + alignment);
  if (block == nullptr) return nullptr;
  ++allocation_count;
  allocated_bytes += size;
  held_bytes += heap_size(size);
  std::byte* const memory = static_cast<std::byte*>(block) + alignment;
  std::memcpy(memory - sizeof(size), &size, sizeof(size));
  return memory;
}
inline void count_free(void* memory, std::size_t alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
  if (memory == nullptr) return;
  std::size_t size = 0;
  std::memcpy(&size, static_cast<std::byte*>(memory) - sizeof(size), sizeof(size));
  held_bytes -= heap_size(size);
  std::free(static_cast<std::byte*>(memory) - alignment);
}

}  // namespace orzatty::session::test

void* operator new(std::size_t size) {
  using orzatty::session::test::count_allocation;
  if (void* memory = count_allocation(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__)) return memory;
  std::abort();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  using orzatty::session::test::count_allocation;
  if (void* memory = count_allocation(size, static_cast<std::size_t>(alignment))) return memory;
  std::abort();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return orzatty::session::test::count_allocation(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return orzatty::session::test::count_allocation(size, static_cast<std::size_t>(alignment));
}
// Not inlined: g++ would see free() meet a `new` that it does not look into, and warn.
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  orzatty::session::test::count_free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  orzatty::session::test::count_free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t alignment) noexcept {
  orzatty::session::test::count_free(memory, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t,
                                       std::align_val_t alignment) noexcept {
  orzatty::session::test::count_free(memory, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t alignment,
                                       const std::nothrow_t&) noexcept {
  orzatty::session::test::count_free(memory, static_cast<std::size_t>(alignment));
}
