// How a command ends: a documented exit code, and one line that says what happened and what to do.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "orzatty/error.h"

namespace orzatty::apps {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,      // the world's fault: a file, an address, a server that gave up
  kUsage = 2,       // the command line or the configuration
  kRefused = 3,     // no session: nobody there, certificate, token
  kIncomplete = 4,  // ended before all was done, or something was missed
};

// No text where the reader is gone: nobody is left to tell.
struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string text;
};

template <class Value>
using Result = std::expected<Value, Failure>;

inline std::unexpected<Failure> failure(ExitCode code, std::string text) {
  return std::unexpected(Failure{code, std::move(text)});
}

// For an error after the session was open, or without one.
Failure failure_of(const Error& error);
// For an error of Client::connect(): nothing but an argument is anything else than a refusal.
Failure refusal_of(const Error& error);

}  // namespace orzatty::apps
