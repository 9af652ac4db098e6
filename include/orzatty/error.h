// Errors, in three kinds: our own bugs end the process (assertions), the peer's faults are a
// ProtocolError with a code on the wire, the world's faults an Error of kind kIo.
//
// ErrorCode is the registry of spec/protocol.md, section 9: numbers never change their meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orzatty {

enum class ErrorCode : std::uint32_t {
  kNone = 0x00,
  kInternal = 0x01,

  kFrameTruncated = 0x10,     // a body ended before its last field
  kFrameTooLarge = 0x11,      // a length beyond the limit, refused on the header
  kFrameUnexpected = 0x12,    // a frame that may not stand there, or not now
  kFrameMalformed = 0x13,     // a field with a value that it cannot have, or bytes left over
  kVarintNotMinimal = 0x14,   // a varint in more bytes than it needs
  kTextInvalid = 0x15,        // not UTF-8
  kNameInvalid = 0x16,        // not a channel name or pattern
  kRangeEmpty = 0x17,         // a range whose end is not after its start
  kAliasUnknown = 0x18,       // an alias, publication or subscription nobody introduced
  kSequenceInvalid = 0x19,    // a run that does not continue where the last one ended
  kStreamUnexpected = 0x1a,   // a stream that may not be opened, or was cut off

  kVersionUnsupported = 0x20,
  kAuthenticationFailed = 0x21,
  kHelloTimeout = 0x22,
  kPeerSilent = 0x23,         // no heartbeat for too long
  kLimitExceeded = 0x24,      // a count beyond a limit that WELCOME or the spec states

  kNotAuthorised = 0x30,
  kMessageTooLarge = 0x31,
  kChannelLimit = 0x32,
  kModeUnsupported = 0x33,
  kFenced = 0x34,             // a newer epoch of the same producer is at work
  kStartUnavailable = 0x35,
  kSlowSubscriber = 0x36,
  kExpired = 0x37,
  kNoResponder = 0x38,        // nobody is subscribed who could answer the request
  kNotAwaited = 0x39,         // nobody waits for this reply, or not from this client
  kSuperseded = 0x3a,         // a newer value took its place
  kFateForgotten = 0x3b,      // the server had it, and knows no longer what became of it

  kDraining = 0x40,           // the server is going away
  kOverloaded = 0x41,
  kRateLimited = 0x42,
  kClosedByUser = 0x43,       // the application ended the session
};

// The name in the registry, such as "FRAME_TRUNCATED"; "UNKNOWN" for a number it does not have.
std::string_view name(ErrorCode code);
// What whoever meets it should do, one sentence for a human.
std::string_view advice(ErrorCode code);

// The peer's fault: closes the session with the code on the wire.
struct ProtocolError {
  ErrorCode code = ErrorCode::kInternal;
  std::string_view where;  // a literal: the frame or rule that was broken
  bool operator==(const ProtocolError&) const = default;
};

// What a user of the library gets: what happened, and a sentence that says what to do.
enum class ErrorKind : std::uint8_t {
  kArgument,    // the caller's: fix the call
  kBusy,        // no room now: on_ready() tells when
  kTooLarge,    // above message_size_max
  kIo,          // the world's: file, socket, address
  kUnreachable, // nobody answered
  kRefused,     // certificate, token, version or permission
  kClosed,      // the session has ended
  kTimeout,
  kProtocol,    // the peer broke the protocol
};

struct Error {
  ErrorKind kind = ErrorKind::kIo;
  ErrorCode code = ErrorCode::kNone;  // when the peer stated one
  std::string text;                   // one line, no newline at its end
};

}  // namespace orzatty
