// Who is let in, who is refused, and what each side is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quic/connection_state.h"
#include "quic/two_ends.h"

namespace orzatty::quic::test {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kAlertBase = 0x100;

struct Outcome {
  Closed client;
  Closed server;
};

// Whoever encrypts packets at the two ends.
struct Protections {
  std::string_view name;
  PacketProtection client;
  PacketProtection server;
};

class Handshake : public ::testing::TestWithParam<Protections> {
 protected:
  static WorldConfig served(WorldConfig config = {}) {
    config.server.connection.packet_protection = GetParam().server;
    return config;
  }
  static ConnectionConfig wanted(ConnectionConfig config = {}) {
    config.packet_protection = GetParam().client;
    return config;
  }
  static Outcome refused(const SelfSigned& certificate,
                         const std::shared_ptr<const ClientCredentials>& trust,
                         const std::string& server_name = "localhost",
                         const ConnectionConfig& config = {});
  static bool completes(const SelfSigned& certificate,
                        const std::shared_ptr<const ClientCredentials>& trust,
                        const std::string& server_name);
};

INSTANTIATE_TEST_SUITE_P(
    By, Handshake,
    ::testing::Values(
        Protections{"FastestAtBoth", PacketProtection::kFastest, PacketProtection::kFastest},
        Protections{"GnutlsAtBoth", PacketProtection::kGnutls, PacketProtection::kGnutls},
        Protections{"GnutlsAtTheClient", PacketProtection::kGnutls, PacketProtection::kFastest},
        Protections{"GnutlsAtTheServer", PacketProtection::kFastest, PacketProtection::kGnutls}),
    [](const auto& ends) { return std::string(ends.param.name); });

// A handshake that is expected to be refused.
Outcome Handshake::refused(const SelfSigned& certificate,
                           const std::shared_ptr<const ClientCredentials>& trust,
                           const std::string& server_name, const ConnectionConfig& config) {
  World world(served(), server_credentials(certificate));
  End& client = world.connect(wanted(config), trust, server_name);
  world.run_until([&] { return client.connection().closed() && world.endpoint.size() == 0; });
  EXPECT_FALSE(client.has<HandshakeCompleted>());
  EXPECT_EQ(world.accepted_count(), 1U);
  EXPECT_EQ(world.endpoint.size(), 0U);
  return {client.closed(), world.server().closed()};
}

bool Handshake::completes(const SelfSigned& certificate,
                          const std::shared_ptr<const ClientCredentials>& trust,
                          const std::string& server_name) {
  World world(served(), server_credentials(certificate));
  End& client = world.connect(wanted(), trust, server_name);
  return world.run_until([&] {
    return client.has<HandshakeCompleted>() && world.accepted_count() == 1 &&
           world.server().has<HandshakeCompleted>();
  });
}

// spec: TRANSPORT-3
TEST_P(Handshake, ACertificateOfATrustedAuthorityIsAcceptedUnderEachOfItsNames) {
  const SelfSigned certificate = self_signed();

  EXPECT_TRUE(completes(certificate, trusting(certificate), "localhost"));
  EXPECT_TRUE(completes(certificate, trusting(certificate), "127.0.0.1"));
  EXPECT_TRUE(completes(certificate, trusting(certificate), "::1"));
}

TEST_P(Handshake, APinnedCertificateIsAcceptedWhateverItsNamesAndDates) {
  const SelfSigned expired = self_signed({.unix_time = 1'000'000'000});

  EXPECT_TRUE(completes(expired, pinning(expired), "elsewhere.example"));
}

TEST_P(Handshake, WhoTrustsAnyoneAcceptsAnUnknownCertificate) {
  EXPECT_TRUE(completes(self_signed(), trusting_anyone(), "elsewhere.example"));
}

// spec: TRANSPORT-3
TEST_P(Handshake, AnotherPinIsRefusedAndBothSidesAreTold) {
  const Outcome outcome = refused(self_signed(), pinning(self_signed()));

  EXPECT_EQ(outcome.client.origin, CloseOrigin::kCertificate);
  EXPECT_THAT(outcome.client.text, HasSubstr("pin does not match"));
  EXPECT_EQ(outcome.server.origin, CloseOrigin::kCertificate);
  EXPECT_EQ(outcome.server.code, kAlertBase + 42);
  EXPECT_THAT(outcome.server.text, HasSubstr("pin does not match"));
}

TEST_P(Handshake, ASelfSignedCertificateOfNobodyKnownIsRefusedAndBothSidesAreTold) {
  const Outcome outcome = refused(self_signed(), trusting(self_signed()));

  EXPECT_EQ(outcome.client.origin, CloseOrigin::kCertificate);
  EXPECT_THAT(outcome.client.text, HasSubstr("self-signed"));
  EXPECT_EQ(outcome.server.origin, CloseOrigin::kCertificate);
  EXPECT_EQ(outcome.server.code, kAlertBase + 48);
}

TEST_P(Handshake, AWrongNameIsRefusedAndBothSidesAreTold) {
  const SelfSigned certificate = self_signed();

  const Outcome host = refused(certificate, trusting(certificate), "example.org");
  const Outcome address = refused(certificate, trusting(certificate), "127.0.0.2");

  EXPECT_EQ(host.client.origin, CloseOrigin::kCertificate);
  EXPECT_THAT(host.client.text, HasSubstr("name does not match example.org"));
  EXPECT_EQ(host.server.origin, CloseOrigin::kCertificate);
  EXPECT_EQ(address.client.origin, CloseOrigin::kCertificate);
  EXPECT_THAT(address.client.text, HasSubstr("name does not match 127.0.0.2"));
}

TEST_P(Handshake, AnExpiredCertificateIsRefusedAndBothSidesAreTold) {
  const SelfSigned expired = self_signed({.unix_time = 1'000'000'000});

  const Outcome outcome = refused(expired, trusting(expired));

  EXPECT_EQ(outcome.client.origin, CloseOrigin::kCertificate);
  EXPECT_THAT(outcome.client.text, HasSubstr("expired"));
  EXPECT_EQ(outcome.server.origin, CloseOrigin::kCertificate);
  EXPECT_EQ(outcome.server.code, kAlertBase + 45);
}

TEST_P(Handshake, ACertificateOfTomorrowIsRefused) {
  const SelfSigned early = self_signed({.unix_time = 1'800'086'400});

  const Outcome outcome = refused(early, trusting(early));

  EXPECT_EQ(outcome.client.origin, CloseOrigin::kCertificate);
  EXPECT_THAT(outcome.client.text, HasSubstr("not valid yet"));
}

// spec: TRANSPORT-1
TEST_P(Handshake, AnotherApplicationProtocolIsRefusedAndBothSidesAreTold) {
  const SelfSigned certificate = self_signed();

  for (const char* protocol : {"h3", "orzatty/2", ""}) {
    const Outcome outcome = refused(certificate, trusting(certificate), "localhost",
                                    {.application_protocol = protocol});

    EXPECT_EQ(outcome.client.origin, CloseOrigin::kAlpn) << protocol;
    EXPECT_EQ(outcome.client.code, kAlertBase + 120) << protocol;
    EXPECT_EQ(outcome.server.origin, CloseOrigin::kAlpn) << protocol;
  }
}

TEST_P(Handshake, AServerThatNeverAnswersEndsInAHandshakeTimeout) {
  World world(served(), server_credentials(self_signed()));
  world.server_answers = false;
  End& client = world.connect(wanted({.handshake_timeout = 3s}), trusting_anyone());
  const Instant begin = world.now;

  ASSERT_TRUE(world.run_until([&] { return client.connection().closed(); }));

  EXPECT_EQ(client.closed().origin, CloseOrigin::kHandshakeTimeout);
  EXPECT_EQ(world.now - begin, 3s);
  EXPECT_FALSE(client.connection().next_timeout().has_value());
}

TEST_P(Handshake, AClientThatFallsSilentIsForgottenByTheServer) {
  World world(served(), server_credentials(self_signed()));
  world.connect(wanted(), trusting_anyone());
  world.run_until([&] { return world.accepted_count() == 1; });
  world.link.loss = 1;

  ASSERT_TRUE(world.run_until([&] { return world.endpoint.size() == 0; }));

  EXPECT_EQ(world.server().closed().origin, CloseOrigin::kHandshakeTimeout);
}

TEST_P(Handshake, UnderLoadASilentClientIsForgottenAfterFiveSeconds) {
  World world(served({.server = {.retry_above_half_open = 0}}), server_credentials(self_signed()));
  world.connect(wanted(), trusting_anyone());
  world.run_until([&] { return world.accepted_count() == 1; });
  const Instant begin = world.now;
  world.link.loss = 1;

  ASSERT_TRUE(world.run_until([&] { return world.endpoint.size() == 0; }));

  EXPECT_EQ(world.now - begin, 5s);
}

TEST_P(Handshake, NewCredentialsServeNewConnectionsAndOldOnesGoOn) {
  const SelfSigned old_certificate = self_signed();
  const SelfSigned new_certificate = self_signed();
  World world(served(), server_credentials(old_certificate));
  End& early = world.connect(wanted(), pinning(old_certificate));
  ASSERT_TRUE(world.run_until([&] { return early.has<HandshakeCompleted>(); }));

  world.endpoint.replace_credentials(server_credentials(new_certificate));
  End& late = world.connect(wanted(), pinning(new_certificate), "localhost",
                            *base::Address::parse("198.51.100.8:50000"));

  ASSERT_TRUE(world.run_until([&] { return late.has<HandshakeCompleted>(); }));
  EXPECT_FALSE(early.connection().closed());
}

TEST_P(Handshake, ThreeOfTenPacketsLostOnlySlowItDown) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(served({.link = {.loss = 0.3}, .seed = seed}), server_credentials(self_signed()));
    End& client = world.connect(wanted({.handshake_timeout = 60s}), trusting_anyone());

    EXPECT_TRUE(world.run_until([&] { return client.has<HandshakeCompleted>(); })) << seed;
  }
}

TEST_P(Handshake, TheTlsSessionIsFreedOnceItIsDoneAndKeysCanStillBeUpdated) {
  EndpointConfig server;
  server.connection.uni_stream_count = 10;
  World world(served({.server = server}), server_credentials(self_signed()));
  End& client = world.connect(wanted(), trusting_anyone());
  ASSERT_TRUE(world.run_until([&] { return client.has<HandshakeCompleted>(); }));
  world.run_for(1s);
  ASSERT_EQ(client.connection().state().tls, nullptr);
  ASSERT_EQ(world.server().connection().state().tls, nullptr);

  const auto exchange = [&] {
    const StreamId stream = client.open(StreamKind::kUnidirectional);
    client.send(stream, "whatever the keys are", Fin::kYes);
    world.run_until([&] { return world.server().finished.contains(stream); });
    world.run_for(5s);  // old keys are dropped
    return world.server().received[stream] == "whatever the keys are";
  };
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(exchange());  // confirms the last update
    ASSERT_TRUE(exchange());  // prepares the next
    ConnectionState& state = client.connection().state();
    ASSERT_EQ(ngtcp2_conn_initiate_key_update(state.native(), state.advance(world.now)), 0);
  }
  EXPECT_TRUE(exchange());
}

}  // namespace
}  // namespace orzatty::quic::test
