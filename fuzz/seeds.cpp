// Writes what fuzzing starts from, into FOLDER/TARGET/: the golden vectors, and for targets that
// read streams or scripts some honest ones, written by the product's own encoders.
//   seeds VECTORS FOLDER
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "script.h"
#include "vectors.h"
#include "wire/consumed.h"
#include "wire/datagram.h"
#include "wire/hello.h"
#include "wire/ping.h"
#include "wire/subscribe.h"
#include "wire/subscribed.h"
#include "wire/test_streams.h"
#include "wire/unsubscribe.h"
#include "wire/welcome.h"

namespace {

using namespace orzatty;
using fuzz::Verb;
using wire::test::StreamWriter;

template <class Frame>
Bytes frame(const Frame& what) {
  Bytes bytes;
  encode(what, bytes);
  return bytes;
}

// Steps of a script.
class Play {
 public:
  Play& act(Verb verb, std::uint8_t argument, unsigned peer = 0, unsigned stream = 0) {
    bytes_.push_back(fuzz::Step::head(verb, peer, stream));
    bytes_.push_back(static_cast<std::byte>(argument));
    return *this;
  }
  Play& say(Verb verb, BytesView bytes, unsigned peer = 0, unsigned stream = 0) {
    do {
      const BytesView part = bytes.first(std::min<std::size_t>(bytes.size(), 255));
      bytes = bytes.subspan(part.size());
      const bool alone = verb == Verb::kControl || verb == Verb::kDatagram;
      const Verb last = bytes.empty() || alone ? verb : Verb::kStream;
      act(last, static_cast<std::uint8_t>(part.size()), peer, stream);
      bytes_.insert(bytes_.end(), part.begin(), part.end());
    } while (!bytes.empty());
    return *this;
  }
  Play& move(unsigned peer = 0) {
    return act(Verb::kPull, 255, peer).act(Verb::kAcknowledge, 0, peer).act(Verb::kTime, 1, peer);
  }
  Play& hello(unsigned peer = 0, std::string_view token = "t") {
    wire::Hello hello;
    hello.versions = {1};
    hello.token = copy_of(bytes_of(token));
    return say(Verb::kControl, frame(hello), peer).move(peer);
  }
  Play& welcome() {
    return say(Verb::kControl, frame(wire::Welcome{.session = {},
                                                   .identity = "me",
                                                   .message_size_max = 4096,
                                                   .publication_count_max = 16,
                                                   .heartbeat_interval = std::chrono::seconds(5),
                                                   .dead_after = std::chrono::seconds(10),
                                                   .producers = {},
                                                   .subscriptions = {}}));
  }
  Play& subscribe(std::string_view pattern, unsigned peer, std::uint64_t id = 1) {
    return say(Verb::kControl,
               frame(wire::Subscribe{.subscription = SubscriptionId(id),
                                     .pattern = *ChannelPattern::parse(pattern),
                                     .start = StartPosition::start(),
                                     .positions = {}}),
               peer)
        .move(peer);
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

Bytes publication(std::string_view channel, const std::vector<std::size_t>& sizes,
                  std::uint64_t id = 1) {
  StreamWriter stream;
  stream.add(wire::Publish{.publication = PublicationId(id),
                           .producer = {},
                           .epoch = ProducerEpoch(1),
                           .next = Sequence(0),
                           .channel = wire::test::channel(channel)});
  stream.run(0, sizes);
  const std::uint64_t next = sizes.size();
  stream.add(wire::Skip{Sequence(next), Sequence(next + 2), GapReason::kExpired});
  return stream.run(next + 2, {1, 2}).bytes();
}

Bytes delivery() {
  StreamWriter stream;
  stream.deliver().alias(0, 5).producer(0).run(5, {0, 1, 70});
  stream.add(wire::GapMark{ChannelAlias(0), Offset(8), Offset(10), GapReason::kSlow});
  return stream.run(10, {3}).alias(1, 0).producer(1).run(0, {2}, 1, 1).bytes();
}

Bytes direct() {
  StreamWriter stream;
  stream.add(wire::Direct{wire::test::channel("h")});
  return stream.run(3, {1, 100}).run(5, {4}).bytes();
}

class Folder {
 public:
  Folder(const std::filesystem::path& root, std::string_view target) : path_(root / target) {
    std::filesystem::create_directories(path_);
  }
  void add(const std::string& name, BytesView bytes) const {
    std::ofstream file(path_ / name, std::ios::binary);
    file << text_of(bytes);
  }

 private:
  std::filesystem::path path_;
};

// Each target that reads bare bytes starts from the vectors of its own kind.
void write_vectors(const std::filesystem::path& from, const std::filesystem::path& root) {
  const Folder frames(root, "frames");
  const Folder framer(root, "framer");
  const Folder streams(root, "channel_stream");
  const Folder messages(root, "messages");
  const Folder names(root, "names");
  for (const auto& vector : fuzz::read_vectors(from / "frames.txt")) {
    const BytesView bytes = std::as_bytes(std::span(vector.bytes));
    for (const Folder* folder : {&frames, &framer, &streams}) folder->add(vector.name, bytes);
  }
  for (const auto& vector : fuzz::read_vectors(from / "messages.txt")) {
    const BytesView bytes = std::as_bytes(std::span(vector.bytes));
    for (const Folder* folder : {&messages, &framer}) folder->add(vector.name, bytes);
  }
  const Folder datagrams(root, "datagrams");
  for (const auto& vector : fuzz::read_vectors(from / "datagrams.txt")) {
    datagrams.add(vector.name, std::as_bytes(std::span(vector.bytes)));
  }
  for (const auto& vector : fuzz::read_vectors(from / "names.txt")) {
    Bytes bytes = copy_of(std::as_bytes(std::span(vector.bytes)));
    names.add(vector.name, bytes);
    wire::test::append(bytes, bytes_of("\nquotes.AAPL.bid"));
    names.add(vector.name + "-on-a-name", bytes);
  }
}

void write_streams(const std::filesystem::path& root) {
  const Folder streams(root, "channel_stream");
  streams.add("publication", publication("a.b", {0, 5, 300, 70}));
  streams.add("delivery", delivery());
  streams.add("direct", direct());
}

void write_sessions(const std::filesystem::path& root) {
  const Bytes ping = frame(wire::Ping{});
  const Bytes consumed = frame(
      wire::Consumed{.nonce = 1, .positions = {{SubscriptionId(1), ChannelAlias(0), Offset(1)}}});
  const Bytes published = publication("a", {5, 300, 70});

  const Folder servers(root, "server_session");
  servers.add("publishes", Play().hello().say(Verb::kStreamEnd, published).move().bytes());
  servers.add("subscribes", Play()
                                .hello()
                                .subscribe("a.>", 0)
                                .say(Verb::kControl, consumed)
                                .say(Verb::kControl, ping)
                                .move()
                                .bytes());
  servers.add("waits", Play()
                           .hello(0, "long-token")
                           .act(Verb::kAsk, 1)
                           .move()
                           .act(Verb::kTime, 255)
                           .move()
                           .act(Verb::kAsk, 3)
                           .move()
                           .bytes());

  const Folder clients(root, "client_session");
  const Bytes subscribed = frame(wire::Subscribed{SubscriptionId(1), 1});
  clients.add("receives", Play()
                              .welcome()
                              .act(Verb::kAsk, 4)
                              .say(Verb::kControl, subscribed)
                              .say(Verb::kStreamEnd, delivery())
                              .move()
                              .bytes());
  clients.add("direct", Play()
                            .welcome()
                            .say(Verb::kStream, direct(), 0, 1)
                            .move()
                            .act(Verb::kAsk, 6)
                            .move()
                            .act(Verb::kStop, 0)
                            .move()
                            .bytes());
}

// A peer subscribes, another publishes: to a channel of each policy, and to a handler.
void write_hubs(const std::filesystem::path& root) {
  const Folder hubs(root, "hub");
  for (const std::string_view channel : {"a", "o", "l", "d", "h", "b.c"}) {
    const std::string name = "channel-" + std::string(channel);
    Play play;
    play.hello(0)
        .hello(1)
        .subscribe(channel, 0)
        .say(Verb::kStream, publication(channel, {9, 300}), 1);
    play.move(1).move(0).act(Verb::kAsk, 0xf8, 0, 0).act(Verb::kAsk, 0xf9, 0, 1).move(0);
    hubs.add(name, play.bytes());
    play.subscribe("b.*", 0, 2).subscribe(">", 1, 2).act(Verb::kPull, 0, 0);
    for (std::uint8_t i = 0; i < 32; ++i) {
      play.act(Verb::kAsk, static_cast<std::uint8_t>(0xf8 + i % 8)).act(Verb::kPull, 40, i % 2);
    }
    play.act(Verb::kUnblock, 0).move(0).move(1).move(0).act(Verb::kTime, 255);
    play.say(Verb::kControl, frame(wire::Unsubscribe{SubscriptionId(1)}), 0).move(0);
    play.act(Verb::kAsk, 0, 1, 3).move(0).act(Verb::kTime, 255).move(0);
    hubs.add(name + "-and-slow", play.bytes());
  }
}

// Of a publication in mode datagram, behind its PUBLISH.
void write_datagrams(const std::filesystem::path& root) {
  const auto datagram = [](std::uint64_t sequence) {
    wire::DatagramHeader header;
    const std::size_t size = wire::encode_header(
        wire::PublishDatagram{PublicationId(1), Sequence(sequence), 0, false, {}}, header);
    Bytes bytes = copy_of(BytesView(header).first(size));
    wire::test::append(bytes, bytes_of(std::string_view("\x02\x02hi", 4)));
    return bytes;
  };
  Play play;
  play.hello(0).hello(1).subscribe("g", 0);
  play.say(Verb::kStream,
           frame(wire::Publish{.publication = PublicationId(1),
                               .producer = {},
                               .epoch = ProducerEpoch(1),
                               .next = Sequence(0),
                               .channel = wire::test::channel("g"),
                               .mode = DeliveryMode::kDatagram}),
           1);
  for (const std::uint64_t sequence : {0U, 1U, 4U, 3U, 5U}) {
    play.say(Verb::kDatagram, datagram(sequence), 1).move(0);
  }
  Folder(root, "hub").add("datagrams", play.move(0).move(1).bytes());
  Folder(root, "server_session")
      .add("datagrams", Play().hello().say(Verb::kDatagram, datagram(0)).move().bytes());
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  const std::filesystem::path root(words[2]);
  write_vectors(words[1], root);
  write_streams(root);
  write_sessions(root);
  write_hubs(root);
  write_datagrams(root);
  return 0;
}
