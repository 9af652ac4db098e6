#include "hub/subject_index.h"

#include "base/assert.h"
#include "hub/delivery.h"

namespace orzatty::hub {

namespace {

struct Split {
  std::string_view token;
  std::string_view rest;  // empty behind the last token
};

Split split(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return {text, {}};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

}  // namespace

SubjectIndex::SubjectIndex() : root_(std::make_unique<Node>()) {}
SubjectIndex::~SubjectIndex() = default;

SubjectIndex::Key SubjectIndex::key_of(const Delivery& delivery) {
  return {delivery.peer().slot, delivery.peer().generation, delivery.id()};
}

void SubjectIndex::add(Delivery& delivery) {
  Node* node = root_.get();
  for (std::string_view text = delivery.pattern().text(); !text.empty();) {
    const auto [token, rest] = split(text);
    text = rest;
    if (token == ">") {
      node->rest.emplace(key_of(delivery), &delivery);
      ++size_;
      return;
    }
    auto found = node->tokens.find(token);
    if (found == node->tokens.end()) {
      found = node->tokens.emplace(std::string(token), std::make_unique<Node>()).first;
    }
    node = found->second.get();
  }
  node->here.emplace(key_of(delivery), &delivery);
  ++size_;
}

void SubjectIndex::remove(const Delivery& delivery) {
  remove(*root_, delivery.pattern().text(), key_of(delivery));
  --size_;
}

// Nodes that hold nothing any more go as well.
void SubjectIndex::remove(Node& node, std::string_view pattern, const Key& key) {
  const auto [token, rest] = split(pattern);
  if (token.empty() || token == ">") {
    const std::size_t erased = token.empty() ? node.here.erase(key) : node.rest.erase(key);
    ORZATTY_ASSERT(erased == 1);
    return;
  }
  const auto found = node.tokens.find(token);
  ORZATTY_ASSERT(found != node.tokens.end());
  remove(*found->second, rest, key);
  if (found->second->empty()) node.tokens.erase(found);
}

// spec: NAME-2, NAME-3
void SubjectIndex::match(const ChannelName& name, std::vector<Delivery*>& into) const {
  if (!name.reserved()) return match(*root_, name.text(), into);
  const auto [token, rest] = split(name.text());  // a wildcard does not match it in first place
  const auto found = root_->tokens.find(token);
  if (found != root_->tokens.end()) match(*found->second, rest, into);
}

void SubjectIndex::match(const Node& node, std::string_view name, std::vector<Delivery*>& into) {
  if (name.empty()) {
    for (const auto& [key, delivery] : node.here) into.push_back(delivery);
    return;
  }
  for (const auto& [key, delivery] : node.rest) into.push_back(delivery);
  const auto [token, rest] = split(name);
  for (const std::string_view step : {std::string_view("*"), token}) {
    const auto found = node.tokens.find(step);
    if (found != node.tokens.end()) match(*found->second, rest, into);
  }
}

}  // namespace orzatty::hub
