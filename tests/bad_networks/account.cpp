#include "account.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

namespace orzatty::fleet {

namespace {

using nlohmann::json;
using Members = std::vector<std::unique_ptr<Member>>;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

struct Numbers {
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t missed = 0;  // told as gaps
  std::uint64_t resets = 0;
};

void count(const Member& member, Numbers& numbers) {
  std::set<std::uint64_t> seen;
  std::uint64_t next = 0;
  for (const Happening& happening : member.heard()) {
    switch (happening.kind) {
      case Happening::Kind::kGap:
        numbers.missed += happening.second - happening.first;
        break;
      case Happening::Kind::kReset:
        ++numbers.resets;
        break;
      case Happening::Kind::kMessage:
        if (!seen.insert(happening.second).second) {
          ++numbers.duplicated;
        } else if (happening.second < next) {
          ++numbers.reordered;
        }
        next = std::max(next, happening.second + 1);
        break;
    }
  }
  numbers.lost +=
      member.task().messages - std::min<std::uint64_t>(seen.size(), member.task().messages);
}

json quantiles(std::vector<Duration> durations) {
  if (durations.empty()) return nullptr;
  std::ranges::sort(durations);
  const auto at = [&](double share) {
    const auto last = static_cast<double>(durations.size() - 1);
    return seconds(durations[static_cast<std::size_t>(share * last)]);
  };
  return {{"min", at(0)}, {"p50", at(0.5)}, {"p90", at(0.9)}, {"max", at(1)}};
}

char letter(const std::optional<Told>& told) {
  if (!told) return '-';
  switch (told->fate) {
    case Fate::kAccepted:
      return 'a';
    case Fate::kRejected:
      return 'r';
    case Fate::kUnknown:
      return 'u';
    case Fate::kExpired:
      return 'e';
    case Fate::kSuperseded:
      return 's';
    case Fate::kHandedToNetwork:
      return 'h';
  }
  return '-';
}

}  // namespace

std::string account_of(const Members& members, const Times& times) {
  Numbers numbers;
  ClientStats sum;
  std::vector<Duration> absences;
  std::chrono::milliseconds last_return{};
  std::set<std::string> failures;
  std::map<std::string, std::uint64_t> causes;
  std::uint64_t messages = 0;
  for (const auto& member : members) {
    count(*member, numbers);
    messages += member->task().messages;
    const ClientStats& stats = member->stats();
    sum.sent += stats.sent;
    sum.accepted += stats.accepted;
    sum.rejected += stats.rejected;
    sum.expired += stats.expired;
    sum.unknown += stats.unknown;
    sum.reconnects += stats.reconnects;
    sum.resumed += stats.resumed;
    absences.insert(absences.end(), member->absences().begin(), member->absences().end());
    for (const auto& [cause, times_seen] : member->causes()) causes[cause] += times_seen;
    last_return = std::max(last_return, member->last_return());
    if (!member->failure().empty()) failures.insert(member->failure());
  }
  return json{{"clients", members.size()},
              {"messages", messages},
              {"sent", sum.sent},
              {"accepted", sum.accepted},
              {"rejected", sum.rejected},
              {"expired", sum.expired},
              {"unknown", sum.unknown},
              {"lost", numbers.lost},
              {"duplicated", numbers.duplicated},
              {"reordered", numbers.reordered},
              {"missed", numbers.missed},
              {"resets", numbers.resets},
              {"reconnects", sum.reconnects},
              {"resumed", sum.resumed},
              {"causes", causes},
              {"absence_seconds", quantiles(std::move(absences))},
              {"last_return_ms", last_return.count()},
              {"connected_seconds", times.connected_seconds},
              {"seconds", times.seconds},
              {"failures", failures}}
      .dump();
}

void write_records(const Members& members, std::ostream& out) {
  for (const auto& member : members) {
    std::string fates;
    json offsets = json::array();
    for (const auto& told : member->fates()) {
      fates.push_back(letter(told));
      offsets.push_back(told ? json(told->offset) : json(nullptr));
    }
    json heard = json::array();
    for (const Happening& happening : member->heard()) {
      if (happening.kind == Happening::Kind::kMessage) {
        heard.push_back({happening.first, happening.second});
      } else if (happening.kind == Happening::Kind::kGap) {
        heard.push_back({{"gap", {happening.first, happening.second}}});
      } else {
        heard.push_back("reset");
      }
    }
    out << json{{"member", member->task().number},
                {"neighbour", member->task().neighbour},
                {"fates", fates},
                {"offsets", offsets},
                {"heard", heard}}
               .dump()
        << '\n';
  }
}

}  // namespace orzatty::fleet
