// How much memory of `new` a fuzz target holds: replaces the operators in all forms that ours use.
// To be included by one file of a program.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace orzatty::fuzz {

inline std::size_t memory_in_use = 0;

inline void* take_memory(std::size_t size, std::size_t alignment) {
  void* const memory =
      std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  memory_in_use += malloc_usable_size(memory);
  return memory;
}

// Not inlined: g++ would see free() meet a `new` that it does not look into, and warn.
[[gnu::noinline]] inline void give_back(void* memory) {
  memory_in_use -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace orzatty::fuzz

void* operator new(std::size_t size) {
  return orzatty::fuzz::take_memory(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return orzatty::fuzz::take_memory(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return orzatty::fuzz::take_memory(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return orzatty::fuzz::take_memory(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { orzatty::fuzz::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { orzatty::fuzz::give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { orzatty::fuzz::give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  orzatty::fuzz::give_back(memory);
}
