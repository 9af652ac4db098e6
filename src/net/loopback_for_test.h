// What the tests of this layer share: sockets on the loopback, and packets in and out of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/clock.h"
#include "net/poller.h"
#include "net/receive_batch.h"
#include "net/send_batch.h"
#include "net/udp_socket.h"

namespace orzatty::net {

struct Packet {
  std::string text;
  base::Address local;
  base::Address remote;
  std::uint8_t ecn = 0;
};

inline base::Address address(std::string_view text) {
  const auto parsed = base::Address::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(base::Address{});
}

inline UdpSocket bound_to(std::string_view text) {
  auto socket = UdpSocket::bind(address(text), {});
  EXPECT_TRUE(socket) << socket.error().text;
  return std::move(*socket);
}

inline UdpSocket connected_to(const base::Address& remote) {
  auto socket = UdpSocket::connect(remote, {});
  EXPECT_TRUE(socket) << socket.error().text;
  return std::move(*socket);
}

// Bounded, so that a packet that never comes fails the test instead of hanging it.
inline bool becomes_readable(const UdpSocket& socket) {
  auto poller = Poller::open();
  if (!poller || !poller->add(socket.fd(), 1, Interest::kRead)) return false;
  return !poller->wait(now() + std::chrono::seconds(5)).empty();
}

// The packets of what was received, cut at the segment size.
inline void cut(const Received& received, std::vector<Packet>& packets) {
  for (BytesView rest = received.bytes; !rest.empty();) {
    const BytesView bytes = rest.first(std::min(received.segment_size, rest.size()));
    rest = rest.subspan(bytes.size());
    packets.push_back({.text = std::string(text_of(bytes)),
                       .local = received.local,
                       .remote = received.remote,
                       .ecn = received.ecn});
  }
}

// Waits until `count` packets are there; fewer when they do not come.
inline std::vector<Packet> receive_packets(UdpSocket& socket, std::size_t count,
                                           std::size_t receive_count = 8) {
  ReceiveBatch batch;
  std::vector<Packet> packets;
  while (packets.size() < count && becomes_readable(socket)) {
    for (const Received& received : batch.receive(socket, receive_count)) cut(received, packets);
  }
  return packets;
}

inline bool push_text(SendBatch& batch, std::string_view text, const base::Address& remote,
                      std::uint8_t ecn = 0, const base::Address& local = {}) {
  const auto space = batch.space(text.size());
  if (space.size() < text.size()) return false;
  std::memcpy(space.data(), text.data(), text.size());
  batch.push(text.size(), local, remote, ecn);
  return true;
}

inline std::vector<std::string> texts_of(const std::vector<Packet>& packets) {
  std::vector<std::string> texts;
  for (const Packet& packet : packets) texts.push_back(packet.text);
  return texts;
}

// A packet of `size` bytes that no other number has.
inline std::string numbered(std::size_t number, std::size_t size) {
  std::string text = std::to_string(number) + ":";
  text.resize(size, static_cast<char>('a' + number % 26));
  return text;
}

}  // namespace orzatty::net
