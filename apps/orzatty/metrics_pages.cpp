#include "metrics_pages.h"

#include <algorithm>
#include <utility>

#include "base/address.h"

namespace orzatty::apps {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_host(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower, lower);
}

bool is_address(std::string_view host) {
  return base::Address::parse(std::string(host) + ":1").has_value();
}

}  // namespace

std::string_view host_of(std::string_view host_port) {
  if (host_port.starts_with('[')) return host_port.substr(0, host_port.find(']') + 1);
  return host_port.substr(0, host_port.find(':'));
}

MetricsPages::MetricsPages(MetricsSources sources, std::vector<std::string> hosts)
    : sources_(std::move(sources)), hosts_(std::move(hosts)) {
  any_address_ = std::ranges::any_of(
      hosts_, [](std::string_view host) { return host == "0.0.0.0" || host == "[::]"; });
  hosts_.insert(hosts_.end(), {"localhost", "127.0.0.1", "[::1]"});
}

HttpAnswer MetricsPages::answer(const HttpRequest& request) const {
  if (!knows(request.host)) {
    return {.status = 421,
            .body =
                "This server is not known by that name: ask by its address, or start it with "
                "--metrics-host NAME.\n"};
  }
  if (request.path != "/metrics" && request.path != "/healthz" && request.path != "/readyz") {
    return {.status = 404, .body = "There are /metrics, /healthz and /readyz.\n"};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {.status = 405, .body = "Only GET and HEAD.\n"};
  }
  if (request.path == "/healthz") return {.body = "ok\n"};
  if (request.path == "/readyz") return ready();
  return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = sources_.metrics()};
}

bool MetricsPages::knows(std::string_view host_header) const {
  const std::string_view host = host_of(host_header);
  if (any_address_ && is_address(host))
    return true;  // A name can be made to point here; no address.
  return std::ranges::any_of(hosts_,
                             [&](std::string_view known) { return same_host(host, known); });
}

HttpAnswer MetricsPages::ready() const {
  switch (sources_.readiness()) {
    case Readiness::kStarting:
      return {.status = 503, .body = "starting\n"};
    case Readiness::kReady:
      return {.body = "ready\n"};
    case Readiness::kDraining:
      return {.status = 503, .body = "draining\n"};
  }
  return {.status = 503, .body = "unknown\n"};
}

}  // namespace orzatty::apps
