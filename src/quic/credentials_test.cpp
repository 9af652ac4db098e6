#include "quic/credentials.h"

#include <gmock/gmock.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gtest/gtest.h>

#include "quic/native_credentials.h"

namespace orzatty::quic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1'800'000'000;

std::string export_of(gnutls_x509_crt_t certificate) {
  gnutls_datum_t pem{};
  gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem);
  std::string text(reinterpret_cast<const char*>(pem.data), pem.size);
  gnutls_free(pem.data);
  return text;
}

std::string export_of(gnutls_x509_privkey_t key) {
  gnutls_datum_t pem{};
  gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN, &pem);
  std::string text(reinterpret_cast<const char*>(pem.data), pem.size);
  gnutls_free(pem.data);
  return text;
}

// A certificate with a key of any kind.
SelfSigned certificate_with(gnutls_pk_algorithm_t algorithm, unsigned int bits) {
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t certificate = nullptr;
  gnutls_x509_privkey_init(&key);
  gnutls_x509_privkey_generate(key, algorithm, bits, 0);
  gnutls_x509_crt_init(&certificate);
  gnutls_x509_crt_set_version(certificate, 3);
  gnutls_x509_crt_set_serial(certificate, "\1", 1);
  gnutls_x509_crt_set_activation_time(certificate, kNow);
  gnutls_x509_crt_set_expiration_time(certificate, kNow + 1000);
  gnutls_x509_crt_set_key(certificate, key);
  const auto digest = algorithm == GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256;
  gnutls_x509_crt_sign2(certificate, certificate, key, digest, 0);
  SelfSigned result{export_of(certificate), export_of(key)};
  gnutls_x509_crt_deinit(certificate);
  gnutls_x509_privkey_deinit(key);
  return result;
}

std::string refusal(const SelfSigned& certificate) {
  const auto made =
      ServerCredentials::from_pem(certificate.certificate_pem, certificate.private_key_pem);
  return made ? "accepted" : made.error().text;
}

TEST(Credentials, RsaIsRefusedWithTheReasonAndWhatToUseInstead) {
  const std::string text = refusal(certificate_with(GNUTLS_PK_RSA, 2048));

  EXPECT_THAT(text, HasSubstr("RSA"));
  EXPECT_THAT(text, HasSubstr("use ECDSA P-256 or Ed25519"));
}

TEST(Credentials, TheTwoFastKindsOfKeysAreAcceptedAndALargerCurveIsNot) {
  EXPECT_EQ(
      refusal(certificate_with(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1))),
      "accepted");
  EXPECT_EQ(refusal(certificate_with(GNUTLS_PK_EDDSA_ED25519, 256)), "accepted");
  EXPECT_THAT(
      refusal(certificate_with(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1))),
      HasSubstr("ECDSA P-384"));
}

// spec: TRANSPORT-2
TEST(Credentials, NothingButTls13IsOffered) {
  const auto client = ClientCredentials::make({.kind = Trust::Kind::kAnyone, .authorities_pem = {}, .pins = {}});
  ASSERT_TRUE(client.has_value());

  const unsigned int* versions = nullptr;
  const int count = gnutls_priority_protocol_list((*client)->native().priority(), &versions);

  ASSERT_EQ(count, 1);
  EXPECT_EQ(versions[0], static_cast<unsigned int>(GNUTLS_TLS1_3));
}

TEST(Credentials, AKeyThatIsNotTheCertificatesIsRefused) {
  const auto one = make_self_signed({.unix_time = kNow});
  const auto other = make_self_signed({.unix_time = kNow});
  ASSERT_TRUE(one && other);

  EXPECT_THAT(refusal({one->certificate_pem, other->private_key_pem}),
              HasSubstr("does not belong"));
}

TEST(Credentials, TextThatIsNoCertificateOrKeyIsRefused) {
  const auto good = make_self_signed({.unix_time = kNow});
  ASSERT_TRUE(good);

  EXPECT_THAT(refusal({"", ""}), HasSubstr("not a certificate"));
  EXPECT_THAT(refusal({"nonsense", good->private_key_pem}), HasSubstr("not a certificate"));
  EXPECT_THAT(refusal({good->certificate_pem, "nonsense"}), HasSubstr("private key"));
}

TEST(Credentials, TrustWithoutAnythingToTrustIsRefused) {
  EXPECT_FALSE(ClientCredentials::make(
      {.kind = Trust::Kind::kAuthorities, .authorities_pem = "nonsense", .pins = {}}));
  EXPECT_FALSE(
      ClientCredentials::make({.kind = Trust::Kind::kPin, .authorities_pem = {}, .pins = {}}));
}

TEST(Certificate, ASelfSignedOneHoldsWhatWasAskedFor) {
  const auto made = make_self_signed({.dns_names = {"chat.example", "localhost"},
                                      .ip_addresses = {"192.0.2.7", "2001:db8::7"},
                                      .days = 10,
                                      .unix_time = kNow});
  ASSERT_TRUE(made);

  const auto facts = read_certificate(made->certificate_pem);

  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "CN=chat.example");
  EXPECT_THAT(facts->names, ElementsAre("chat.example", "localhost", "192.0.2.7", "2001:db8::7"));
  EXPECT_EQ(facts->key_algorithm, "ECDSA P-256");
  EXPECT_EQ(facts->not_before, kNow - 3600);
  EXPECT_EQ(facts->not_after, kNow - 3600 + 10 * 86400);
  EXPECT_NE(facts->fingerprint, Fingerprint{});
}

TEST(Certificate, TwoOfTheSameNamesAreDifferent) {
  const auto one = make_self_signed({.unix_time = kNow});
  const auto other = make_self_signed({.unix_time = kNow});
  ASSERT_TRUE(one && other);

  EXPECT_NE(read_certificate(one->certificate_pem)->fingerprint,
            read_certificate(other->certificate_pem)->fingerprint);
}

TEST(Certificate, NamesThatCannotBeAreRefused) {
  EXPECT_FALSE(make_self_signed({.ip_addresses = {"300.0.0.1"}, .unix_time = kNow}));
  EXPECT_FALSE(make_self_signed({.dns_names = {}, .ip_addresses = {}, .unix_time = kNow}));
}

TEST(Fingerprint, IsPrintedInHexAndReadWithOrWithoutColons) {
  Fingerprint fingerprint{};
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    fingerprint[i] = static_cast<std::byte>(i * 8 + 7);
  }
  const std::string text = hex(fingerprint);
  std::string with_colons;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    with_colons += (i > 0 ? ":" : "") + text.substr(i, 2);
  }

  EXPECT_EQ(text.substr(0, 6), "070f17");
  EXPECT_EQ(parse_fingerprint(text), fingerprint);
  EXPECT_EQ(parse_fingerprint(with_colons), fingerprint);
  EXPECT_EQ(parse_fingerprint("0" + text.substr(1)), fingerprint);
}

TEST(Fingerprint, TextOfAnotherShapeIsNone) {
  const std::string text = hex(Fingerprint{});

  EXPECT_FALSE(parse_fingerprint(""));
  EXPECT_FALSE(parse_fingerprint(text.substr(1)));
  EXPECT_FALSE(parse_fingerprint(text + "0"));
  EXPECT_FALSE(parse_fingerprint(text + "00"));
  EXPECT_FALSE(parse_fingerprint("g" + text.substr(1)));
  EXPECT_FALSE(parse_fingerprint(":" + text));
}

}  // namespace
}  // namespace orzatty::quic
