#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "orzatty/server.h"

namespace orzatty {

namespace {

// Looks at every byte of the longer one, whatever it finds. spec: SESSION-5
bool equal_in_constant_time(BytesView left, BytesView right) {
  std::uint32_t difference = left.size() == right.size() ? 0 : 1;
  const std::size_t size = std::max(left.size(), right.size());
  for (std::size_t i = 0; i < size; ++i) {
    const auto a = i < left.size() ? std::to_integer<std::uint32_t>(left[i]) : 0U;
    const auto b = i < right.size() ? std::to_integer<std::uint32_t>(right[i]) : 0U;
    difference |= a ^ b;
  }
  return difference == 0;
}

}  // namespace

Authenticator named_tokens(std::vector<NamedToken> tokens) {
  return [known = std::move(tokens)](BytesView token) -> std::optional<std::string> {
    const NamedToken* match = nullptr;
    for (const NamedToken& candidate : known) {  // all of them, so that time tells nothing
      if (equal_in_constant_time(bytes_of(candidate.token), token)) match = &candidate;
    }
    if (match == nullptr || match->token.empty()) return std::nullopt;
    return match->identity;
  };
}

Authenticator tokens(std::vector<std::string> tokens_given) {
  std::vector<NamedToken> named;
  for (std::string& token : tokens_given) {
    named.push_back({"token-" + std::to_string(named.size() + 1), std::move(token)});
  }
  return named_tokens(std::move(named));
}

}  // namespace orzatty
