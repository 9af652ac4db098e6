// The publisher's account: sent is what has a fate, of whichever kind, and what waits, at all times;
// each sequence has one fate, and they come in order. What leaves as a datagram is handed to the network, and
// nothing else is: nobody is told that it was accepted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "sim/checker.h"

namespace orzatty::sim {

class FateLedger final : public Checker {
 public:
  FateLedger() : Checker("fate ledger") {}

  void handle(const Happening& happening) override {
    if (const auto* published = std::get_if<Published>(&happening)) {
      handle(*published);
    } else if (const auto* told = std::get_if<FateTold>(&happening)) {
      handle(*told);
    } else if (const auto* counted = std::get_if<Counted>(&happening)) {
      handle(*counted);
    } else if (const auto* killed = std::get_if<ProgramKilled>(&happening)) {
      // Nobody is left to be told.
      std::erase_if(accounts_,
                    [&](const auto& account) { return account.first.first == killed->program; });
    }
  }

  void finish() override {
    for (const auto& [key, account] : accounts_) {
      if (account.settled != account.published) {
        violated(text_of({key.first, key.second, account.settled}) + " has no fate in the end");
      }
    }
  }

 private:
  struct Account {
    Sequence published;
    Sequence settled;
    bool as_datagrams = false;
    std::array<std::uint64_t, 6> by_fate{};
    [[nodiscard]] std::uint64_t waiting() const {
      return published.value() - std::accumulate(by_fate.begin(), by_fate.end(), std::uint64_t{0});
    }
  };
  using Key = std::pair<ProgramId, PublicationId>;

  void handle(const Published& published) {
    Account& account = accounts_[Key(published.program, published.publication)];
    if (published.sequence != account.published) {
      violated(text_of({published.program, published.publication, published.sequence}) +
               " is published out of turn");
    }
    account.published = published.sequence + 1;
    account.as_datagrams = published.mode == DeliveryMode::kDatagram;
  }
  void handle(const FateTold& told) {
    Account& account = accounts_[Key(told.program, told.publication)];
    const MessageName name{told.program, told.publication, told.from};
    if (told.from != account.settled) violated(text_of(name) + " is told a fate out of turn");
    if (told.to <= told.from) violated(text_of(name) + " is told a fate of nothing");
    if (told.to > account.published) violated(text_of(name) + " has a fate before it is sent");
    const Fate of_other = account.as_datagrams ? Fate::kAccepted : Fate::kHandedToNetwork;
    if (told.fate == of_other) {
      violated(text_of(name) + " has a fate of another mode: " + std::string(fate_name(told.fate)));
    }
    account.settled = told.to;
    account.by_fate.at(static_cast<std::size_t>(told.fate)) += told.to - told.from;
  }
  void handle(const Counted& counted) {
    const Account& account = accounts_[Key(counted.program, counted.publication)];
    const MessageName name{counted.program, counted.publication, counted.published};
    if (counted.published != account.published) violated(text_of(name) + " is counted wrongly");
    // It may hold on to what has its fate already, as a message that expired, until the server
    // knows.
    if (counted.waiting < account.waiting()) {
      violated(text_of(name) + ": sent is not what has a fate + waiting");
    }
  }

  std::map<Key, Account> accounts_;
};

}  // namespace orzatty::sim
