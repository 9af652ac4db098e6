#include "failure.h"

namespace orzatty::apps {

Failure failure_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kArgument:
      return {ExitCode::kUsage, error.text};
    case ErrorKind::kUnreachable:
    case ErrorKind::kRefused:
      return {ExitCode::kRefused, error.text};
    case ErrorKind::kTimeout:
      return {ExitCode::kIncomplete, error.text};
    case ErrorKind::kBusy:
    case ErrorKind::kTooLarge:
    case ErrorKind::kIo:
    case ErrorKind::kClosed:
    case ErrorKind::kProtocol:
      return {ExitCode::kFailed, error.text};
  }
  return {ExitCode::kFailed, error.text};
}

Failure refusal_of(const Error& error) {
  if (error.kind == ErrorKind::kArgument) return {ExitCode::kUsage, error.text};
  return {ExitCode::kRefused, error.text};
}

}  // namespace orzatty::apps
