// How far subscribers are behind, for whoever watches a server. A question, not a count that is
// kept: it costs nobody anything until it is asked. One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "hub/hub.h"

namespace orzatty::hub {

class HubState;

std::vector<SubscriptionLag> slowest_subscriptions(const HubState& state, std::size_t count_max);

}  // namespace orzatty::hub
