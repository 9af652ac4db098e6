// What a fleet tells of itself: the account, as one line of JSON, and each member's record, of
// which a line is a member.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "member.h"

namespace orzatty::fleet {

struct Times {
  double connected_seconds = 0;  // until all were
  double seconds = 0;            // from the first message on
};

std::string account_of(const std::vector<std::unique_ptr<Member>>& members, const Times& times);
void write_records(const std::vector<std::unique_ptr<Member>>& members, std::ostream& out);

}  // namespace orzatty::fleet
