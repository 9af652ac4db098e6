// Feeds every golden vector, each of its prefixes and each with one bit turned to a fuzz target: what
// every compiler can run without libFuzzer.  replay FOLDER
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::uint8_t> bytes_of_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::size_t feed_variants(std::vector<std::uint8_t> bytes) {
  std::size_t fed = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size, ++fed) {
    LLVMFuzzerTestOneInput(bytes.data(), size);
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit, ++fed) {
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    bytes[bit / 8] ^= mask;
  }
  return fed;
}

// `name | context | hex | expected`
std::size_t feed_file(const std::filesystem::path& path) {
  std::size_t fed = 0;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream cells(line);
    std::string cell;
    for (int column = 0; column < 3; ++column) std::getline(cells, cell, '|');
    const std::size_t begin = cell.find_first_not_of(' ');
    if (begin == std::string::npos) continue;
    fed += feed_variants(bytes_of_hex(cell.substr(begin, cell.find_last_not_of(' ') - begin + 1)));
  }
  return fed;
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  std::size_t fed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) {
    if (entry.path().extension() == ".txt") fed += feed_file(entry.path());
  }
  std::cout << fed << " inputs\n";
  return fed == 0 ? 1 : 0;  // no vectors found would prove nothing
}
