// ipsec-mb against published vectors, and against GnuTLS.
#include "quic/ipsec_mb.h"

#include <gnutls/crypto.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "base/prng.h"

namespace orzatty::quic::ipsec_mb {
namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer unhex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
  }
  return bytes;
}

Nonce nonce_of(const Buffer& bytes) { return Nonce(bytes.data(), kNonceSize); }

Buffer sealed(const Buffer& key, const Buffer& nonce, const Buffer& associated,
              const Buffer& plaintext) {
  Buffer out(plaintext.size() + kTagSize);
  GcmKey(key).seal(out.data(), plaintext, nonce_of(nonce), associated);
  return out;
}

bool opens(const Buffer& key, const Buffer& nonce, const Buffer& associated, const Buffer& bytes) {
  Buffer out(bytes.size());
  return GcmKey(key).open(out.data(), bytes, nonce_of(nonce), associated);
}

Buffer sealed_by_gnutls(const Buffer& key, const Buffer& nonce, const Buffer& associated,
                        const Buffer& plaintext) {
  const auto algorithm = key.size() == 16 ? GNUTLS_CIPHER_AES_128_GCM : GNUTLS_CIPHER_AES_256_GCM;
  Buffer copy = key;
  const gnutls_datum_t datum{copy.data(), static_cast<unsigned int>(copy.size())};
  gnutls_aead_cipher_hd_t cipher = nullptr;
  EXPECT_EQ(gnutls_aead_cipher_init(&cipher, algorithm, &datum), 0);
  Buffer out(plaintext.size() + kTagSize);
  std::size_t size = out.size();
  EXPECT_EQ(gnutls_aead_cipher_encrypt(cipher, nonce.data(), nonce.size(), associated.data(),
                                       associated.size(), kTagSize, plaintext.data(),
                                       plaintext.size(), out.data(), &size),
            0);
  gnutls_aead_cipher_deinit(cipher);
  EXPECT_EQ(size, out.size());
  return out;
}

Buffer mask(const Buffer& key, const Buffer& sample) {
  Buffer out(kMaskSize);
  BlockKey(key).mask(out.data(), sample.data());
  return out;
}

// Of one message; the two sizes of keys take turns, among whole blocks too.
struct Random {
  Buffer key;
  Buffer nonce;
  Buffer associated;
  Buffer plaintext;

  Random(base::Prng& prng, std::size_t size) {
    const auto bytes = [&prng](std::size_t count) {
      Buffer result(count);
      for (auto& byte : result) byte = static_cast<std::uint8_t>(prng.next());
      return result;
    };
    key = bytes((size / 16 + size) % 2 == 0 ? 16 : 32);
    nonce = bytes(kNonceSize);
    associated = bytes(prng.next() % 64);
    plaintext = bytes(size);
  }
};

class IpsecMb : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!available()) GTEST_SKIP() << "not in this build, or nothing for this processor";
  }
};

// RFC 9001, appendix A.3: a server's Initial packet.
TEST_F(IpsecMb, ProtectsThePacketOfTheStandardAsItSays) {
  const Buffer key = unhex("cf3a5331653c364c88f0f379b6067e37");
  const Buffer nonce = unhex("0ac1493ca1905853b0bba03f");  // of packet number 1
  const Buffer header = unhex("c1000000010008f067a5502a4262b50040750001");
  const Buffer frames = unhex(
      "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a04"
      "5a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32b"
      "b9da1a002b00020304");

  const Buffer packet = sealed(key, nonce, header, frames);

  EXPECT_EQ(
      packet,
      unhex("5a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a18"
            "39b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795"
            "d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee"));
}

// RFC 9001, appendices A.2 and A.3.
TEST_F(IpsecMb, MasksHeadersAsTheStandardSays) {
  EXPECT_EQ(
      mask(unhex("9f50449e04a0e810283a1e9933adedd2"), unhex("d1b1c98dd7689fb8ec11d242b123dc9b")),
      unhex("437b9aec36"));
  EXPECT_EQ(
      mask(unhex("c206b8d9b9f0f37644430b490eeaa314"), unhex("2cd0991cd25b0aac406a5816b6394100")),
      unhex("2ec0d8356a"));
}

// FIPS 197, appendix C.3.
TEST_F(IpsecMb, MasksHeadersByLongKeysToo) {
  EXPECT_EQ(mask(unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                 unhex("00112233445566778899aabbccddeeff")),
            unhex("8ea2b7ca51"));
}

// The specification of GCM submitted to NIST, test cases 4 and 16.
TEST_F(IpsecMb, EncryptsTheVectorsOfGcm) {
  const Buffer nonce = unhex("cafebabefacedbaddecaf888");
  const Buffer associated = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Buffer plaintext = unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
      "a6b525b16aedf5aa0de657ba637b39");

  EXPECT_EQ(sealed(unhex("feffe9928665731c6d6a8f9467308308"), nonce, associated, plaintext),
            unhex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c"
                  "7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"));
  EXPECT_EQ(sealed(unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"), nonce,
                   associated, plaintext),
            unhex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d"
                  "a7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"));
}

TEST_F(IpsecMb, WritesTheSameBytesAsGnutlsForEachSizeOfAPacket) {
  base::Prng prng(9001);
  for (std::size_t size = 0; size <= 1500; ++size) {
    const Random random(prng, size);

    const Buffer bytes = sealed(random.key, random.nonce, random.associated, random.plaintext);

    ASSERT_EQ(bytes,
              sealed_by_gnutls(random.key, random.nonce, random.associated, random.plaintext))
        << size;
  }
}

TEST_F(IpsecMb, OpensWhatWasSealedInPlace) {
  base::Prng prng(5);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 255U, 1200U, 1451U, 65'511U}) {
    const Random random(prng, size);
    const GcmKey key(random.key);
    Buffer bytes = random.plaintext;
    bytes.resize(size + kTagSize);

    key.seal(bytes.data(), Octets(bytes).first(size), nonce_of(random.nonce), random.associated);
    ASSERT_TRUE(key.open(bytes.data(), bytes, nonce_of(random.nonce), random.associated)) << size;

    bytes.resize(size);
    EXPECT_EQ(bytes, random.plaintext) << size;
  }
}

TEST_F(IpsecMb, RefusesWhateverBitWasChanged) {
  base::Prng prng(6);
  for (const std::size_t size : {40U, 41U}) {
    const Random random(prng, size);
    const Buffer bytes = sealed(random.key, random.nonce, random.associated, random.plaintext);
    ASSERT_TRUE(opens(random.key, random.nonce, random.associated, bytes));

    const auto each_bit = [](Buffer changed, const auto& refused) {
      for (std::size_t bit = 0; bit < changed.size() * 8; ++bit) {
        const auto flip = static_cast<std::uint8_t>(1U << bit % 8);
        changed[bit / 8] ^= flip;
        EXPECT_TRUE(refused(changed)) << bit;
        changed[bit / 8] ^= flip;
      }
    };
    each_bit(bytes, [&](const Buffer& changed) {
      return !opens(random.key, random.nonce, random.associated, changed);
    });
    each_bit(random.associated, [&](const Buffer& changed) {
      return !opens(random.key, random.nonce, changed, bytes);
    });
    each_bit(random.nonce, [&](const Buffer& changed) {
      return !opens(random.key, changed, random.associated, bytes);
    });
    each_bit(random.key, [&](const Buffer& changed) {
      return !opens(changed, random.nonce, random.associated, bytes);
    });
  }
}

TEST_F(IpsecMb, RefusesWhatIsShorterThanItWas) {
  base::Prng prng(7);
  const Random random(prng, 40);
  Buffer bytes = sealed(random.key, random.nonce, random.associated, random.plaintext);

  while (!bytes.empty()) {
    bytes.pop_back();
    EXPECT_FALSE(opens(random.key, random.nonce, random.associated, bytes)) << bytes.size();
  }
}

template <class Key>
bool leaves_nothing(const Buffer& bytes) {
  alignas(Key) std::array<std::uint8_t, sizeof(Key)> memory{};
  auto* key = std::construct_at(reinterpret_cast<Key*>(memory.data()), bytes);
  const bool had_something = std::ranges::count(memory, 0) < static_cast<int>(sizeof(Key) / 2);
  std::destroy_at(key);
  // What stays is where the functions are, or how many rounds there are.
  return had_something && std::ranges::count(memory, 0) >= static_cast<int>(sizeof(Key) - 16);
}

TEST_F(IpsecMb, AKeyIsWipedWhenItGoes) {
  EXPECT_TRUE(leaves_nothing<GcmKey>(unhex("feffe9928665731c6d6a8f9467308308")));
  EXPECT_TRUE(leaves_nothing<BlockKey>(
      unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")));
}

}  // namespace
}  // namespace orzatty::quic::ipsec_mb
