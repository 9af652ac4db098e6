#include "demo_table.h"

#include <algorithm>

#include "net/clock.h"
#include "output.h"
#include "quantity.h"

namespace orzatty::apps {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(200);
constexpr std::size_t kCellWidth = 11;

std::string cell(const std::string& text) {
  return std::string(kCellWidth - std::min(kCellWidth, text.size()), ' ') + text;
}

}  // namespace

DemoTable::DemoTable(DemoPhase& phase, std::string title)
    : phase_(phase),
      title_(std::move(title)),
      is_on_(is_terminal(2)),
      next_(net::now()),
      shown_at_(net::now()) {}

bool DemoTable::is_due() const { return is_on_ && net::now() >= next_; }

void DemoTable::show() {
  std::string text;
  if (lines_shown_ > 0) text = "\x1b[" + std::to_string(lines_shown_) + "A";
  text += "\r\x1b[J" + title_ + "\n" + head() + "\n";
  for (std::size_t i = 0; i < kDemoChannels.size(); ++i) text += row(i) + "\n";
  lines_shown_ = kDemoChannels.size() + 2;
  shown_at_ = net::now();
  next_ = shown_at_ + kInterval;
  Output error(2);
  error.write(text);
  (void)error.flush();
}

void DemoTable::finish() {
  if (!is_on_) return;
  show();
  Output error(2);
  error.write("\n");
  (void)error.flush();
}

std::string DemoTable::head() const {
  std::string text = "channel" + cell("published") + cell("accepted") + cell("per second");
  for (const auto& subscriber : phase_.subscribers()) {
    text += cell("-> " + std::string(subscriber->name));
  }
  return text;
}

std::string DemoTable::row(std::size_t channel) {
  DemoPublisher& publisher = *phase_.publishers()[channel];
  const std::uint64_t published = publisher.published();
  const double time = std::max(seconds(net::now() - shown_at_), 1e-3);
  const double rate = static_cast<double>(published - published_[channel]) / time;
  published_[channel] = published;
  std::string text(kDemoChannels[channel]);
  text.resize(7, ' ');
  text += cell(std::to_string(published)) +
          cell(std::to_string(publisher.client().stats().accepted)) + cell(text_of_rate(rate));
  for (const auto& subscriber : phase_.subscribers()) {
    const auto& reception = subscriber->receptions[channel];
    text += cell(reception ? std::to_string(reception->count()) : "-");
  }
  return text;
}

}  // namespace orzatty::apps
