// Subscriptions by what they ask for: a new channel finds the patterns that match its name without
// asking each of them. A trie of tokens; walking it visits only what can still match. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/slab.h"
#include "orzatty/channel.h"
#include "orzatty/ids.h"

namespace orzatty::hub {

class Delivery;

class SubjectIndex {
 public:
  SubjectIndex();
  ~SubjectIndex();
  SubjectIndex(const SubjectIndex&) = delete;
  SubjectIndex& operator=(const SubjectIndex&) = delete;

  // By its pattern; a delivery stands here once.
  void add(Delivery& delivery);
  void remove(const Delivery& delivery);
  // Appends those whose pattern matches. The order depends on names and keys alone. spec: NAME-3
  void match(const ChannelName& name, std::vector<Delivery*>& into) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  // Not by address, so that the same session gives the same order everywhere.
  struct Key {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    SubscriptionId subscription;
    auto operator<=>(const Key&) const = default;
  };
  using Entries = std::map<Key, Delivery*>;
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> tokens;  // `*` among them
    Entries here;                                                      // patterns that end here
    Entries rest;                                                      // and with `>`
    [[nodiscard]] bool empty() const { return tokens.empty() && here.empty() && rest.empty(); }
  };

  static Key key_of(const Delivery& delivery);
  static void remove(Node& node, std::string_view pattern, const Key& key);
  static void match(const Node& node, std::string_view name, std::vector<Delivery*>& into);

  std::unique_ptr<Node> root_;
  std::size_t size_ = 0;
};

}  // namespace orzatty::hub
