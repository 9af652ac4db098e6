#include "development.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "encoding.h"
#include "net/entropy.h"
#include "quic/credentials.h"

namespace orzatty::apps {
namespace {

constexpr std::int64_t kRenewBefore = 24 * 60 * 60;  // seconds: a server runs on for a while

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool is_due(const Certificate& certificate, std::int64_t unix_time) {
  const auto facts = quic::read_certificate(certificate.chain_pem);
  return !facts || facts->not_after - unix_time < kRenewBefore;
}

Result<Certificate> certificate_in(const StateFolder& folder, std::int64_t unix_time) {
  if (!is_there(folder.certificate()) || !is_there(folder.key())) return make_certificate(folder);
  auto certificate = load_certificate(folder);
  if (!certificate || !is_due(*certificate, unix_time)) return certificate;
  return make_certificate(folder);
}

// Made when it is missing.
Result<std::string> secret_in(const std::filesystem::path& path) {
  if (is_there(path)) return read_secret(path);
  std::string secret = make_token();
  if (auto written = write_secret(path, secret + "\n"); !written) {
    return std::unexpected(written.error());
  }
  return secret;
}

}  // namespace

std::string make_token() {
  std::array<std::byte, 32> bytes{};
  net::entropy(bytes);
  return hex(bytes);
}

Result<Certificate> load_certificate(const StateFolder& folder) {
  auto certificate = Certificate::load(folder.certificate().string(), folder.key().string());
  if (!certificate) return failure(ExitCode::kFailed, certificate.error().text);
  return std::move(*certificate);
}

Result<Certificate> make_certificate(const StateFolder& folder) {
  auto certificate = Certificate::self_signed();
  if (!certificate) return failure(ExitCode::kFailed, certificate.error().text);
  // At no moment does a certificate stand beside another's key, which nothing would repair by
  // itself.
  std::error_code error;
  std::filesystem::remove(folder.certificate(), error);
  auto written = write_secret(folder.key(), certificate->key_pem);
  if (written) written = write_secret(folder.certificate(), certificate->chain_pem);
  if (!written) return std::unexpected(written.error());
  return std::move(*certificate);
}

Result<Development> prepare_development(const StateFolder& folder, std::int64_t unix_time) {
  if (auto made = folder.make(); !made) return std::unexpected(made.error());
  auto certificate = certificate_in(folder, unix_time);
  if (!certificate) return std::unexpected(certificate.error());
  auto pin = certificate->pin();
  if (!pin) return failure(ExitCode::kFailed, pin.error().text);
  auto token = secret_in(folder.token());
  if (!token) return std::unexpected(token.error());
  auto secret = secret_in(folder.secret());
  if (!secret) return std::unexpected(secret.error());
  return Development{std::move(*certificate), std::move(*pin), std::move(*token),
                     std::move(*secret)};
}

}  // namespace orzatty::apps
