// What a Publisher refers to: its outbox, and the reports that its messages wait for.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "orzatty/client.h"
#include "orzatty/ids.h"
#include "session/outbox.h"

namespace orzatty {

class PublisherState {
 public:
  PublisherState(PublicationId publication, session::Outbox& log, const ProducerId& own_producer,
                 DeliveryMode delivery_mode)
      : id(publication), mode(delivery_mode), producer(own_producer), outbox(log) {}

  const PublicationId id;
  const DeliveryMode mode;
  const ProducerId producer;
  session::Outbox& outbox;

  // The writer's.
  std::uint64_t unpumped = 0;  // bytes appended since the pump was last run or offered

  // The pump's.
  bool retired = false;

  // Between the writer and the pump.
  std::atomic<bool> abandoned{false};  // by its Publisher: nothing more is appended
  struct Awaited {
    Sequence sequence;
    ReportHandler report;
  };
  std::atomic<bool> has_reports{false};
  std::mutex mutex;
  std::deque<Awaited> reports;
  std::function<void()> ready;
  std::atomic<bool> wants_ready{false};
};

}  // namespace orzatty
