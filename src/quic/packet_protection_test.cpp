// Which cipher and whose keys protect a connection's packets.
#include "quic/packet_protection.h"

#include <gtest/gtest.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "quic/connection_state.h"
#include "quic/two_ends.h"

namespace orzatty::quic::test {
namespace {

constexpr const char* kAes256 = "AES-256-GCM";
constexpr const char* kChaCha20 = "CHACHA20-POLY1305";

// What the client offers, from before its first packet.
void offer_only(End& client, const std::string& cipher) {
  auto* session = static_cast<gnutls_session_t>(
      ngtcp2_conn_get_tls_native_handle(client.connection().state().native()));
  const std::string priority = "NONE:+VERS-TLS1.3:+AEAD:+" + cipher +
                               ":+GROUP-X25519:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-EDDSA-ED25519"
                               ":+CTYPE-X509:%DISABLE_TLS13_COMPAT_MODE";
  ASSERT_EQ(gnutls_priority_set_direct(session, priority.c_str(), nullptr), 0);
}

EndpointConfig serving(PacketProtection protection) {
  EndpointConfig config;
  config.connection.packet_protection = protection;
  config.connection.uni_stream_count = 100;
  return config;
}

ConnectionConfig by(PacketProtection protection) {
  ConnectionConfig config;
  config.packet_protection = protection;
  return config;
}

bool exchange(World& world, End& client, const std::string& text) {
  if (!world.run_until([&] { return client.has<HandshakeCompleted>(); })) return false;
  const StreamId stream = client.open(StreamKind::kUnidirectional);
  client.send(stream, text, Fin::kYes);
  return world.run_until([&] { return world.server().finished.contains(stream); }) &&
         world.server().received[stream] == text;
}

const PacketKeys& keys_of(End& end) { return end.connection().state().keys; }

TEST(PacketProtection, IsIpsecMbsWhereThatIsAvailableUnlessGnutlsIsAskedFor) {
  EXPECT_EQ(name_of(PacketProtection::kGnutls), "GnuTLS");
  EXPECT_EQ(name_of(PacketProtection::kFastest), ipsec_mb::available() ? "ipsec-mb" : "GnuTLS");
}

TEST(PacketProtection, IsChosenByEachEndForItself) {
  World world({.server = serving(PacketProtection::kGnutls)}, server_credentials(self_signed()));
  End& client = world.connect(by(PacketProtection::kFastest), trusting_anyone());

  ASSERT_TRUE(world.run_until([&] { return client.has<HandshakeCompleted>(); }));

  EXPECT_EQ(keys_of(client).by_ipsec_mb(), ipsec_mb::available());
  EXPECT_FALSE(keys_of(world.server()).by_ipsec_mb());
}

TEST(PacketProtection, LongKeysServeTheHandshakeMessagesAndKeyUpdates) {
  for (const auto server : {PacketProtection::kFastest, PacketProtection::kGnutls}) {
    World world({.server = serving(server)}, server_credentials(self_signed()));
    End& client = world.connect(by(PacketProtection::kFastest), trusting_anyone());
    offer_only(client, kAes256);
    ASSERT_TRUE(exchange(world, client, "before"));
    EXPECT_EQ(keys_of(client).by_ipsec_mb(), ipsec_mb::available());

    world.run_for(5s);
    ConnectionState& state = client.connection().state();
    ASSERT_EQ(ngtcp2_conn_initiate_key_update(state.native(), state.advance(world.now)), 0);

    EXPECT_TRUE(exchange(world, client, "after"));
  }
}

TEST(PacketProtection, StaysWithGnutlsForChaCha20) {
  World world({.server = serving(PacketProtection::kFastest)}, server_credentials(self_signed()));
  End& client = world.connect(by(PacketProtection::kFastest), trusting_anyone());
  offer_only(client, kChaCha20);

  ASSERT_TRUE(exchange(world, client, "hello"));

  EXPECT_FALSE(keys_of(client).by_ipsec_mb());
  EXPECT_FALSE(keys_of(world.server()).by_ipsec_mb());
}

TEST(PacketProtection, KeysOfTheHandshakeAndOfOldUpdatesAreDropped) {
  if (!ipsec_mb::available()) GTEST_SKIP() << "GnuTLS holds its keys itself";
  World world({.server = serving(PacketProtection::kFastest)}, server_credentials(self_signed()));
  End& client = world.connect(by(PacketProtection::kFastest), trusting_anyone());

  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(exchange(world, client, "confirms the last update"));
    world.run_for(5s);
    ASSERT_TRUE(exchange(world, client, "prepares the next"));
    world.run_for(5s);
    // Each way a key in use, the next one, and one for headers.
    EXPECT_EQ(keys_of(client).count(), 6U);
    EXPECT_EQ(keys_of(world.server()).count(), 6U);
    ConnectionState& state = client.connection().state();
    ASSERT_EQ(ngtcp2_conn_initiate_key_update(state.native(), state.advance(world.now)), 0);
  }
}

// ngtcp2 wants the keys of the next update as soon as there is one.
TEST(PacketKeyTest, IsExpandedByTheFirstPacketThatNeedsItAndWipedThenAndWhenItGoes) {
  if (!ipsec_mb::available()) GTEST_SKIP() << "GnuTLS holds its keys itself";
  std::array<std::uint8_t, 32> secret;
  secret.fill(0x5a);
  alignas(PacketKey) std::array<std::uint8_t, sizeof(PacketKey)> memory{};
  const auto traces = [&] { return std::ranges::count(memory, 0x5a); };
  auto* key = std::construct_at(reinterpret_cast<PacketKey*>(memory.data()), secret);
  EXPECT_FALSE(key->is_expanded());
  EXPECT_GE(traces(), 32);
  std::destroy_at(key);
  EXPECT_LT(traces(), 8);

  key = std::construct_at(reinterpret_cast<PacketKey*>(memory.data()), secret);
  const ipsec_mb::GcmKey* const first = &key->expanded();
  EXPECT_TRUE(key->is_expanded());
  EXPECT_LT(traces(), 8);
  EXPECT_EQ(&key->expanded(), first);
  std::destroy_at(key);
}

TEST(PacketProtection, APacketThatWasChangedIsDroppedAndTheConnectionGoesOn) {
  for (const auto server : {PacketProtection::kFastest, PacketProtection::kGnutls}) {
    World world({.server = serving(server)}, server_credentials(self_signed()));
    End& client = world.connect(by(PacketProtection::kFastest), trusting_anyone());
    ASSERT_TRUE(exchange(world, client, "before"));

    world.link.damage = 0.3;
    EXPECT_TRUE(exchange(world, client, std::string(100'000, 'x')));

    EXPECT_GT(world.damaged_count, 5U);
    EXPECT_FALSE(client.connection().closed());
  }
}

TEST(PacketProtection, ItsCallbacksRefuseWhatIsTooShortAndNoncesOfAnotherSize) {
  if (!ipsec_mb::available()) GTEST_SKIP() << "GnuTLS's callbacks are ngtcp2's";
  World world({.server = serving(PacketProtection::kFastest)}, server_credentials(self_signed()));
  End& client = world.connect(by(PacketProtection::kFastest), trusting_anyone());
  ASSERT_TRUE(world.run_until([&] { return client.has<HandshakeCompleted>(); }));
  const ngtcp2_crypto_ctx& context =
      *ngtcp2_conn_get_crypto_ctx(client.connection().state().native());
  const std::array<std::uint8_t, 16> key{};
  PacketKey packet_key(key);
  const ngtcp2_crypto_aead_ctx handle{&packet_key};
  std::array<std::uint8_t, 64> bytes{};

  EXPECT_EQ(encrypt_packet(bytes.data(), &context.aead, &handle, bytes.data(), 10, key.data(), 12,
                           key.data(), 5),
            0);
  const auto decrypt = [&](std::size_t size, std::size_t nonce_size) {
    std::array<std::uint8_t, 64> out{};
    return decrypt_packet(out.data(), &context.aead, &handle, bytes.data(), size, key.data(),
                          nonce_size, key.data(), 5);
  };
  EXPECT_EQ(decrypt(26, 12), 0);
  EXPECT_EQ(decrypt(25, 12), NGTCP2_ERR_DECRYPT);
  EXPECT_EQ(decrypt(15, 12), NGTCP2_ERR_DECRYPT);
  EXPECT_EQ(decrypt(0, 12), NGTCP2_ERR_DECRYPT);
  EXPECT_EQ(decrypt(26, 11), NGTCP2_ERR_CALLBACK_FAILURE);
  EXPECT_EQ(encrypt_packet(bytes.data(), &context.aead, &handle, bytes.data(), 10, key.data(), 11,
                           key.data(), 5),
            NGTCP2_ERR_CALLBACK_FAILURE);
}

}  // namespace
}  // namespace orzatty::quic::test
