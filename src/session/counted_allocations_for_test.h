// Counts what the whole test program allocates: replaces operator new in all its forms. To be
// included by one file of a test binary.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace orzatty::session::test {

inline thread_local std::size_t allocation_count = 0;
inline thread_local std::size_t allocated_bytes = 0;

inline void* count_allocation(std::size_t size, std::size_t alignment) {
  ++allocation_count;
  allocated_bytes += size;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
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
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t,
                                       const std::nothrow_t&) noexcept {
  std::free(memory);
}
