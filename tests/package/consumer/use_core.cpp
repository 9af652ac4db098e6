// Uses the vocabulary: a name is parsed, and matches a pattern.
#include <iostream>

#include "orzatty/channel.h"
#include "orzatty/version.h"

int main() {
  const auto name = orzatty::ChannelName::parse("quotes.AAPL");
  const auto pattern = orzatty::ChannelPattern::parse("quotes.*");
  if (!name || !pattern || !pattern->matches(*name)) return 1;
  std::cout << "orzatty " << orzatty::kVersion << '\n';
  return 0;
}
