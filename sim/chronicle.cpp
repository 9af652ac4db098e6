#include "sim/chronicle.h"

namespace orzatty::sim {

namespace {

std::string line(const ServerRose& rose) {
  return "life " + std::to_string(rose.life.value()) + " of the server begins";
}
std::string line(const ServerFell& fell) {
  return "life " + std::to_string(fell.life.value()) + " of the server ends";
}
std::string line(const ProgramBegan& began) {
  return "program " + std::to_string(began.program.value()) + " of " + std::string(began.identity);
}
std::string line(const ProgramKilled& killed) {
  return "program " + std::to_string(killed.program.value()) + " is gone";
}
std::string line(const Published& published) {
  return text_of({published.program, published.publication, published.sequence}) + " into " +
         std::string(published.channel);
}
std::string line(const FateTold& told) {
  return text_of({told.program, told.publication, told.from}) + " to " +
         std::to_string(told.to.value()) + " " + std::string(fate_name(told.fate)) + " " +
         std::string(told.channel) + "@" +
         (told.first_offset ? std::to_string(told.first_offset->value()) : "?") + " " +
         std::string(name(told.code));
}
std::string line(const SubscriptionAsked& asked) {
  return "program " + std::to_string(asked.program.value()) + " subscribes to " +
         std::string(asked.pattern->text());
}
std::string line(const SubscriptionConfirmed& confirmed) {
  return "program " + std::to_string(confirmed.program.value()) + " is subscribed";
}
std::string line(const SubscriptionOver& over) {
  return "program " + std::to_string(over.program.value()) +
         "'s subscription ends: " + std::string(name(over.code));
}
std::string line(const MessagesSeen& seen) {
  return "program " + std::to_string(seen.program.value()) + " sees " + std::string(seen.channel) +
         "@" + std::to_string(seen.first.value()) + " to " +
         std::to_string(seen.first.value() + seen.messages.size());
}
std::string line(const GapSeen& seen) {
  return "program " + std::to_string(seen.program.value()) + " misses " +
         std::string(seen.channel) + "@" + std::to_string(seen.gap.from.value()) + " to " +
         std::to_string(seen.gap.to.value()) + " by " + std::string(name(seen.gap.reason));
}
std::string line(const ResetSeen& seen) {
  return "program " + std::to_string(seen.program.value()) + " is told that " +
         std::string(seen.channel) + " began anew";
}
std::string line(const IntruderHeard& heard) {
  return "intruder " + std::to_string(heard.program.value()) + " hears " + std::string(heard.what);
}
std::string line(const SessionBroken& broken) {
  return "program " + std::to_string(broken.program.value()) +
         " is thrown out: " + std::string(broken.text);
}
std::string line(const ProducerNamed& named) {
  return "program " + std::to_string(named.program.value()) + " is epoch " +
         std::to_string(named.epoch.value()) + " of " + std::string(named.producer);
}
std::string line(const WasWelcomed& welcomed) {
  return "program " + std::to_string(welcomed.program.value()) + " is welcome as " +
         std::string(welcomed.identity) + (welcomed.resumed ? ", again" : "");
}
std::string session(SessionNumber number, std::string_view what) {
  return "session " + std::to_string(number.value()) + std::string(what);
}
std::string line(const SessionBegan& began) { return session(began.session, " begins"); }
std::string line(const SessionAway& away) { return session(away.session, " waits"); }
std::string line(const SessionBack& back) { return session(back.session, " goes on"); }
std::string line(const SessionOver& over) { return session(over.session, " ends"); }
std::string line(const DirectSent& sent) {
  return session(sent.session, " is sent " + std::to_string(sent.sequence.value()));
}
std::string line(const DirectSeen& seen) {
  return "program " + std::to_string(seen.program.value()) + " gets " +
         std::to_string(seen.sequence.value()) + " of " + session(seen.session, "");
}
std::string line(const DirectLost& lost) {
  return "program " + std::to_string(lost.program.value()) + " misses what was sent to it alone";
}
std::string line(const RequestAsked& asked) { return text_of(asked.request) + " wants a reply"; }
std::string line(const ReplyGiven& given) {
  return std::string(given.identity) + " replies to " + text_of(given.request);
}
std::string line(const ReplySeen& seen) {
  return text_of(seen.request) + " is answered by " + std::string(seen.responder);
}
std::string line(const ReplyPassedOver& seen) {
  return "program " + std::to_string(seen.program.value()) + " passes over a reply to " +
         text_of(seen.request);
}
std::string line(const RequestOver& over) {
  return text_of(over.request) + " has no reply: " + std::string(over.how);
}
std::string line(const HubGrew&) { return {}; }
std::string line(const StillWaiting&) { return {}; }
std::string line(const IntruderActed&) { return "an intruder has changed something"; }
std::string line(const Counted&) { return {}; }
std::string line(const Healed&) { return {}; }

}  // namespace

std::string_view fate_name(Fate fate) {
  switch (fate) {
    case Fate::kAccepted:
      return "accepted";
    case Fate::kRejected:
      return "rejected";
    case Fate::kUnknown:
      return "unknown";
    case Fate::kExpired:
      return "expired";
    case Fate::kSuperseded:
      return "superseded";
    case Fate::kHandedToNetwork:
      return "handed to the network";
  }
  return "without a name";
}

std::string text_of(const MessageName& name) {
  return "message " + std::to_string(name.program.value()) + "." +
         std::to_string(name.publication.value()) + "." + std::to_string(name.sequence.value());
}

std::string line_of(const Happening& happening) {
  return std::visit([](const auto& kind) { return line(kind); }, happening);
}

void Chronicle::handle(const Happening& happening) {
  ++happening_count_;
  trace_.add(happening.index());
  if (trace_.told()) {
    if (const std::string text = line_of(happening); !text.empty()) trace_.tell(text);
  }
  for (const auto& checker : checkers_) checker->handle(happening);
  look_for_violations();
}

void Chronicle::finish() {
  for (const auto& checker : checkers_) checker->finish();
  look_for_violations();
}

std::string Chronicle::unrest() const {
  for (const auto& checker : checkers_) {
    if (std::string who = checker->unrest(); !who.empty()) return who;
  }
  return {};
}

void Chronicle::look_for_violations() {
  if (violation_) return;
  for (const auto& checker : checkers_) {
    if (!checker->violations().empty()) violation_ = checker->violations().front();
  }
}

}  // namespace orzatty::sim
