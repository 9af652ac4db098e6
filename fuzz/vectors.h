// The golden vectors of spec/vectors, as bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace orzatty::fuzz {

struct Vector {
  std::string name;
  std::vector<std::uint8_t> bytes;
};

inline std::vector<std::uint8_t> bytes_of_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// Lines of `name | context | hex | expected`; to a fuzzer all bytes are welcome, whatever is
// expected.
inline std::vector<Vector> read_vectors(const std::filesystem::path& path) {
  std::vector<Vector> vectors;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> cells;
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t bar = std::min(line.find(" | ", from), line.size());
      cells.push_back(line.substr(from, bar - from));
      from = bar + 3;
    }
    if (cells.size() == 4) vectors.push_back({cells[0], bytes_of_hex(cells[2])});
  }
  return vectors;
}

}  // namespace orzatty::fuzz
