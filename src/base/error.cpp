#include "orzatty/error.h"

namespace orzatty {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone: return "NONE";
    case ErrorCode::kInternal: return "INTERNAL";
    case ErrorCode::kFrameTruncated: return "FRAME_TRUNCATED";
    case ErrorCode::kFrameTooLarge: return "FRAME_TOO_LARGE";
    case ErrorCode::kFrameUnexpected: return "FRAME_UNEXPECTED";
    case ErrorCode::kFrameMalformed: return "FRAME_MALFORMED";
    case ErrorCode::kVarintNotMinimal: return "VARINT_NOT_MINIMAL";
    case ErrorCode::kTextInvalid: return "TEXT_INVALID";
    case ErrorCode::kNameInvalid: return "NAME_INVALID";
    case ErrorCode::kRangeEmpty: return "RANGE_EMPTY";
    case ErrorCode::kAliasUnknown: return "ALIAS_UNKNOWN";
    case ErrorCode::kSequenceInvalid: return "SEQUENCE_INVALID";
    case ErrorCode::kStreamUnexpected: return "STREAM_UNEXPECTED";
    case ErrorCode::kVersionUnsupported: return "VERSION_UNSUPPORTED";
    case ErrorCode::kAuthenticationFailed: return "AUTHENTICATION_FAILED";
    case ErrorCode::kHelloTimeout: return "HELLO_TIMEOUT";
    case ErrorCode::kPeerSilent: return "PEER_SILENT";
    case ErrorCode::kLimitExceeded: return "LIMIT_EXCEEDED";
    case ErrorCode::kNotAuthorised: return "NOT_AUTHORISED";
    case ErrorCode::kMessageTooLarge: return "MESSAGE_TOO_LARGE";
    case ErrorCode::kChannelLimit: return "CHANNEL_LIMIT";
    case ErrorCode::kModeUnsupported: return "MODE_UNSUPPORTED";
    case ErrorCode::kFenced: return "FENCED";
    case ErrorCode::kStartUnavailable: return "START_UNAVAILABLE";
    case ErrorCode::kSlowSubscriber: return "SLOW_SUBSCRIBER";
    case ErrorCode::kExpired: return "EXPIRED";
    case ErrorCode::kNoResponder: return "NO_RESPONDER";
    case ErrorCode::kNotAwaited: return "NOT_AWAITED";
    case ErrorCode::kSuperseded: return "SUPERSEDED";
    case ErrorCode::kFateForgotten: return "FATE_FORGOTTEN";
    case ErrorCode::kDraining: return "DRAINING";
    case ErrorCode::kOverloaded: return "OVERLOADED";
    case ErrorCode::kRateLimited: return "RATE_LIMITED";
    case ErrorCode::kClosedByUser: return "CLOSED_BY_USER";
  }
  return "UNKNOWN";  // spec: ERROR-1
}

std::string_view advice(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone: return "nothing";
    case ErrorCode::kInternal: return "report it";
    case ErrorCode::kFrameTruncated: return "fix the peer";
    case ErrorCode::kFrameTooLarge: return "send smaller messages, or raise the limit";
    case ErrorCode::kFrameUnexpected: return "fix the peer";
    case ErrorCode::kFrameMalformed: return "fix the peer";
    case ErrorCode::kVarintNotMinimal: return "fix the peer";
    case ErrorCode::kTextInvalid: return "send it as raw bytes";
    case ErrorCode::kNameInvalid: return "correct the name";
    case ErrorCode::kRangeEmpty: return "fix the peer";
    case ErrorCode::kAliasUnknown: return "fix the peer";
    case ErrorCode::kSequenceInvalid: return "fix the peer";
    case ErrorCode::kStreamUnexpected: return "fix the peer";
    case ErrorCode::kVersionUnsupported: return "update the older side";
    case ErrorCode::kAuthenticationFailed: return "use a valid token";
    case ErrorCode::kHelloTimeout: return "connect again";
    case ErrorCode::kPeerSilent: return "connect again";
    case ErrorCode::kLimitExceeded: return "use fewer, or raise the limit";
    case ErrorCode::kNotAuthorised: return "ask whoever runs the server";
    case ErrorCode::kMessageTooLarge: return "split it, or raise the limit";
    case ErrorCode::kChannelLimit: return "raise the limit";
    case ErrorCode::kModeUnsupported: return "choose another";
    case ErrorCode::kFenced: return "stop the older one";
    case ErrorCode::kStartUnavailable: return "start elsewhere";
    case ErrorCode::kSlowSubscriber: return "read faster, resume at the offset told";
    case ErrorCode::kExpired: return "nothing";
    case ErrorCode::kNoResponder: return "try again later";
    case ErrorCode::kNotAwaited: return "nothing";
    case ErrorCode::kSuperseded: return "nothing";
    case ErrorCode::kFateForgotten: return "look whether the channel has it";
    case ErrorCode::kDraining: return "connect again";
    case ErrorCode::kOverloaded: return "try again later";
    case ErrorCode::kRateLimited: return "slow down";
    case ErrorCode::kClosedByUser: return "nothing";
  }
  return "look the number up in a newer version of the protocol";
}

}  // namespace orzatty
