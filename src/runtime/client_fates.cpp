// Producers by name, and what became of their messages.
#include <array>
#include <utility>

#include "net/clock.h"
#include "runtime/client_runtime.h"

namespace orzatty {

// FNV-1a of 128 bits: the same on every machine and in every language. Nobody gains by a collision,
// as producers are scoped to their identity.
ProducerId named_producer(std::string_view name) {
  std::array<std::uint32_t, 4> hash = {0x6295'c58d, 0x62b8'2175, 0x07bb'0142, 0x6c62'272e};
  for (const char character : name) {
    hash[0] ^= static_cast<unsigned char>(character);
    // Times 2^88 + 0x13b, modulo 2^128.
    constexpr std::uint64_t kLow = 0x13b;
    std::array<std::uint32_t, 4> product{};
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < hash.size(); ++i) {
      std::uint64_t sum = carry + kLow * hash[i];
      if (i == 2) sum += std::uint64_t{hash[0]} << 24 & 0xffff'ffff;
      if (i == 3)
        sum += (std::uint64_t{hash[0]} >> 8) + (std::uint64_t{hash[1]} << 24 & 0xffff'ffff);
      product[i] = static_cast<std::uint32_t>(sum);
      carry = sum >> 32;
    }
    hash = product;
  }
  ProducerId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    id.bytes[15 - i] = static_cast<std::byte>(hash[i / 4] >> (8 * (i % 4)));
  }
  return id;
}

std::string_view name(KnownFate::Kind kind) {
  switch (kind) {
    case KnownFate::Kind::kAccepted:
      return "accepted";
    case KnownFate::Kind::kRejected:
      return "rejected";
    case KnownFate::Kind::kUnknown:
      return "unknown";
    case KnownFate::Kind::kForgotten:
      return "forgotten";
  }
  return "unknown";
}

namespace {

KnownFate known(const wire::FateRun& run) {
  KnownFate fate{.kind = KnownFate::Kind::kUnknown,
                 .from = run.first,
                 .to = run.first + run.count,
                 .first_offset = {},
                 .code = ErrorCode::kNone};
  if (run.kind == wire::FateKind::kAccepted) {
    fate.kind = KnownFate::Kind::kAccepted;
    fate.first_offset = Offset(run.value);
  } else if (run.kind == wire::FateKind::kRejected) {
    fate.kind = KnownFate::Kind::kRejected;
    fate.code = static_cast<ErrorCode>(run.value);
  } else if (run.kind == wire::FateKind::kForgotten) {
    fate.kind = KnownFate::Kind::kForgotten;
  }
  return fate;
}

}  // namespace

void ClientRuntime::on_fates(const client::FatesTold& told) {
  const auto asked = fates_.find(told.question);
  if (asked == fates_.end()) return;
  asked->second.emplace();
  for (const wire::FateRun& run : told.runs) asked->second->push_back(known(run));
}

std::expected<std::vector<KnownFate>, Error> ClientRuntime::fate(const ChannelRef& channel,
                                                                 const FateQuestion& question,
                                                                 Duration timeout) {
  const auto name_parsed = ChannelName::parse(channel.text());
  const bool in_range = question.epoch <= wire::kVarintMax &&
                        question.from.value() <= wire::kVarintMax && question.count > 0 &&
                        question.count <= wire::kVarintMax - question.from.value();
  if (!name_parsed || !in_range) {
    return std::unexpected(Error{ErrorKind::kArgument, ErrorCode::kNone,
                                 "a fate is asked of a channel and at least one sequence, below 2^62"});
  }
  if (in_pump()) {
    return std::unexpected(
        Error{ErrorKind::kBusy, ErrorCode::kOverloaded, "a handler cannot wait for an answer"});
  }
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(pump_lock_);
    if (closed_.load()) return std::unexpected(closed_error());
    number = link_.engine().ask({.question = 0,
                                 .producer = question.producer,
                                 .epoch = ProducerEpoch(question.epoch),
                                 .channel = *name_parsed,
                                 .runs = {{question.from, question.count}}});
    fates_[number];
  }
  static_cast<void>(wait_until([&] { return fates_[number].has_value() || closed_.load(); },
                               net::now() + timeout));
  const std::lock_guard lock(pump_lock_);
  link_.engine().forget_question(number);
  auto answer = std::move(fates_[number]);
  fates_.erase(number);
  if (answer) return std::move(*answer);
  if (closed_.load()) return std::unexpected(closed_error());
  return std::unexpected(
      Error{ErrorKind::kTimeout, ErrorCode::kNone, "the server did not answer in time"});
}

}  // namespace orzatty
