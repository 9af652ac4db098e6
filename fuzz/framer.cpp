// Property: however its bytes are split, a stream gives the same frames and the same fault.
#include "wire/framer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace {

using namespace orzatty;

constexpr std::uint32_t kMessageSizeMax = 4096;
constexpr std::uint32_t kControlSizeMax = 1024;

struct Seen {
  std::vector<Bytes> frames;
  ErrorCode fault = ErrorCode::kNone;
  bool operator==(const Seen&) const = default;
};

Seen read(BytesView bytes, std::size_t step) {
  Seen seen;
  wire::Framer framer(kMessageSizeMax, kControlSizeMax);
  std::size_t fed = 0;
  while (!bytes.empty()) {
    const std::size_t size = std::min(step, bytes.size());
    fed += size;
    const Bytes part = copy_of(bytes.first(size));  // of just its size, for the sanitizer
    framer.feed(part);
    bytes = bytes.subspan(size);
    while (true) {
      const auto frame = framer.next();
      if (!frame) {
        seen.fault = frame.error().code;
        return seen;
      }
      if (!*frame) break;
      seen.frames.push_back(copy_of((*frame)->whole));
    }
    ORZATTY_ASSERT(framer.held() <= fed);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView bytes = std::as_bytes(std::span(data, size));
  const Seen whole = read(bytes, size);
  ORZATTY_ASSERT(read(bytes, 1) == whole);
  ORZATTY_ASSERT(read(bytes, 1 + data[0] % 7) == whole);
  return 0;
}
