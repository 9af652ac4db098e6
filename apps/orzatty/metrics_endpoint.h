// GET /metrics and /healthz over HTTP/1.1, in a thread of its own: one connection at a time, one
// request each, a second for both ways. Meant for a scraper on the same machine; whoever can
// reach its port can delay other scrapers, and nobody else.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "failure.h"
#include "net/file_descriptor.h"

namespace orzatty::apps {

class MetricsEndpoint {
 public:
  // `text` is called in the endpoint's thread.
  static Result<std::unique_ptr<MetricsEndpoint>> open(std::string_view address,
                                                       std::function<std::string()> text);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // "127.0.0.1:9100": with the port that was taken when 0 was asked for.
  [[nodiscard]] std::vector<std::string> addresses() const;

 private:
  MetricsEndpoint(std::vector<net::FileDescriptor> listeners, net::FileDescriptor ending,
                  std::function<std::string()> text);
  void run();
  void serve(const net::FileDescriptor& connection);

  std::vector<net::FileDescriptor> listeners_;
  net::FileDescriptor ending_;
  std::function<std::string()> text_;
  std::thread thread_;
};

// The whole answer to a request's first line.
std::string http_answer(std::string_view request_line, const std::function<std::string()>& text);

}  // namespace orzatty::apps
