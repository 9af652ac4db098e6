// A log between two threads: one appends numbered messages through a bounded pool, the other takes,
// verifies, pins for a while and trims. Run under the thread sanitizer to mean all that it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "base/log.h"

namespace orzatty::base {
namespace {

constexpr std::uint64_t kMessageCount = 1'000'000;
constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kBodySizeMax = 5'000;

// Mostly small, now and then one that spans segments.
std::size_t body_size(std::uint64_t number) {
  return number % 4096 == 4095 ? kBodySizeMax : number * 0x9e3779b97f4a7c15ULL >> 60;
}

void write_messages(Log& log) {
  std::array<std::byte, kBodySizeMax> body{};
  for (std::uint64_t number = 0; number < kMessageCount; ++number) {
    std::array<std::byte, kHeaderSize> header;
    std::memcpy(header.data(), &number, sizeof number);
    const auto text = std::span(body).first(body_size(number));
    std::ranges::fill(text, static_cast<std::byte>(number));
    while (!log.append(header, text, 1)) std::this_thread::yield();
  }
}

// Finds the messages in the bytes of pieces, and counts those that are not what was written.
class Verifier {
 public:
  void read(BytesView bytes) {
    while (!bytes.empty()) {
      if (header_size_ < kHeaderSize) {
        header_[header_size_++] = bytes.front();
        bytes = bytes.subspan(1);
        if (header_size_ == kHeaderSize) begin_body();
      } else {
        const auto part = bytes.first(std::min(bytes.size(), body_left_));
        for (const std::byte byte : part)
          faults_ += byte == static_cast<std::byte>(next_) ? 0U : 1U;
        body_left_ -= part.size();
        bytes = bytes.subspan(part.size());
      }
      if (header_size_ == kHeaderSize && body_left_ == 0) {
        header_size_ = 0;
        ++next_;
      }
    }
  }
  [[nodiscard]] std::uint64_t count() const { return next_; }
  [[nodiscard]] std::uint64_t faults() const { return faults_; }

 private:
  void begin_body() {
    std::uint64_t number = 0;
    std::memcpy(&number, header_.data(), sizeof number);
    faults_ += number == next_ ? 0U : 1U;
    body_left_ = body_size(next_);
  }

  std::array<std::byte, kHeaderSize> header_{};
  std::size_t header_size_ = 0;
  std::size_t body_left_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t faults_ = 0;
};

TEST(LogThreads, AReaderSeesAMillionMessagesInOrderWhileTheyAreWrittenAndTrimmed) {
  constexpr std::size_t kPinnedMax = 8;
  SegmentPool pool(std::size_t{4} * SegmentPool::kSizeMax, std::size_t{2} * SegmentPool::kSizeMax);
  Log log(pool, SegmentPool::kSizeMin);
  std::thread writer([&] { write_messages(log); });

  Verifier verifier;
  Published seen;
  LogCursor cursor = log.begin();
  std::deque<Piece> pinned;  // read only when they are let go, as a transport that sends again
  std::uint64_t torn = 0;
  while (seen.messages < kMessageCount || cursor.position < seen.bytes || !pinned.empty()) {
    seen = log.published(seen);
    const bool idle = cursor.position == seen.bytes;
    while (cursor.position < seen.bytes) {
      pinned.push_back(Log::take(cursor, seen.bytes - cursor.position));
      log.trim(cursor);
      if (pinned.size() <= kPinnedMax) continue;
      verifier.read(pinned.front().bytes);
      pinned.pop_front();
    }
    // What is pinned may be all that the writer waits for.
    if (!idle) continue;
    for (; !pinned.empty(); pinned.pop_front()) verifier.read(pinned.front().bytes);
    torn += verifier.count() == seen.messages ? 0U : 1U;
    std::this_thread::yield();
  }
  writer.join();

  EXPECT_EQ(verifier.count(), kMessageCount);
  EXPECT_EQ(verifier.faults(), 0U);
  EXPECT_EQ(torn, 0U) << "bytes and messages were published apart";
  EXPECT_LE(pool.in_use(), SegmentPool::kSizeMax);
}

// Pieces on their way to another thread, each in a slot of its own.
using Slots = std::array<std::atomic<Piece*>, 4>;

// What was in the slot before.
std::unique_ptr<Piece> put_piece(std::atomic<Piece*>& slot, std::unique_ptr<Piece> piece) {
  return std::unique_ptr<Piece>(slot.exchange(piece.release(), std::memory_order_acq_rel));
}

TEST(LogThreads, WhatAThirdThreadStillReadsIsNotWrittenAgainAndComesBackWhenItLetsGo) {
  constexpr std::byte kFilling{7};
  SegmentPool pool(std::size_t{8} * 4096, std::size_t{4} * 4096);
  Log log(pool, 4096, 4096);
  const Bytes body(1000, kFilling);
  Slots slots{};
  std::atomic<bool> done{false};
  std::uint64_t faults = 0;
  std::thread third([&] {
    while (!done.load(std::memory_order_acquire)) {
      for (auto& slot : slots) {
        const auto piece = put_piece(slot, nullptr);
        if (piece != nullptr &&
            !std::ranges::all_of(piece->bytes, [](std::byte byte) { return byte == kFilling; })) {
          ++faults;
        }
      }
      std::this_thread::yield();
    }
  });

  LogCursor cursor = log.begin();
  for (std::uint64_t appended = 0, turn = 0; appended < 20'000; ++turn) {
    if (log.append(body, 1)) ++appended;
    const Published seen = log.published({.bytes = cursor.position, .messages = 0});
    while (cursor.position < seen.bytes) {
      auto piece = std::make_unique<Piece>(Log::take(cursor, seen.bytes - cursor.position));
      put_piece(slots[turn % slots.size()], std::move(piece));
    }
    log.trim(cursor);
  }
  done.store(true, std::memory_order_release);
  third.join();
  for (auto& slot : slots) put_piece(slot, nullptr);

  EXPECT_EQ(faults, 0U);
  EXPECT_EQ(pool.in_use(), 4096U);
}

}  // namespace
}  // namespace orzatty::base
