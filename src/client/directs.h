// How far a client is in what the server sends to it alone, by channel. Outlives connections, and
// sessions: a log that begins before where we stand is a new one. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "orzatty/ids.h"
#include "session/client_session.h"
#include "wire/hello.h"

namespace orzatty::client {

class Directs {
 public:
  struct Lost {
    Sequence from;
    Sequence to;
  };
  // Messages came. What before them will not come any more.
  std::optional<Lost> advance(const session::DirectMessages& messages);
  // Positions in all channels; false when they need more than `size_max` bytes.
  [[nodiscard]] bool tell(std::vector<wire::HelloDirect>& into, std::size_t& size_max) const;
  // The connection is gone.
  void lose();
  // The session is a new one, and so are its logs.
  void begin_anew();

 private:
  struct Position {
    Sequence next;
    bool seen = false;  // on this connection
  };
  std::map<std::string, Position, std::less<>> positions_;
};

}  // namespace orzatty::client
