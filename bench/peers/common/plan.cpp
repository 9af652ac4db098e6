#include "plan.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "sequence_check.h"

namespace orzatty::peers {
namespace {

constexpr std::size_t kSizeMax = 65'535;  // raw TLS says the length in two bytes, as the pump does
constexpr std::size_t kSubscribersMax = 1'000;  // more need more open files than shells allow
constexpr double kSecondsMax = 3600;

std::unexpected<std::string> refused(std::string text) { return std::unexpected(std::move(text)); }

std::optional<Mode> parse_mode(std::string_view word) {
  for (const Mode mode : {Mode::kOneWay, Mode::kRoundTrip, Mode::kFanOut}) {
    if (word == name_of(mode)) return mode;
  }
  return std::nullopt;
}

template <class Number>
std::optional<Number> parse_number(std::string_view word) {
  Number number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

// Reads the words from the left.
class Words {
 public:
  explicit Words(std::span<const std::string_view> words) : words_(words) {}

  [[nodiscard]] bool has_operand() const { return !words_.empty() && !words_[0].starts_with("--"); }
  [[nodiscard]] bool is_empty() const { return words_.empty(); }
  std::string_view next() {
    if (words_.empty()) return {};
    const std::string_view word = words_[0];
    words_ = words_.subspan(1);
    return word;
  }

 private:
  std::span<const std::string_view> words_;
};

std::expected<void, std::string> read_operands(Words& words, Plan& plan) {
  if (words.has_operand()) {
    const auto size = parse_number<std::size_t>(words.next());
    if (!size || *size < apps::kNumberedSizeMin || *size > kSizeMax) {
      return refused("SIZE: from 8 to 65535 bytes");
    }
    plan.size = *size;
  }
  if (words.has_operand()) {
    const auto seconds = parse_number<double>(words.next());
    if (!seconds || !(*seconds > 0) || *seconds > kSecondsMax) {
      return refused("SECONDS: more than 0, at most 3600");
    }
    plan.time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
  }
  return {};
}

std::expected<void, std::string> read_option(const Description& peer, Words& words, Plan& plan) {
  const std::string_view option = words.next();
  const std::string_view value = words.next();
  if (option == "--variant") {
    if (std::ranges::find(peer.variants, value) == peer.variants.end()) {
      return refused("--variant: " + peer.name + " has no variant '" + std::string(value) + "'");
    }
    plan.variant = value;
    return {};
  }
  if (option == "--subscribers" && plan.mode == Mode::kFanOut) {
    const auto count = parse_number<std::size_t>(value);
    if (!count || *count == 0 || *count > kSubscribersMax) {
      return refused("--subscribers: from 1 to 1000");
    }
    plan.subscribers = *count;
    return {};
  }
  return refused("unknown: " + std::string(option));
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::kOneWay:
      return "oneway";
    case Mode::kRoundTrip:
      return "rtt";
    case Mode::kFanOut:
      return "fanout";
  }
  return {};
}

std::string usage_of(const Description& peer) {
  std::string text = "usage: " + peer.name + " oneway|rtt" + (peer.fans_out ? "|fanout" : "") +
                     " [SIZE 8..65535] [SECONDS] [--variant ";
  for (const std::string& variant : peer.variants) {
    text += (&variant == &peer.variants.front() ? "" : "|") + variant;
  }
  return text + "]" + (peer.fans_out ? " [--subscribers N]" : "");
}

std::expected<Plan, std::string> parse_plan(const Description& peer,
                                            std::span<const std::string_view> words) {
  Words rest(words);
  Plan plan;
  plan.variant = peer.variants.front();
  const auto mode = parse_mode(rest.next());
  if (!mode) return refused(usage_of(peer));
  plan.mode = *mode;
  if (plan.mode == Mode::kFanOut) {
    if (!peer.fans_out) return refused(peer.name + " cannot do that: it has no fan-out");
    plan.subscribers = 100;
  }
  if (const auto done = read_operands(rest, plan); !done) return refused(done.error());
  while (!rest.is_empty()) {
    if (const auto done = read_option(peer, rest, plan); !done) return refused(done.error());
  }
  return plan;
}

}  // namespace orzatty::peers
