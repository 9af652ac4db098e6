// What a client has asked about the fates of messages, until it is answered whole. Outlives
// connections: what was not answered is asked again. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <vector>

#include "client/publication.h"
#include "session/client_session.h"
#include "wire/fate.h"

namespace orzatty::client {

class Questions {
 public:
  // Runs of an answer beyond this are not kept: what is known by then is the answer.
  static constexpr std::size_t kRunCountMax = 64 * 1024;

  // Gives the number of the question.
  std::uint64_t add(wire::Fate question);
  void forget(std::uint64_t question) { asked_.erase(question); }
  // A session was welcomed, and is there until lose().
  void open(session::ClientSession& session);
  void lose() { session_ = nullptr; }
  std::expected<void, ProtocolError> answered(const wire::Fate& answer, Outputs& outputs);

 private:
  struct Asked {
    wire::Fate rest;                     // one run: what is not answered
    std::vector<wire::FateRun> answers;  // of what was before it
  };
  std::map<std::uint64_t, Asked> asked_;  // by number
  std::uint64_t next_ = 0;
  session::ClientSession* session_ = nullptr;
};

}  // namespace orzatty::client
