// What the program was asked to do, from its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "sim/network_script.h"
#include "sim/plan.h"

namespace orzatty::sim {

struct Options {
  std::uint64_t seed_first = 1;
  std::uint64_t seed_last = 1;
  const Scenario* scenario = nullptr;
  Reduction reduction;
  std::string planted;
  std::string seeds_file;
  std::shared_ptr<const NetworkScript> network;
  std::size_t jobs = 2;
  bool trace = false;
  bool hash_only = false;
  bool json = false;
  bool planted_table = false;
  bool shrinking = true;
  bool help = false;
};

extern const char* const kHelp;
// Or what is wrong with it.
std::expected<Options, std::string> parse_options(std::span<char*> arguments);

}  // namespace orzatty::sim
