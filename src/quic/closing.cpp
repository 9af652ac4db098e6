#include "quic/closing.h"

#include <algorithm>
#include <bit>

namespace orzatty::quic {
namespace {

// RFC 9000, section 10.2: at least three times the probe timeout.
std::uint64_t closing_time(ngtcp2_conn* connection) { return 3 * ngtcp2_conn_get_pto(connection); }

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

std::string cut_text(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return std::string(text);
  std::size_t size = size_max;
  while (size > 0 && continues_character(text[size])) --size;
  return std::string(text.substr(0, size));
}

std::optional<std::uint64_t> Closing::deadline() const {
  if (phase_ != Phase::kSent && phase_ != Phase::kDraining) return {};
  return deadline_;
}

void Closing::begin(ClosedBy by, std::uint64_t code, std::string text) {
  phase_ = Phase::kToSend;
  text_ = cut_text(text, kTextSizeMax);
  const auto* reason = reinterpret_cast<const std::uint8_t*>(text_.data());
  if (by == ClosedBy::kApplication) {
    ngtcp2_ccerr_set_application_error(&error_, code, reason, text_.size());
  } else {
    ngtcp2_ccerr_set_transport_error(&error_, code, reason, text_.size());
  }
}

void Closing::drain(std::uint64_t deadline) {
  phase_ = Phase::kDraining;
  deadline_ = deadline;
}

// The 1st, 2nd, 4th, 8th... datagram after ours is answered by the close packet again, so that two
// closing ends cannot keep each other busy.
void Closing::handle_datagram() {
  if (phase_ == Phase::kSent) repeat_ = std::has_single_bit(++datagram_count_);
}

void Closing::handle_timeout(std::uint64_t now) {
  if (deadline() && now >= deadline_) end();
}

std::size_t Closing::write(ngtcp2_conn* connection, ngtcp2_path* path, std::span<std::byte> out,
                           std::uint64_t now) {
  if (phase_ == Phase::kToSend) return write_first(connection, path, out, now);
  if (phase_ != Phase::kSent || !repeat_ || packet_.size() > out.size()) return 0;
  repeat_ = false;
  ngtcp2_path_copy(path, ngtcp2_conn_get_path(connection));
  std::ranges::copy(packet_, out.begin());
  return packet_.size();
}

std::size_t Closing::write_first(ngtcp2_conn* connection, ngtcp2_path* path,
                                 std::span<std::byte> out, std::uint64_t now) {
  const ngtcp2_ssize size = ngtcp2_conn_write_connection_close(
      connection, path, nullptr, reinterpret_cast<std::uint8_t*>(out.data()), out.size(), &error_,
      now);
  if (size <= 0) {  // no keys yet, or an unvalidated address may get no more: silence it is
    end();
    return 0;
  }
  phase_ = Phase::kSent;
  deadline_ = now + closing_time(connection);
  const auto packet = out.first(static_cast<std::size_t>(size));
  packet_.assign(packet.begin(), packet.end());
  return packet.size();
}

}  // namespace orzatty::quic
