#include "event_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "net/file_descriptor.h"

namespace orzatty::apps {
namespace {

using testing::HasSubstr;

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_NONBLOCK) != 0) return;
    reader_ = net::FileDescriptor(ends[0]);
    writer_ = net::FileDescriptor(ends[1]);
    ::fcntl(writer_.number(), F_SETFL, 0);  // a log's writer would wait
  }
  [[nodiscard]] int writer() const { return writer_.number(); }
  [[nodiscard]] std::string read_all() const {
    std::string all;
    std::array<char, 4096> piece{};
    for (ssize_t size = 1; size > 0;) {
      size = ::read(reader_.number(), piece.data(), piece.size());
      if (size > 0) all.append(piece.data(), static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  net::FileDescriptor reader_;
  net::FileDescriptor writer_;
};

ServerEvent refused(std::string text) {
  return {.kind = ServerEvent::Kind::kPeerRefused, .identity = {}, .text = std::move(text)};
}

TEST(EventLog, AnEventIsOneLine) {
  const Pipe pipe;
  EventLog log(pipe.writer());

  log.write(refused("a\nb"));

  EXPECT_THAT(pipe.read_all(), HasSubstr("event=peer_refused text=a\\nb\n"));
}

TEST(EventLog, AReaderThatStoppedReadingDoesNotStopTheServerAndLearnsHowMuchItMissed) {
  const Pipe pipe;
  EventLog log(pipe.writer());
  const std::string large(3000, 'x');  // a pipe holds 64 KiB: more than these would wait for ever

  for (std::uint64_t i = 0; i < EventLog::kLinesPerSecondMax / 2; ++i) log.write(refused(large));
  const std::string before = pipe.read_all();
  log.write(refused("later"));

  EXPECT_THAT(before, testing::Not(HasSubstr("suppressed")));
  EXPECT_THAT(pipe.read_all(), HasSubstr("event=lines_suppressed count="));
}

TEST(EventLog, ALineIsCutAtWhatAPipeTakesWithoutWaiting) {
  const Pipe pipe;
  EventLog log(pipe.writer());

  log.write(refused(std::string(10'000, 'x')));

  EXPECT_EQ(pipe.read_all().size(), 4096U);
}

}  // namespace
}  // namespace orzatty::apps
