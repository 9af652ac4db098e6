// A bare pump on ngtcp2 and GnuTLS, to measure Orzatty against: two processes on a core each, one
// connection, one stream, numbered messages that the receiver checks. Prints one line of JSON.
//
// Usage: pump oneway|rtt [SIZE] [SECONDS]
//   oneway  messages per second to the other process (which sleeps when it has nothing to do)
//   rtt     there and back, both processes asking without sleeping

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cores.h"
#include "cpu_time.h"
#include "end.h"
#include "message_check.h"
#include "net/clock.h"
#include "orzatty/tls.h"
#include "statistics.h"
#include "worker.h"

namespace orzatty::pump {
namespace {

using apps::Conversation;
using apps::Cores;
using apps::MessageCheck;

enum class Mode : std::uint8_t { kOneWay, kRoundTrip };

struct Plan {
  Mode mode = Mode::kOneWay;
  std::size_t size = 64;
  Duration time = std::chrono::seconds(3);
  Cores cores;
};

struct Received {
  std::uint64_t next = 0;
  std::uint64_t faults = 0;
  Duration cpu{};
};

// The other process: checks what comes, and with round trips sends it back.
int receive_all(const Plan& plan, const Certificate& certificate, Conversation& conversation) {
  plan.cores.occupy(Cores::Side::kServer);
  const auto end = End::server(certificate);
  conversation.tell(end->address().port);
  const Bytes expected = apps::numbered_message(plan.size);
  MessageCheck check(expected);
  const bool echo = plan.mode == Mode::kRoundTrip;
  end->on_message([&](BytesView payload) {
    check.take(payload);
    if (echo) end->ring().append(payload);
  });
  while (!end->closed()) {
    const bool active = end->receive();
    end->send();
    if (!active && !echo) end->wait();
  }
  return conversation.tell(
             Received{check.next(), check.lost(check.next()) + check.repeated(), apps::cpu_time()})
             ? 0
             : 1;
}

void await_handshake(End& end) {
  end.send();
  while (!end.established()) {
    end.wait();
    end.receive();
    end.send();
  }
}

struct Sent {
  std::uint64_t count = 0;
  double seconds = 0;
  double cpu_ns = 0;
};

Sent send_all(const Plan& plan, End& end) {
  Bytes message = apps::numbered_message(plan.size);
  Sent sent;
  const Instant start = net::now();
  const Duration cpu_before = apps::cpu_time();
  bool sending = true;
  while (sending || !end.ring().is_settled()) {
    const bool active = end.receive();
    sending = sending && net::now() - start < plan.time;
    while (sending && end.ring().has_room(plan.size)) {
      apps::write_number(message, sent.count++);
      end.ring().append(message);
    }
    end.send();
    if (!active) end.wait();
  }
  sent.seconds = std::chrono::duration<double>(net::now() - start).count();
  sent.cpu_ns = static_cast<double>((apps::cpu_time() - cpu_before).count());
  return sent;
}

std::vector<Duration> send_and_await(const Plan& plan, End& end) {
  Bytes message = apps::numbered_message(plan.size);
  std::vector<Duration> times;
  times.reserve(1'000'000);
  const Bytes expected = message;
  MessageCheck check(expected);
  end.on_message([&check](BytesView payload) { check.take(payload); });
  const Instant start = net::now();
  for (Instant sent_at = start; sent_at - start < plan.time;) {
    apps::write_number(message, times.size());
    sent_at = net::now();
    end.ring().append(message);
    end.send();
    while (check.next() <= times.size()) {
      if (end.receive()) end.send();
    }
    times.push_back(net::now() - sent_at);
  }
  if (check.repeated() + check.lost(times.size()) > 0) fail("an answer was lost or came twice");
  return times;
}

// Gives the nanoseconds of processor time that the receiver took.
double finish(End& end, apps::Worker& worker, std::uint64_t sent) {
  end.close();
  const auto received = worker.conversation().hear<Received>();
  if (!worker.await() || !received) fail("the receiver failed");
  if (received->next != sent || received->faults > 0) fail("messages were lost or came twice");
  return static_cast<double>(received->cpu.count());
}

int run(const Plan& plan) {
  const auto certificate = Certificate::self_signed();
  if (!certificate) fail(certificate.error().text);
  auto worker = apps::Worker::start(
      [&](Conversation& conversation) { return receive_all(plan, *certificate, conversation); });
  if (!worker) fail(worker.error().text);
  const auto port = worker->conversation().hear<std::uint16_t>();
  if (!port) fail("the receiver did not start");
  plan.cores.occupy(Cores::Side::kClients);
  const auto end = End::client(*base::Address::parse("127.0.0.1:" + std::to_string(*port)));
  await_handshake(*end);
  const std::string encrypted_by(quic::name_of(runtime::packet_protection()));
  if (plan.mode == Mode::kOneWay) {
    const Sent sent = send_all(plan, *end);
    const double receiver_ns = finish(*end, *worker, sent.count);
    const auto messages = static_cast<double>(sent.count);
    std::printf(
        "{\"bench\": \"pump oneway\", \"encrypted_by\": \"%s\", \"size\": %zu, "
        "\"messages_per_second\": %.0f, "
        "\"sender_cpu_ns_per_message\": %.1f, \"receiver_cpu_ns_per_message\": %.1f}\n",
        encrypted_by.c_str(), plan.size, messages / sent.seconds, sent.cpu_ns / messages,
        receiver_ns / messages);
  } else {
    const auto times = send_and_await(plan, *end);
    finish(*end, *worker, times.size());
    const apps::Percentiles percentiles = apps::percentiles_of(times);
    std::printf(
        "{\"bench\": \"pump rtt\", \"encrypted_by\": \"%s\", \"size\": %zu, \"p50_us\": %.2f, "
        "\"p99_us\": %.2f, "
        "\"p99_9_us\": %.2f}\n",
        encrypted_by.c_str(), plan.size, percentiles.p50, percentiles.p99, percentiles.p999);
  }
  return 0;
}

}  // namespace
}  // namespace orzatty::pump

int main(int count, char** words) {
  using namespace orzatty::pump;
  Plan plan;
  const std::string_view mode = count > 1 ? words[1] : "";
  if (count > 2) plan.size = std::strtoul(words[2], nullptr, 10);
  if (count > 3) {
    plan.time = std::chrono::duration_cast<orzatty::Duration>(
        std::chrono::duration<double>(std::strtod(words[3], nullptr)));
  }
  const bool sized = plan.size >= orzatty::apps::kNumberedSizeMin && plan.size <= 65'535;
  if ((mode != "oneway" && mode != "rtt") || count > 4 || !sized) {
    std::fputs("usage: pump oneway|rtt [SIZE 8..65535] [SECONDS]\n", stderr);
    return 2;
  }
  plan.mode = mode == "rtt" ? Mode::kRoundTrip : Mode::kOneWay;
  return run(plan);
}
