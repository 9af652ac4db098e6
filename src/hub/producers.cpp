#include "hub/producers.h"

#include "base/planted.h"

namespace orzatty::hub {

std::size_t Producer::cost() const {
  constexpr std::size_t kPlaces = 2 * (sizeof(void*) + sizeof(base::ProducerNumber));
  constexpr std::size_t kName = sizeof(id) + sizeof(identity) + sizeof(std::uint64_t);
  using Holes = base::Arrivals<Sequence>::Range;
  return base::heap_size(sizeof(Producer)) + base::tree_node_size(kName) + kPlaces +
         2 * base::heap_size(identity.size() + 1) + known.above().capacity() * sizeof(Holes) +
         refusals.memory();
}

std::expected<base::ProducerNumber, ProtocolError> Producers::join(const wire::Publish& publish,
                                                                   std::string_view identity) {
  const auto known = newest_.find(Name(publish.producer, identity));
  base::ProducerNumber number;
  if (known == newest_.end()) {
    // Nothing is known of it, be it new or older than this log: it is taken at its word.
    number = add(publish, identity);
  } else {
    Producer& producer = (*this)[known->second];
    if (publish.epoch < producer.epoch) {
      return std::unexpected(
          ProtocolError{ErrorCode::kFenced, "a newer epoch of this producer is at work"});
    }
    if (publish.epoch > producer.epoch) {
      const base::ProducerNumber older = known->second;
      producer.fenced = !base::planted(base::PlantedBug::kFenceIsOpen);
      number = add(publish, identity);
      note_if_idle(older);
    } else if (publish.next > producer.known.next() && publish.mode != DeliveryMode::kDatagram) {
      // spec: PUBLISH-1, STREAM-5
      return std::unexpected(
          ProtocolError{ErrorCode::kSequenceInvalid, "PUBLISH leaves out messages"});
    } else {
      number = known->second;
      // spec: DATAGRAM-4
      producer.lossy = producer.lossy || publish.next > producer.known.next();
      producer.known.advance(std::max(publish.next, producer.known.next()));
      if (!publish.passing) producer.refusals.forget_below(publish.next);
    }
  }
  ++(*this)[number].publications;
  return number;
}

base::ProducerNumber Producers::add(const wire::Publish& publish, std::string_view identity) {
  if (free_.empty()) {
    free_.push_back(base::ProducerNumber(static_cast<std::uint32_t>(producers_.size())));
    producers_.emplace_back();
  }
  const base::ProducerNumber number = free_.back();
  free_.pop_back();
  static_cast<void>(idle_.make_room());  // there may be none when it is needed
  auto& producer = producers_[number.value()];
  producer = std::make_unique<Producer>(pool_);
  producer->id = publish.producer;
  producer->epoch = publish.epoch;
  producer->identity = identity;
  producer->known = base::Arrivals<Sequence>(publish.next);
  producer->since = publish.next;
  producer->mode = publish.mode;
  producer->serial = ++serials_;
  newest_.insert_or_assign(Name(publish.producer, identity), number);
  return number;
}

Producer* Producers::find(const ProducerId& id, std::string_view identity) {
  const auto known = newest_.find(Name(id, identity));
  return known == newest_.end() ? nullptr : &(*this)[known->second];
}

const base::ProducerNumber* Producers::find(const ProducerId& id, std::string_view identity,
                                            ProducerEpoch epoch) const {
  const auto known = newest_.find(Name(id, std::string(identity)));
  const bool same = known != newest_.end() && (*this)[known->second].epoch == epoch;
  return same ? &known->second : nullptr;
}

void Producers::leave(base::ProducerNumber number) {
  Producer& producer = (*this)[number];
  --producer.publications;
  if (base::planted(base::PlantedBug::kProducerIsForgotten))
    newest_.erase(Name(producer.id, producer.identity));
  note_if_idle(number);
}

bool Producers::make_room(base::ProducerNumber number) {
  Producer& producer = (*this)[number];
  const bool charged = producer.charge.size() > 0 || producer.charge.resize(producer.cost());
  return charged && producer.runs.make_room();
}

void Producers::run_added(base::ProducerNumber number, std::size_t place, base::RunNumber run) {
  (*this)[number].runs.insert(place, run);
}

void Producers::run_removed(base::ProducerNumber number, std::size_t place) {
  (*this)[number].runs.erase(place);
  (*this)[number].runs.shrink();
  note_if_idle(number);
}

void Producers::value_removed(base::ProducerNumber number) {
  --(*this)[number].values;
  note_if_idle(number);
}

void Producers::note_if_idle(base::ProducerNumber number) {
  Producer& producer = (*this)[number];
  if (!producer.idle()) return;
  producer.idle_stamp = ++stamps_;  // first: an older entry of it is nothing any more
  // Where there is no memory, those who were idle for longer make room for it.
  while (!idle_.make_room() || !producer.charge.resize(producer.cost())) {
    if (idle_.empty()) return forget(number);
    forget_longest_idle();
  }
  idle_.push_back({number, producer.serial, producer.idle_stamp});
  while (idle_.size() > kIdleMax) forget_longest_idle();
}

// Or nobody, if that one is not idle any more.
void Producers::forget_longest_idle() {
  const Idle oldest = idle_.pop_front();
  const Producer* const candidate = producers_[oldest.number.value()].get();
  if (candidate == nullptr || candidate->serial != oldest.serial) return;
  if (candidate->idle() && candidate->idle_stamp == oldest.stamp) forget(oldest.number);
}

void Producers::forget(base::ProducerNumber number) {
  const auto newest = newest_.find(Name((*this)[number].id, (*this)[number].identity));
  if (newest != newest_.end() && newest->second == number) newest_.erase(newest);
  producers_[number.value()].reset();
  free_.push_back(number);
}

}  // namespace orzatty::hub
