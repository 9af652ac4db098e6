#include "member.h"

#include <charconv>
#include <utility>

#include "net/clock.h"

namespace orzatty::fleet {

namespace {

std::string channel_of(std::uint32_t number) { return "fleet." + std::to_string(number); }

std::chrono::milliseconds wall_clock() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = ~std::uint64_t{0};
  const std::size_t digits = text.find_first_not_of('0');
  if (digits == std::string_view::npos) return 0;
  std::from_chars(text.data() + digits, text.data() + text.size(), number);
  return number;
}

}  // namespace

Member::Member(const Task& task) : task_(task), fates_(task.messages) {}

std::expected<void, Error> Member::begin(const std::string& address, ClientOptions options) {
  options.on_state = [this](const StateEvent& event) { on_state(event); };
  auto client = Client::connect(address, std::move(options));
  if (!client) return std::unexpected(client.error());
  client_ = std::move(*client);
  auto publisher = client_->publisher(channel_of(task_.number));
  if (!publisher) return std::unexpected(publisher.error());
  publisher_ = std::move(*publisher);
  SubscribeOptions how;
  how.from = StartPosition::start();
  how.on_gap = [this](std::string_view, const Gap& gap) {
    heard_.push_back({Happening::Kind::kGap, gap.from.value(), gap.to.value()});
  };
  how.on_reset = [this](std::string_view) { heard_.push_back({.kind = Happening::Kind::kReset}); };
  how.on_end = [this](const Error& error) {
    if (failure_.empty() && error.code != ErrorCode::kNone) failure_ = error.text;
  };
  auto subscription = client_->subscribe(
      channel_of(task_.neighbour), [this](const Message& message) { on_message(message); },
      std::move(how));
  if (!subscription) return std::unexpected(subscription.error());
  subscription_ = std::move(*subscription);
  return {};
}

bool Member::send_next() {
  std::string text = std::to_string(sent_);
  if (text.size() < task_.size) text.insert(0, task_.size - text.size(), '0');
  const auto sent = publisher_->try_send(
      std::string_view(text), [this](const DeliveryReport& report) { on_report(report); });
  if (sent) ++sent_;
  gone_ = !sent && sent.error().kind != ErrorKind::kBusy;
  return sent.has_value();
}

void Member::on_report(const DeliveryReport& report) {
  std::optional<Told>& told = fates_[report.sequence.value()];
  if (told) failure_ = "two fates of one message";
  told = Told{report.fate, report.offset ? report.offset->value() : 0};
  told_.fetch_add(1);
}

void Member::on_message(const Message& message) {
  const std::uint64_t number = number_in(message.text());
  heard_.push_back({Happening::Kind::kMessage, message.offset().value(), number});
  if (number >= next_.load()) next_.store(number + 1);
}

void Member::on_state(const StateEvent& event) {
  if (event.state == ConnectionState::kReconnecting) {
    away_since_ = net::now();
    ++causes_[event.text.empty() ? std::string(name(event.code)) : event.text];
  } else if (event.state == ConnectionState::kConnected && away_since_) {
    absences_.push_back(net::now() - *std::exchange(away_since_, std::nullopt));
    last_return_ = wall_clock();
  } else if (event.state == ConnectionState::kClosed && event.code != ErrorCode::kNone) {
    failure_ = event.text;
  }
}

void Member::end() {
  if (!client_) return;
  subscription_.reset();
  static_cast<void>(client_->close(Duration::zero()));
  stats_ = client_->stats();
  publisher_.reset();
  client_.reset();
}

}  // namespace orzatty::fleet
