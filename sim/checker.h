// A checker holds one promise against what happens. Each has a small file in checkers/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/happening.h"

namespace orzatty::sim {

struct Violation {
  std::string checker;
  std::string what;
};

class Checker {
 public:
  explicit Checker(std::string_view name) : name_(name) {}
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;
  virtual ~Checker() = default;

  virtual void handle(const Happening& happening) = 0;
  // Everything has come to rest, with all faults healed.
  virtual void finish() {}
  // Who has not come to rest; empty when everything has.
  [[nodiscard]] virtual std::string unrest() const { return {}; }

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }

 protected:
  void violated(std::string what) { violations_.push_back({std::string(name_), std::move(what)}); }

 private:
  std::string_view name_;
  std::vector<Violation> violations_;
};

std::string text_of(const MessageName& name);

}  // namespace orzatty::sim
