// What every channel held, by all witnesses: the auditor, the subscribers, and the publishers who
// were told an offset. The first word about an offset stands, and all others have to agree with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/happening.h"

namespace orzatty::sim {

// One channel in one life of the server.
struct ChannelRecord {
  struct Entry {
    MessageName name;
    bool known = false;
  };
  std::vector<Entry> entries;    // by offset
  std::uint64_t audited_to = 0;  // everything below was told to the auditor, or is said to be gone
};

class Archive {
 public:
  enum class Witness : std::uint8_t { kAgrees, kOtherMessage, kOtherOffset };
  Witness witness(ServerLife life, std::string_view channel, Offset offset,
                  const MessageName& name);
  // The auditor was told of everything below `to`.
  void audit(ServerLife life, std::string_view channel, Offset to);
  [[nodiscard]] std::uint64_t audited_to(ServerLife life, std::string_view channel) const;

  [[nodiscard]] const ChannelRecord* find(ServerLife life, std::string_view channel) const;
  [[nodiscard]] std::optional<Offset> offset_of(ServerLife life, const MessageName& name) const;
  // How many messages the channel is known to have had.
  [[nodiscard]] std::uint64_t size(ServerLife life, std::string_view channel) const;
  [[nodiscard]] const std::map<std::string, ChannelRecord, std::less<>>& channels(
      ServerLife life) const;

 private:
  struct Hash {
    std::size_t operator()(const MessageName& name) const {
      return (std::uint64_t{name.program.value()} << 48) ^ (name.publication.value() << 32) ^
             name.sequence.value();
    }
  };
  struct Life {
    std::map<std::string, ChannelRecord, std::less<>> channels;
    std::unordered_map<MessageName, Offset, Hash> offsets;  // never iterated
  };
  ChannelRecord& record(ServerLife life, std::string_view channel);

  std::map<ServerLife, Life> lives_;
};

}  // namespace orzatty::sim
