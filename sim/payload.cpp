#include "sim/payload.h"

#include <algorithm>
#include <cstring>

#include "base/prng.h"

namespace orzatty::sim {

namespace {

struct Header {
  std::uint32_t program = 0;
  std::uint32_t publication = 0;
  std::uint64_t sequence = 0;
  std::uint64_t size = 0;
};
static_assert(sizeof(Header) == kPayloadSizeMin);

base::Prng filler_of(const Header& header) {
  const std::uint64_t author = (std::uint64_t{header.program} << 32) | header.publication;
  return base::Prng(base::Prng(author).next() ^ header.sequence ^ (header.size << 40));
}

}  // namespace

void write_payload(const MessageName& name, std::size_t size, Bytes& into) {
  const Header header{name.program.value(), static_cast<std::uint32_t>(name.publication.value()),
                      name.sequence.value(), size};
  into.resize(size);
  std::memcpy(into.data(), &header, sizeof header);
  base::Prng filler = filler_of(header);
  for (std::size_t at = sizeof header; at < size; at += sizeof(std::uint64_t)) {
    const std::uint64_t word = filler.next();
    std::memcpy(into.data() + at, &word, std::min(sizeof word, size - at));
  }
}

SeenMessage read_payload(BytesView payload) {
  Header header;
  if (payload.size() < sizeof header) return {};
  std::memcpy(&header, payload.data(), sizeof header);
  SeenMessage seen{
      {ProgramId(header.program), PublicationId(header.publication), Sequence(header.sequence)},
      header.size == payload.size()};
  base::Prng filler = filler_of(header);
  for (std::size_t at = sizeof header; seen.intact && at < payload.size();
       at += sizeof(std::uint64_t)) {
    const std::uint64_t word = filler.next();
    seen.intact =
        std::memcmp(payload.data() + at, &word, std::min(sizeof word, payload.size() - at)) == 0;
  }
  return seen;
}

}  // namespace orzatty::sim
