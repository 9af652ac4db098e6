#include "sim/options.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace orzatty::sim {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Parser {
 public:
  explicit Parser(std::span<char*> arguments) : arguments_(arguments) {
    options_.scenario = find_scenario("standard");
  }

  std::expected<Options, std::string> parse() {
    while (at_ < arguments_.size() && problem_.empty()) take(arguments_[at_++]);
    if (problem_.empty()) return options_;
    return std::unexpected(problem_);
  }

 private:
  void take(std::string_view option) {
    if (flag(option)) return;
    if (at_ == arguments_.size()) {
      problem_ = std::string(option) + " is no option, or lacks its value; try --help";
      return;
    }
    const std::string_view value = arguments_[at_++];
    if (option == "--network") return network(std::string(value));
    if (!text(option, value) && !count(option, value)) {
      problem_ = std::string(option) + " " + std::string(value) + " means nothing; try --help";
    }
  }
  bool flag(std::string_view option) {
    bool* const flag = option == "--trace"       ? &options_.trace
                       : option == "--hash"      ? &options_.hash_only
                       : option == "--json"      ? &options_.json
                       : option == "--help"      ? &options_.help
                       : option == "--planted"   ? &options_.planted_table
                       : option == "--no-shrink" ? &no_shrink_
                                                 : nullptr;
    if (flag != nullptr) *flag = true;
    options_.shrinking = !no_shrink_;
    return flag != nullptr;
  }
  bool text(std::string_view option, std::string_view value) {
    if (option == "--scenario") {
      options_.scenario = find_scenario(value);
      return options_.scenario != nullptr;
    }
    if (option == "--without") {
      const auto row = std::ranges::find(kFaults, value, &FaultRow::name);
      if (row != kFaults.end()) options_.reduction.faults.insert(row->fault);
      return row != kFaults.end();
    }
    if (option == "--plant") options_.planted = value;
    if (option == "--seeds-of") options_.seeds_file = value;
    return option == "--plant" || option == "--seeds-of";
  }
  bool count(std::string_view option, std::string_view value) {
    if (option == "--seeds") return seeds(value);
    const auto parsed = number(value);
    if (!parsed) return false;
    if (option == "--seed")
      options_.seed_first = options_.seed_last = *parsed;
    else if (option == "--jobs")
      options_.jobs = std::max<std::size_t>(1, *parsed);
    else if (option == "--skip")
      options_.reduction.incidents.insert(*parsed);
    else if (option == "--clients")
      options_.reduction.client_count_max = *parsed;
    else if (option == "--messages")
      options_.reduction.message_count_max = *parsed;
    else if (option == "--seconds")
      options_.reduction.seconds_max = *parsed;
    else
      return false;
    return true;
  }
  void network(const std::string& value) {
    auto loaded = load_network(value);
    if (loaded) {
      options_.network = std::make_shared<const NetworkScript>(std::move(*loaded));
    } else {
      problem_ = loaded.error();
    }
  }
  bool seeds(std::string_view value) {
    const std::size_t dots = value.find("..");
    if (dots == std::string_view::npos) return false;
    const auto first = number(value.substr(0, dots));
    const auto last = number(value.substr(dots + 2));
    if (!first || !last || *last < *first) return false;
    options_.seed_first = *first;
    options_.seed_last = *last;
    return true;
  }

  std::span<char*> arguments_;
  std::size_t at_ = 0;
  Options options_;
  std::string problem_;
  bool no_shrink_ = false;
};

}  // namespace

const char* const kHelp =
    R"(orzatty-sim: plays whole servers and clients in virtual time, and checks what is promised.

  --seed N            one seed (default 1); with --trace, tells everything that happens
  --seeds A..B        all of them; one in a hundred is played again by a fresh process and compared
  --seeds-of FILE     those of a file: a line is a seed and the options of its smallest form
  --scenario NAME     standard, calm, crashes, roaming, crowded, asking or publishers
  --network SCRIPT    paths as `orzatty lab` makes them: wifi, mobile, satellite, hostile, or its file
  --jobs N            processes (default 2)
  --json              the summary as JSON
  --planted           plants each known bug in turn, and tells which checker found it at which seed
  --plant NAME        plants that one
  --no-shrink         does not make a failing seed smaller

  What is left out of a seed:  --without FAULT  --skip INCIDENT  --clients N  --messages N  --seconds N

Exit: 0 all is well, 1 a promise was broken, 2 the options make no sense.
)";

std::expected<Options, std::string> parse_options(std::span<char*> arguments) {
  return Parser(arguments).parse();
}

}  // namespace orzatty::sim
