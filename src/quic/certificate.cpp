// Making and reading certificates.
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <cctype>
#include <cstring>
#include <ctime>

#include "base/address.h"
#include "base/assert.h"
#include "orzatty/bytes.h"
#include "quic/credentials.h"

namespace orzatty::quic {
namespace {

struct CertificateDeleter {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
struct KeyDeleter {
  void operator()(gnutls_x509_privkey_t key) const { gnutls_x509_privkey_deinit(key); }
};
using Certificate = std::unique_ptr<gnutls_x509_crt_int, CertificateDeleter>;
using Key = std::unique_ptr<gnutls_x509_privkey_int, KeyDeleter>;

Certificate new_certificate() {
  gnutls_x509_crt_t certificate = nullptr;
  ORZATTY_ASSERT(gnutls_x509_crt_init(&certificate) == 0);
  return Certificate(certificate);
}

Key new_key() {
  gnutls_x509_privkey_t key = nullptr;
  ORZATTY_ASSERT(gnutls_x509_privkey_init(&key) == 0);
  return Key(key);
}

std::unexpected<Error> failed(std::string text) {
  return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNone, std::move(text)});
}

std::string take_text(gnutls_datum_t& datum) {
  std::string text(reinterpret_cast<const char*>(datum.data), datum.size);
  gnutls_free(datum.data);
  return text;
}

// The address without its port, as a certificate holds it.
std::optional<BytesView> ip_bytes(const std::string& text, std::optional<base::Address>& address) {
  const bool ipv6 = text.find(':') != std::string::npos;
  address = base::Address::parse((ipv6 ? "[" + text + "]" : text) + ":0");
  if (!address) return {};
  return BytesView(address->ip).first(ipv6 ? 16 : 4);
}

std::expected<void, Error> add_names(gnutls_x509_crt_t certificate,
                                     const SelfSignedOptions& options) {
  for (const std::string& name : options.dns_names) {
    if (gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name.data(),
                                             static_cast<unsigned int>(name.size()),
                                             GNUTLS_FSAN_APPEND) < 0) {
      return failed("a certificate cannot have the name " + name);
    }
  }
  for (const std::string& text : options.ip_addresses) {
    std::optional<base::Address> address;
    const auto ip = ip_bytes(text, address);
    if (!ip) return failed(text + " is not an IP address");
    ORZATTY_ASSERT(gnutls_x509_crt_set_subject_alt_name(
                       certificate, GNUTLS_SAN_IPADDRESS, ip->data(),
                       static_cast<unsigned int>(ip->size()), GNUTLS_FSAN_APPEND) == 0);
  }
  return {};
}

void set_dates(gnutls_x509_crt_t certificate, const SelfSignedOptions& options) {
  constexpr std::int64_t kHour = 3600;  // clocks of two machines differ
  const auto begin = static_cast<time_t>(options.unix_time - kHour);
  gnutls_x509_crt_set_activation_time(certificate, begin);
  gnutls_x509_crt_set_expiration_time(certificate, begin + time_t{24 * kHour} * options.days);
}

void set_serial(gnutls_x509_crt_t certificate) {
  std::array<unsigned char, 16> serial{};
  ORZATTY_ASSERT(gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()) == 0);
  serial[0] = static_cast<unsigned char>((serial[0] & 0x3f) | 0x40);  // positive, always 16 bytes
  gnutls_x509_crt_set_serial(certificate, serial.data(), serial.size());
}

std::string key_algorithm(gnutls_x509_crt_t certificate) {
  unsigned int bits = 0;
  const int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
  if (algorithm == GNUTLS_PK_EDDSA_ED25519) return "Ed25519";
  if (algorithm == GNUTLS_PK_ECDSA) return "ECDSA P-" + std::to_string(bits);
  const char* name = gnutls_pk_get_name(static_cast<gnutls_pk_algorithm_t>(algorithm));
  return name != nullptr ? name : "unknown";
}

std::vector<std::string> alternative_names(gnutls_x509_crt_t certificate) {
  std::vector<std::string> names;
  for (unsigned int i = 0;; ++i) {
    std::array<char, 256> buffer{};
    std::size_t size = buffer.size();
    const int kind =
        gnutls_x509_crt_get_subject_alt_name(certificate, i, buffer.data(), &size, nullptr);
    if (kind == GNUTLS_E_SHORT_MEMORY_BUFFER) continue;
    if (kind < 0) return names;
    if (kind == GNUTLS_SAN_DNSNAME) names.emplace_back(buffer.data(), size);
    if (kind == GNUTLS_SAN_IPADDRESS && (size == 4 || size == 16)) {
      base::Address address;
      address.family = size == 4 ? base::Address::Family::kIpv4 : base::Address::Family::kIpv6;
      std::memcpy(address.ip.data(), buffer.data(), size);
      std::string text = address.text();
      text.resize(text.rfind(':'));
      names.push_back(size == 4 ? text : text.substr(1, text.size() - 2));
    }
  }
}

// Zero for what is not a hexadecimal digit is never seen: the caller has checked.
unsigned int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned int>(digit - '0');
  return static_cast<unsigned int>(std::tolower(static_cast<unsigned char>(digit)) - 'a') + 10U;
}

}  // namespace

std::expected<SelfSigned, Error> make_self_signed(const SelfSignedOptions& options) {
  if (options.dns_names.empty() && options.ip_addresses.empty()) {
    return failed("a certificate needs at least one name or IP address");
  }
  Key key = new_key();
  Certificate certificate = new_certificate();
  if (gnutls_x509_privkey_generate(key.get(), GNUTLS_PK_ECDSA,
                                   GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0) {
    return failed("cannot generate a P-256 key");
  }
  const std::string& subject =
      options.dns_names.empty() ? options.ip_addresses.front() : options.dns_names.front();
  gnutls_x509_crt_set_version(certificate.get(), 3);
  set_serial(certificate.get());
  set_dates(certificate.get(), options);
  gnutls_x509_crt_set_key(certificate.get(), key.get());
  if (gnutls_x509_crt_set_dn_by_oid(certificate.get(), GNUTLS_OID_X520_COMMON_NAME, 0,
                                    subject.data(),
                                    static_cast<unsigned int>(subject.size())) < 0) {
    return failed("a certificate cannot have the subject " + subject);
  }
  if (auto named = add_names(certificate.get(), options); !named) {
    return std::unexpected(named.error());
  }
  gnutls_x509_crt_set_basic_constraints(certificate.get(), 0, -1);
  gnutls_x509_crt_set_key_usage(certificate.get(), GNUTLS_KEY_DIGITAL_SIGNATURE);
  gnutls_x509_crt_set_key_purpose_oid(certificate.get(), GNUTLS_KP_TLS_WWW_SERVER, 0);
  if (gnutls_x509_crt_sign2(certificate.get(), certificate.get(), key.get(), GNUTLS_DIG_SHA256, 0) <
      0) {
    return failed("cannot sign the certificate");
  }
  gnutls_datum_t certificate_pem{};
  gnutls_datum_t key_pem{};
  ORZATTY_ASSERT(
      gnutls_x509_crt_export2(certificate.get(), GNUTLS_X509_FMT_PEM, &certificate_pem) == 0);
  ORZATTY_ASSERT(gnutls_x509_privkey_export2_pkcs8(key.get(), GNUTLS_X509_FMT_PEM, nullptr,
                                                   GNUTLS_PKCS_PLAIN, &key_pem) == 0);
  return SelfSigned{take_text(certificate_pem), take_text(key_pem)};
}

std::expected<CertificateFacts, Error> read_certificate(std::string_view pem) {
  Certificate certificate = new_certificate();
  // GnuTLS takes what it only reads as non-const.
  const gnutls_datum_t text{reinterpret_cast<unsigned char*>(const_cast<char*>(pem.data())),
                            static_cast<unsigned int>(pem.size())};
  const int error = gnutls_x509_crt_import(certificate.get(), &text, GNUTLS_X509_FMT_PEM);
  if (error < 0) {
    return failed(std::string("not a certificate in PEM form: ") + gnutls_strerror(error));
  }
  CertificateFacts facts;
  gnutls_datum_t subject{};
  if (gnutls_x509_crt_get_dn3(certificate.get(), &subject, 0) == 0) {
    facts.subject = take_text(subject);
  }
  facts.names = alternative_names(certificate.get());
  facts.key_algorithm = key_algorithm(certificate.get());
  facts.not_before = gnutls_x509_crt_get_activation_time(certificate.get());
  facts.not_after = gnutls_x509_crt_get_expiration_time(certificate.get());
  std::size_t size = facts.fingerprint.size();
  ORZATTY_ASSERT(gnutls_x509_crt_get_fingerprint(certificate.get(), GNUTLS_DIG_SHA256,
                                                 facts.fingerprint.data(), &size) == 0);
  return facts;
}

std::string hex(const Fingerprint& fingerprint) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * fingerprint.size());
  for (const std::byte byte : fingerprint) {
    text += kDigits[std::to_integer<std::size_t>(byte >> 4)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{0x0f})];
  }
  return text;
}

std::optional<Fingerprint> parse_fingerprint(std::string_view text) {
  Fingerprint fingerprint{};
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (i > 0 && !text.empty() && text.front() == ':') text.remove_prefix(1);
    if (text.size() < 2 || std::isxdigit(static_cast<unsigned char>(text[0])) == 0 ||
        std::isxdigit(static_cast<unsigned char>(text[1])) == 0) {
      return {};
    }
    fingerprint[i] = static_cast<std::byte>(hex_value(text[0]) << 4 | hex_value(text[1]));
    text.remove_prefix(2);
  }
  if (!text.empty()) return {};
  return fingerprint;
}

}  // namespace orzatty::quic
