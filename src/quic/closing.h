// How a connection ends: the close packet, the time in which it is repeated for a peer that did not
// get it, and the time in which late packets of the peer are still expected (RFC 9000, section 10).
#pragma once

#include <ngtcp2/ngtcp2.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "orzatty/bytes.h"

namespace orzatty::quic {

enum class ClosedBy : std::uint8_t { kApplication, kTransport };

// Stays where it is: what ngtcp2 is given points into it.
class Closing {
 public:
  Closing() = default;
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

  static constexpr std::size_t kTextSizeMax = 256;  // fits the smallest packet with room to spare

  [[nodiscard]] bool open() const { return phase_ == Phase::kOpen; }
  [[nodiscard]] bool gone() const { return phase_ == Phase::kGone; }
  // What had to be said was said, if only once.
  [[nodiscard]] bool said() const { return phase_ > Phase::kToSend; }
  [[nodiscard]] std::optional<std::uint64_t> deadline() const;

  // The next write() makes the packet.
  void begin(ClosedBy by, std::uint64_t code, std::string text);
  void drain(std::uint64_t deadline);
  void end() { phase_ = Phase::kGone; }
  void handle_datagram();
  void handle_timeout(std::uint64_t now);

  // Size of the packet in `out`, 0 when there is none to send.
  std::size_t write(ngtcp2_conn* connection, ngtcp2_path* path, std::span<std::byte> out,
                    std::uint64_t now);

 private:
  enum class Phase : std::uint8_t {
    kOpen,
    kToSend,
    kSent,
    kDraining,
    kGone,
  };
  std::size_t write_first(ngtcp2_conn* connection, ngtcp2_path* path, std::span<std::byte> out,
                          std::uint64_t now);

  Phase phase_ = Phase::kOpen;
  ngtcp2_ccerr error_{};
  std::string text_;  // `error_` points into it
  Bytes packet_;
  std::uint64_t deadline_ = 0;
  std::uint32_t datagram_count_ = 0;
  bool repeat_ = false;
};

// Cuts a text of UTF-8 at a character.
std::string cut_text(std::string_view text, std::size_t size_max);

}  // namespace orzatty::quic
