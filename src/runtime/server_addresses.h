// Where a client's server may be found: all addresses of its name, tried in turn. One thread; the
// name is asked for again in a thread of its own, because the resolver blocks.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "orzatty/error.h"

namespace orzatty::runtime {

class ServerAddresses {
 public:
  // Blocks while the name is looked up. "host:port".
  static std::expected<ServerAddresses, Error> resolve(std::string_view server);

  [[nodiscard]] std::size_t count() const;
  // The one to use now: the same until failed().
  [[nodiscard]] base::Address current() const;
  // On to the next. After the last, what the name means by now is looked up in the background, and
  // the turn begins anew with the addresses that are known.
  void failed();

 private:
  struct Known;  // shared with the thread that asks, which may outlive this object

  ServerAddresses(std::string server, std::shared_ptr<Known> known);

  std::string server_;
  std::shared_ptr<Known> known_;
  std::size_t index_ = 0;
};

}  // namespace orzatty::runtime
