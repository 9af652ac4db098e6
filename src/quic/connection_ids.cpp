#include "quic/connection_ids.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace orzatty::quic {

ConnectionId::ConnectionId(const std::uint8_t* data, std::size_t data_size)
    : size(static_cast<std::uint8_t>(data_size)) {
  ORZATTY_ASSERT(data_size <= kSizeMax);
  std::copy_n(data, data_size, bytes.begin());
}

ngtcp2_cid ConnectionId::native() const {
  ngtcp2_cid id{};
  ngtcp2_cid_init(&id, bytes.data(), size);
  return id;
}

ConnectionIds::ConnectionIds(const EndpointConfig& config, std::uint64_t seed)
    : secret_(config.secret),
      shard_(config.shard),
      random_(config.secret, "connection ids", seed),
      table_(0, Hash{random_.next()}),
      last_(table_.end()) {}

ConnectionId ConnectionIds::make() {
  std::array<std::uint8_t, kSize> bytes{};
  random_.fill(std::as_writable_bytes(std::span(bytes)));
  bytes[0] = shard_;
  return {bytes.data(), bytes.size()};
}

ResetToken ConnectionIds::reset_token(const ConnectionId& id) const {
  ResetToken token{};
  const ngtcp2_cid native = id.native();
  ORZATTY_ASSERT(ngtcp2_crypto_generate_stateless_reset_token(
                     token.data(), reinterpret_cast<const std::uint8_t*>(secret_.data()),
                     secret_.size(), &native) == 0);
  return token;
}

bool ConnectionIds::add(const ConnectionId& id, ConnectionKey key) {
  const bool added = table_.try_emplace(id, key).second;
  last_ = table_.end();  // iterators do not outlive a table that grows
  return added;
}

std::optional<ConnectionKey> ConnectionIds::find(const ConnectionId& id) {
  if (last_ == table_.end() || last_->first != id) last_ = table_.find(id);
  if (last_ == table_.end()) return {};
  return last_->second;
}

// Multiply and fold, each step keyed: short ids, and the key is secret.
std::size_t ConnectionIds::Hash::operator()(const ConnectionId& id) const {
  std::array<std::uint64_t, 3> words{};
  std::memcpy(words.data(), id.bytes.data(), id.bytes.size());
  std::uint64_t hash = key + id.size;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U + std::rotl(key, 23);
    hash ^= hash >> 32;
  }
  return static_cast<std::size_t>(hash);
}

}  // namespace orzatty::quic
