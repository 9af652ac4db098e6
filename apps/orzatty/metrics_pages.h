// What the metrics' port says: /metrics, /healthz and /readyz, to whoever asks for this server by a
// name of its own. A web page whose name was made to point at this machine (DNS rebinding) asks
// with that name, and is told nothing. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace orzatty::apps {

struct HttpRequest {
  std::string_view method;
  std::string_view path;  // decoded, without what follows '?'
  std::string_view host;  // of the header Host; empty without one
};

struct HttpAnswer {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
};

// Where a server is in its life.
enum class Readiness : std::uint8_t { kStarting, kReady, kDraining };

struct MetricsSources {
  std::function<std::string()> metrics;  // in the text format of Prometheus
  std::function<Readiness()> readiness;
};

class MetricsPages {
 public:
  // `hosts` are the names and addresses, without a port, by which it may be asked besides those of
  // loopback; "0.0.0.0" and "[::]" stand for every address.
  MetricsPages(MetricsSources sources, std::vector<std::string> hosts);

  [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;

 private:
  [[nodiscard]] bool knows(std::string_view host_header) const;
  [[nodiscard]] HttpAnswer ready() const;

  MetricsSources sources_;
  std::vector<std::string> hosts_;
  bool any_address_ = false;
};

// "127.0.0.1:9464" without its port.
std::string_view host_of(std::string_view host_port);

}  // namespace orzatty::apps
