// Everything that happened, told to all checkers as it happens, and to the trace.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/archive.h"
#include "sim/checker.h"
#include "sim/happening.h"
#include "sim/trace.h"

namespace orzatty::sim {

class Chronicle {
 public:
  explicit Chronicle(Trace& trace) : trace_(trace) {}

  void add(std::unique_ptr<Checker> checker) { checkers_.push_back(std::move(checker)); }
  void handle(const Happening& happening);
  void finish();
  [[nodiscard]] std::string unrest() const;

  [[nodiscard]] ProgramId next_program() { return ProgramId(program_count_++); }
  // The first that was found.
  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
  [[nodiscard]] std::uint64_t happening_count() const { return happening_count_; }
  [[nodiscard]] Archive& archive() { return archive_; }

 private:
  void look_for_violations();

  Trace& trace_;
  Archive archive_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::optional<Violation> violation_;
  std::uint32_t program_count_ = 1;
  std::uint64_t happening_count_ = 0;
};

// One line for whoever reads a trace; empty for what happens all the time.
std::string line_of(const Happening& happening);

}  // namespace orzatty::sim
