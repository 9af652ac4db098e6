// What a script does to one session, whichever side it is of, and what must hold after each step:
// it holds no more than its limits, returns no more credit than bytes came, rests between its
// timers, and is silent once it closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "base/assert.h"
#include "orzatty/limits.h"
#include "script.h"
#include "session/transport.h"
#include "sink.h"
#include "wire/framer.h"

namespace orzatty::fuzz {

// What a session had to say.
enum class Said : std::uint8_t { kNothing, kSomething, kClose };

template <class Session>
class SessionRun {
 public:
  void take(const Step& step) {
    switch (step.verb) {
      case Verb::kControl:
        session_.handle_control(step.bytes, session::Fin::kNo, now_);
        break;
      case Verb::kControlEnd:
        session_.handle_control({}, session::Fin::kYes, now_);
        break;
      case Verb::kStream:
        feed(step, session::Fin::kNo);
        break;
      case Verb::kStreamEnd:
        feed(step, session::Fin::kYes);
        break;
      case Verb::kDatagram:
        session_.handle_datagram(step.bytes, now_);
        break;
      case Verb::kReset:
        session_.handle_stream_reset(streams_.at(step.stream));
        streams_.end(step.stream);
        break;
      case Verb::kPull:
        pull(step.argument * std::size_t{16});
        break;
      case Verb::kAcknowledge:
        acknowledge(step.argument);
        break;
      case Verb::kUnblock:
        sink_.unblock(session_.core().sends());
        break;
      case Verb::kTime:
        pass(step.argument);
        break;
      case Verb::kAsk:
        ask(step.argument);
        break;
      case Verb::kStop:
        sink_.stop(step.argument,
                   [&](session::StreamKey key) { session_.core().sends().release(key); });
        break;
    }
    drain();
    check(step);
  }

 protected:
  template <class... Arguments>
  explicit SessionRun(const Limits& limits, Arguments&&... arguments)
      : limits_(limits), session_(limits_, std::forward<Arguments>(arguments)..., now_) {}
  virtual ~SessionRun() = default;

  // The program around it wants something.
  virtual void ask(std::uint8_t argument) = 0;
  // Takes one output of the session.
  virtual Said take_output() = 0;
  // The session's own bytes, as they leave.
  virtual void leave(session::RemoteStream stream, BytesView bytes, session::Fin fin) = 0;

  const Limits limits_;
  Instant now_{};
  Session session_;

 private:
  void feed(const Step& step, session::Fin fin) {
    const session::RemoteStream stream = streams_.at(step.stream);
    fed_[stream.value()] += step.bytes.size();
    session_.handle_stream(stream, step.bytes, fin, now_);
    drain();
    if (fin == session::Fin::kYes) streams_.end(step.stream);
  }
  void pull(std::size_t room) {
    session_.flush(now_);
    NoSource none;
    sink_.pull(session_.core().sends(), none, room,
               [&](session::RemoteStream stream, BytesView bytes, session::Fin fin) {
                 leave(stream, bytes, fin);
               });
  }
  void acknowledge(std::size_t which) {
    session::SendTable& sends = session_.core().sends();
    sink_.acknowledge(
        which, [&](session::StreamKey key, std::uint64_t size) { sends.acked(key, size); },
        [&](session::StreamKey key) { sends.release(key); });
  }
  void pass(std::uint8_t argument) {
    now_ += argument * std::chrono::milliseconds(50);
    session_.handle_timeout(now_);
    drain();
    session_.flush(now_);
    const auto next = session_.next_timeout();
    ORZATTY_ASSERT(!next || *next > now_);  // or its owner would never rest
  }
  void drain() {
    for (Said said = take_output(); said != Said::kNothing; said = take_output()) {
      ORZATTY_ASSERT(!ended_);
      ended_ = said == Said::kClose;
    }
    for (const session::Credit& credit : session_.core().credits()) {
      std::uint64_t& fed = fed_[credit.stream.value()];
      ORZATTY_ASSERT(credit.size <= fed);
      fed -= credit.size;
    }
    session_.core().credits().clear();
  }
  void check(const Step& step) {
    const std::size_t held_max =
        limits_.reassembly_size_max + limits_.control_frame_size_max + step.bytes.size();
    ORZATTY_ASSERT(session_.core().held() <= held_max + wire::kFrameHeaderSizeMax);
    ORZATTY_ASSERT(session_.core().scratch().in_use() <= limits_.control_backlog_max);
    sink_.check();
  }

  Sink sink_{session_.core().sends()};
  RemoteStreams streams_;
  std::map<std::uint64_t, std::uint64_t> fed_;  // bytes whose credit has not come back, by stream
  bool ended_ = false;
};

}  // namespace orzatty::fuzz
