// ngtcp2's callbacks. Each only records a value in the ConnectionState, but for received bytes,
// which go to the StreamSink while they are valid.
#pragma once

#include <ngtcp2/ngtcp2.h>

namespace orzatty::quic {

const ngtcp2_callbacks& client_callbacks();
const ngtcp2_callbacks& server_callbacks();

}  // namespace orzatty::quic
