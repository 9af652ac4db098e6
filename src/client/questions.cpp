#include "client/questions.h"

#include <utility>

namespace orzatty::client {

std::uint64_t Questions::add(wire::Fate question) {
  question.question = next_++;
  const auto [entry, is_new] = asked_.emplace(question.question, Asked{std::move(question), {}});
  if (session_ != nullptr) session_->ask(entry->second.rest);
  return entry->first;
}

void Questions::open(session::ClientSession& session) {
  session_ = &session;
  for (const auto& [number, asked] : asked_) session.ask(asked.rest);
}

// An answer may stop short of the range: the rest is asked for again. spec: FATE-3
std::expected<void, ProtocolError> Questions::answered(const wire::Fate& answer, Outputs& outputs) {
  const auto found = asked_.find(answer.question);
  if (found == asked_.end()) return {};  // nobody waits for it any more
  wire::FateRun& rest = found->second.rest.runs[0];
  auto& answers = found->second.answers;
  for (const wire::FateRun& run : answer.runs) {
    if (run.first != rest.first || run.count > rest.count) {
      return std::unexpected(ProtocolError{ErrorCode::kSequenceInvalid, "a FATE not asked for"});
    }
    answers.push_back(run);
    rest.first += run.count;
    rest.count -= run.count;
  }
  if (answer.runs.empty()) {
    return std::unexpected(ProtocolError{ErrorCode::kRangeEmpty, "an answer without a fate"});
  }
  if (rest.count > 0 && answers.size() < kRunCountMax) {
    session_->ask(found->second.rest);
    return {};
  }
  outputs.push_back(FatesTold{found->first, std::move(answers)});
  asked_.erase(found);
  return {};
}

}  // namespace orzatty::client
