// What it costs to read a message that means something: as a plain struct that is believed, as a typed
// message that is verified (in the packet, and from a copy where it is not aligned), and as JSON.

#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "counted.h"
#include "game_typed.h"
#include "market_typed.h"
#include "orzatty/typed.h"
#include "wire/message.h"

namespace orzatty {
namespace {

// A message whose payload lies `shift` bytes behind an aligned address.
class Framed {
 public:
  explicit Framed(const Payload& payload, std::size_t shift = 0) {
    std::array<std::byte, wire::kMessageHeaderSizeMax> header{};
    const MessageAttributes attributes = payload.attributes().value_or(MessageAttributes());
    const std::size_t size =
        wire::encode_message_header(header, payload.type(), attributes, payload.bytes().size());
    constexpr std::size_t kAligned = 64;
    const std::size_t begin = kAligned - size + shift;
    memory_.resize(kAligned + shift + payload.bytes().size());
    std::memcpy(memory_.data() + begin, header.data(), size);
    std::memcpy(memory_.data() + begin + size, payload.bytes().data(), payload.bytes().size());
    frame_ = BytesView(memory_).subspan(begin);
  }
  [[nodiscard]] Message message() const {
    const wire::MessageView view = *wire::MessageRange(frame_).begin();
    return {view.type, view.payload, "channel", "alice", Offset(0), view.attribute_block()};
  }

 private:
  Bytes memory_;
  BytesView frame_;
};

struct PlainPlayer {
  std::uint32_t id = 7;
  std::array<float, 5> numbers = {1.5F, -2.25F, 0.5F, 100.0F, -0.125F};
  std::uint8_t status = 1;
};

game::PlayerUpdate player() {
  constexpr std::array<float, 3> velocity = {0.5F, 100.0F, -0.125F};
  return {7, 1.5F, -2.25F, flatbuffers::make_span(velocity), 1};
}

flatbuffers::FlatBufferBuilder book(std::size_t levels) {
  flatbuffers::FlatBufferBuilder builder;
  const std::vector<market::Level> side(levels, market::Level(100.25, 1.5));
  builder.Finish(market::CreateBookDirect(builder, "AAPL", market::Side::Buy, &side, &side));
  return builder;
}

double sum_of(const market::Book& book) {
  double sum = 0;
  for (const auto* side : {book.bids(), book.asks()}) {
    for (const market::Level* level : *side) sum += level->price() * level->quantity();
  }
  return sum;
}

void PlayerAsPlainStruct(benchmark::State& state) {
  const PlainPlayer sent;
  const Framed framed(Payload(std::as_bytes(std::span(&sent, 1))));
  for (auto _ : state) {
    const Message message = framed.message();
    PlainPlayer player;
    std::memcpy(&player, message.payload().data(), sizeof player);
    benchmark::DoNotOptimize(player.numbers[0] + player.numbers[4]);
  }
}
BENCHMARK(PlayerAsPlainStruct)->Apply(counted);

void PlayerTyped(benchmark::State& state) {
  const game::PlayerUpdate sent = player();
  const Framed framed(typed(sent), static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto player = as<game::PlayerUpdate>(framed.message());
    benchmark::DoNotOptimize((*player)->x() + (*player)->velocity()->Get(2));
  }
  state.SetLabel(state.range(0) == 0 ? "in place" : "from a copy");
}
BENCHMARK(PlayerTyped)->Arg(0)->Arg(1)->Apply(counted);

void PlayerAsJson(benchmark::State& state) {
  const std::string text = R"({"id":7,"x":1.5,"y":-2.25,"velocity":[0.5,100.0,-0.125],"status":1})";
  const Framed framed{Payload(text)};
  for (auto _ : state) {
    const auto player = nlohmann::json::parse(framed.message().text());
    benchmark::DoNotOptimize(player["x"].get<float>() + player["velocity"][2].get<float>());
  }
}
BENCHMARK(PlayerAsJson)->Apply(counted);

void BookTyped(benchmark::State& state) {
  const auto builder = book(20);
  const Framed framed(typed<market::Book>(builder), static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto view = as<market::Book>(framed.message());
    benchmark::DoNotOptimize(sum_of(**view));
  }
  state.SetLabel(state.range(0) == 0 ? "in place" : "from a copy");
}
BENCHMARK(BookTyped)->Arg(0)->Arg(1)->Apply(counted);

void BookAsJson(benchmark::State& state) {
  nlohmann::json book = {{"symbol", "AAPL"}, {"side", "buy"}};
  for (const char* side : {"bids", "asks"}) {
    for (int i = 0; i < 20; ++i) book[side].push_back({{"price", 100.25}, {"quantity", 1.5}});
  }
  const std::string text = book.dump();
  const Framed framed{Payload(text)};
  for (auto _ : state) {
    const auto parsed = nlohmann::json::parse(framed.message().text());
    double sum = 0;
    for (const char* side : {"bids", "asks"}) {
      for (const auto& level : parsed[side]) {
        sum += level["price"].get<double>() * level["quantity"].get<double>();
      }
    }
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(BookAsJson)->Apply(counted);

}  // namespace
}  // namespace orzatty
