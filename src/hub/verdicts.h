// Messages that came together and may each have another answer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "orzatty/error.h"
#include "session/server_session.h"
#include "wire/message.h"

namespace orzatty::hub {

// `judge(message, waiting)` says in order what becomes of each; `waiting` is how many before it are
// accepted and not settled. `settle(messages, code)` is called for neighbours that share a verdict.
template <class Judge, class Settle>
void settle_by_verdict(session::PublicationMessages group, Judge judge, Settle settle) {
  const BytesView frames = group.frames;
  std::size_t begin = 0;
  std::size_t end = 0;
  ErrorCode code = ErrorCode::kNone;
  group.count = 0;
  const auto settle_group = [&] {
    if (group.count == 0) return;
    group.frames = frames.subspan(begin, end - begin);
    settle(group, code);
    group.first += group.count;
    group.count = 0;
    begin = end;
  };
  for (const wire::MessageView& message : wire::MessageRange(frames)) {
    const ErrorCode verdict = judge(message, code == ErrorCode::kNone ? group.count : 0);
    if (verdict != code) settle_group();
    code = verdict;
    ++group.count;
    end += message.frame_size;
  }
  settle_group();
}

}  // namespace orzatty::hub
