// Feeds a fuzz target what every compiler can run without libFuzzer: each seed in FOLDER, its
// prefixes, and the seed with one bit turned.  replay FOLDER
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// Of a longer seed a sample: some targets read byte by byte, and vectors have 16 KiB.
constexpr std::size_t kPrefixCountMax = 256;
constexpr std::size_t kTurnCountMax = 1024;

// Each prefix, the whole one last, and each with one bit turned.
std::size_t feed_variants(std::vector<std::uint8_t> bytes) {
  std::size_t fed = 0;
  const std::size_t prefix_stride = 1 + bytes.size() / kPrefixCountMax;
  for (std::size_t cut = bytes.size() / prefix_stride + 1; cut > 0; --cut, ++fed) {
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size() - (cut - 1) * prefix_stride);
  }
  const std::size_t bit_stride =
      1 + bytes.size() * 8 / kTurnCountMax / 2 * 2;  // odd: meets all bits
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += bit_stride, ++fed) {
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    bytes[bit / 8] ^= mask;
  }
  return fed;
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  return {text.begin(), text.end()};
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  std::size_t fed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) {
    fed += feed_variants(read_file(entry.path()));
  }
  std::cout << fed << " inputs\n";
  return fed == 0 ? 1 : 0;  // no seeds found would prove nothing
}
