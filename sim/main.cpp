#include <cstdio>

#include "sim/world.h"

int main() {
  using namespace orzatty;
  using namespace orzatty::sim;
  for (int i = 0; i < 2; ++i) {
    World world({.seed = 42, .server = {.limits = {}, .rules = {}, .channel_default = {}}});
    const auto alice = world.add_client("alice", {});
    const auto bob = world.add_client("bob", {});
    world.subscribe(bob, "chat");
    world.feed(alice, {.channel = "chat", .count = 1000});
    world.run_for(std::chrono::seconds(30));
    world.chronicle().finish();
    std::printf("%s %016llx seen %llu datagrams %llu violation %s\n", world.unquiet().c_str(),
                static_cast<unsigned long long>(world.trace().hash()),
                static_cast<unsigned long long>(world.client(bob).seen_count()),
                static_cast<unsigned long long>(world.datagram_count()),
                world.failed() ? world.chronicle().violation()->what.c_str() : "none");
  }
}
