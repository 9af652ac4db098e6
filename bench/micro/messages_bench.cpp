// The steps of a message's way, each alone: what it costs per message or per byte, without a
// network. Absolute figures; to be compared with the same program at another commit, on the same
// machine.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>

#include "base/log.h"
#include "counted.h"
#include "orzatty/limits.h"
#include "wire/channel_stream.h"
#include "wire/framer.h"
#include "wire/message.h"
#include "wire/ping.h"
#include "wire/publish.h"
#include "wire/run.h"
#include "wire/varint.h"

namespace orzatty {
namespace {

constexpr std::uint32_t kMessageSizeMax = Limits{}.message_size_max;
constexpr std::size_t kFramesPerRun = 500;  // about as many as an outbox puts into one
constexpr std::size_t kPacketSize = 1400;

std::size_t payload_size(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

void add_frame(Bytes& out, BytesView payload) {
  std::array<std::byte, 16> header{};
  const std::size_t size = wire::encode_message_header(header, MessageType::kRaw, payload.size());
  out.insert(out.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
  out.insert(out.end(), payload.begin(), payload.end());
}

Bytes frames_of(std::size_t count, std::size_t size) {
  Bytes frames;
  for (std::size_t i = 0; i < count; ++i) add_frame(frames, Bytes(size));
  return frames;
}

void count_messages(benchmark::State& state, std::size_t per_iteration) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(per_iteration));
}

void Varint(benchmark::State& state) {
  std::array<std::byte, wire::kVarintSizeMax> bytes{};
  const auto value = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    const std::size_t size = wire::encode_varint(bytes, value);
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(wire::decode_varint(BytesView(bytes).first(size)));
  }
}
BENCHMARK(Varint)
    ->Arg(64)->Arg(16'383)->Arg(1 << 20)->Arg(std::int64_t{1} << 40)
    ->Apply(counted);

void MessageScan(benchmark::State& state) {
  const Bytes frames = frames_of(kFramesPerRun, payload_size(state));
  for (auto _ : state) benchmark::DoNotOptimize(wire::scan_messages(frames, kMessageSizeMax));
  count_messages(state, kFramesPerRun);
}
BENCHMARK(MessageScan)->Arg(64)->Arg(256)->Arg(1024)->Apply(counted);

void LogAppendAndTake(benchmark::State& state) {
  constexpr std::size_t kPoolSize = 4 * 1024 * 1024;
  base::SegmentPool pool(kPoolSize, kPoolSize);
  base::Log log(pool, base::SegmentPool::kSizeMax);
  const Bytes payload(payload_size(state));
  base::LogCursor cursor = log.begin();
  base::Published seen;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kFramesPerRun; ++i) {
      std::array<std::byte, 16> header{};
      const std::size_t size =
          wire::encode_message_header(header, MessageType::kRaw, payload.size());
      if (!log.append(BytesView(header).first(size), payload, 1)) {
        return state.SkipWithError("the pool has no room");
      }
    }
    seen = log.published(seen);
    while (cursor.position < seen.bytes) {
      const base::Piece piece = base::Log::take(cursor, seen.bytes - cursor.position);
      benchmark::DoNotOptimize(piece.bytes.data());
    }
    log.trim(cursor);
  }
  count_messages(state, kFramesPerRun);
}
BENCHMARK(LogAppendAndTake)->Arg(64)->Arg(256)->Arg(1024)->Apply(counted);

void RunEncode(benchmark::State& state) {
  Bytes out;
  for (auto _ : state) {
    out.clear();
    wire::encode(wire::Run{.first = 1'000'000, .size = 32 * 1024, .nonce = 12'345}, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(RunEncode)->Apply(counted);

// A control stream, in packets: frames span them.
void FramerRead(benchmark::State& state) {
  constexpr std::size_t kFrames = 1000;
  Bytes stream;
  for (std::size_t i = 0; i < kFrames; ++i) wire::encode(wire::Ping{}, stream);
  wire::Framer framer(0, wire::kControlSizeMax);
  std::size_t count = 0;
  for (auto _ : state) {
    for (BytesView rest = stream; !rest.empty();) {
      const BytesView part = rest.first(std::min(rest.size(), kPacketSize));
      framer.feed(part);
      while (true) {
        const auto frame = framer.next();
        if (!frame || !*frame) break;
        ++count;
      }
      rest = rest.subspan(part.size());
    }
  }
  if (count != kFrames * static_cast<std::size_t>(state.iterations())) {
    return state.SkipWithError("frames were refused");
  }
  count_messages(state, kFrames);
}
BENCHMARK(FramerRead)->Apply(counted);

// A stream that comes packet by packet, so that messages span them.
void ChannelStreamRead(benchmark::State& state) {
  wire::ChannelStreamReader reader(wire::StreamOpener::kClient, kMessageSizeMax);
  Bytes preface;
  wire::encode(wire::Publish{.publication = PublicationId(1),
                             .producer = {},
                             .epoch = {},
                             .next = {},
                             .channel = ChannelName::of(1)},
               preface);
  const Bytes frames = frames_of(kFramesPerRun, payload_size(state));
  std::uint64_t count = 0;
  const auto read = [&](BytesView part) {
    reader.feed(part);
    while (true) {
      const auto item = reader.next();
      if (!item) return false;
      if (std::holds_alternative<wire::NeedMore>(*item)) return true;
      if (const auto* messages = std::get_if<wire::Messages>(&*item)) count += messages->count;
    }
  };
  bool valid = read(preface);
  Bytes run;
  for (auto _ : state) {
    run.clear();
    wire::encode(wire::Run{.first = count, .size = frames.size(), .nonce = 1}, run);
    valid = valid && read(run);
    for (BytesView rest = frames; !rest.empty();) {
      const BytesView part = rest.first(std::min(rest.size(), kPacketSize));
      valid = valid && read(part);
      rest = rest.subspan(part.size());
    }
  }
  if (!valid) state.SkipWithError("the stream was refused");
  count_messages(state, kFramesPerRun);
}
BENCHMARK(ChannelStreamRead)->Arg(64)->Arg(256)->Arg(1024)->Apply(counted);

}  // namespace
}  // namespace orzatty

BENCHMARK_MAIN();
