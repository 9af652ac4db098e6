// Property: none; it holds a planted bug, a GAP that is valid. `fuzz/run canary` fails unless it is
// found within seconds. That shows that inputs are tried, that an assertion stops the run and that
// it is reported. It does not show that the fuzzer sees into the libraries: without that the bug
// takes 17 times as many runs (measured once: 70,508 against 4,213), which luck can hide. So
// fuzz/run looks at the libraries themselves for that.
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "wire/framer.h"
#include "wire/gap_mark.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace orzatty;
  wire::Framer framer(0, wire::kControlSizeMax);
  framer.feed(std::as_bytes(std::span(data, size)));
  while (true) {
    const auto frame = framer.next();
    if (!frame || !*frame) return 0;
    if ((*frame)->type() != wire::FrameType::kGap) continue;
    const bool planted = wire::decode_gap_mark((*frame)->body).has_value();
    ORZATTY_ASSERT(!planted);
  }
}
