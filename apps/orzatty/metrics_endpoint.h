// The pages of the metrics over HTTP/1.1, served by civetweb in threads of its own, beside the
// server's. Meant for scrapers and probes: a connection is for one request, and what is slow, large
// or many is bounded by the constants below, so whoever can reach the port can at most hold up
// scrapers, for a second at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "metrics_pages.h"

namespace orzatty::apps {

class MetricsEndpoint {
 public:
  // `names` may be asked by besides loopback and the addresses listened on. Make it after
  // Interruption, as its threads must not take the signals.
  static Result<std::unique_ptr<MetricsEndpoint>> open(std::string_view address,
                                                       const std::vector<std::string>& names,
                                                       MetricsSources sources);
  // No source is called any more once it is gone.
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // "127.0.0.1:9464": with the port that was taken when 0 was asked for.
  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  class Http;  // civetweb

  explicit MetricsEndpoint(MetricsPages pages);
  [[nodiscard]] Result<void> listen(const std::vector<std::string>& addresses);

  MetricsPages pages_;
  std::vector<std::string> addresses_;
  std::unique_ptr<Http> http_;
};

}  // namespace orzatty::apps
