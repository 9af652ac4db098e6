#include "metrics_endpoint.h"

#include <civetweb.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <future>
#include <mutex>
#include <utility>

#include "base/address.h"
#include "net/resolver.h"

namespace orzatty::apps {
namespace {

constexpr const char* kThreads = "4";     // a few scrapers and probes at once
constexpr const char* kTimeout = "1000";  // ms, for a request to arrive or an answer to leave
constexpr const char* kRequestSizeMax = "8192";  // what curl and Prometheus send is under 1 KiB
constexpr const char* kConnectionQueue = "16";   // accepted, and waiting for a thread
constexpr const char* kBacklog = "16";

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) (all += all.empty() ? "" : ",") += text;
  return all;
}

// Debian 12 builds civetweb without IPv6: then a name that has both is served by IPv4.
Result<std::vector<std::string>> addresses_of(std::string_view address) {
  const auto resolved = net::resolve(address);
  if (!resolved) return failure(ExitCode::kUsage, resolved.error().text);
  const bool has_ipv6 = mg_check_feature(MG_FEATURES_IPV6) != 0;
  std::vector<std::string> addresses;
  for (const base::Address& one : *resolved) {
    if (has_ipv6 || one.family == base::Address::Family::kIpv4) addresses.push_back(one.text());
  }
  if (addresses.empty()) {
    return failure(ExitCode::kUsage, "cannot serve metrics at " + std::string(address) +
                                         ": this system's civetweb has no IPv6; choose an IPv4 "
                                         "address with --metrics");
  }
  return addresses;
}

void send(mg_connection* connection, const HttpAnswer& answer, bool with_body) {
  mg_response_header_start(connection, answer.status);
  const auto add = [&](const char* name, std::string_view value) {
    mg_response_header_add(connection, name, value.data(), static_cast<int>(value.size()));
  };
  add("Content-Type", answer.type);
  add("Content-Length", std::to_string(answer.body.size()));
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  if (answer.status == 405) add("Allow", "GET, HEAD");
  mg_response_header_send(connection);
  if (with_body) mg_write(connection, answer.body.data(), answer.body.size());
}

std::string_view view(const char* text) { return text == nullptr ? std::string_view() : text; }

// Called by C: nothing may be thrown through it.
int answer_request(mg_connection* connection, const MetricsPages& pages) noexcept {
  const mg_request_info& info = *mg_get_request_info(connection);
  const HttpRequest request = {.method = view(info.request_method),
                               .path = view(info.local_uri),
                               .host = view(mg_get_header(connection, "Host"))};
  HttpAnswer answer;
  try {
    answer = pages.answer(request);
  } catch (const std::exception& exception) {  // such as no memory for a text
    answer = {.status = 500, .type = "text/plain", .body = {}};
  }
  send(connection, answer, request.method != "HEAD");
  return answer.status;
}

}  // namespace

// Its address is what civetweb's callbacks are given.
class MetricsEndpoint::Http {
 public:
  explicit Http(const MetricsPages& pages) : pages_(pages) { mg_init_library(MG_FEATURES_DEFAULT); }
  ~Http() {
    if (context_ != nullptr) stop();
    mg_exit_library();
  }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // False with problem() set.
  [[nodiscard]] bool start(const std::vector<std::string>& addresses) {
    const std::string ports = joined(addresses);
    // Without a document root there are no files, and the callback answers everything anyway. The
    // headers for other origins are switched off: no web page has business here.
    const std::array<const char*, 23> options = {"listening_ports",
                                                 ports.c_str(),
                                                 "num_threads",
                                                 kThreads,
                                                 "request_timeout_ms",
                                                 kTimeout,
                                                 "max_request_size",
                                                 kRequestSizeMax,
                                                 "connection_queue",
                                                 kConnectionQueue,
                                                 "listen_backlog",
                                                 kBacklog,
                                                 "enable_keep_alive",
                                                 "no",
                                                 "enable_directory_listing",
                                                 "no",
                                                 "access_control_allow_origin",
                                                 "",
                                                 "access_control_allow_methods",
                                                 "",
                                                 "access_control_allow_headers",
                                                 "",
                                                 nullptr};
    mg_callbacks callbacks{};
    callbacks.begin_request = [](mg_connection* connection) noexcept {
      return answer_request(connection, of(connection).pages_);
    };
    callbacks.log_message = [](const mg_connection* connection, const char* message) noexcept {
      Http& http = of(connection);
      const std::lock_guard lock(http.problem_guard_);  // its threads run before mg_start() returns
      if (http.problem_.empty()) http.problem_ = view(message);
      return 1;
    };
    context_ = mg_start(&callbacks, this, const_cast<const char**>(options.data()));
    if (context_ == nullptr) return false;
    host_ = host_of(addresses.front());
    if (host_.starts_with('[')) host_ = host_.substr(1, host_.size() - 2);
    port_ = this->ports().front();
    return true;
  }

  [[nodiscard]] const std::string& problem() const { return problem_; }

  // In the order of listening.
  [[nodiscard]] std::vector<std::uint16_t> ports() const {
    std::array<mg_server_port, 16> found{};
    const int count = mg_get_server_ports(context_, static_cast<int>(found.size()), found.data());
    std::vector<std::uint16_t> numbers;
    for (int i = 0; i < count; ++i) {
      numbers.push_back(static_cast<std::uint16_t>(found[static_cast<std::size_t>(i)].port));
    }
    return numbers;
  }

 private:
  // Its listening thread looks up every two seconds (1.15), or when somebody comes: so somebody
  // does.
  void stop() {
    const auto stopped = std::async(std::launch::async, [this] { mg_stop(context_); });
    while (stopped.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
      std::array<char, 64> error{};
      mg_connection* const knock =
          mg_connect_client(host_.c_str(), port_, 0, error.data(), error.size());
      if (knock != nullptr) mg_close_connection(knock);
    }
  }

  static Http& of(const mg_connection* connection) {
    return *static_cast<Http*>(mg_get_user_data(mg_get_context(connection)));
  }

  const MetricsPages& pages_;
  mg_context* context_ = nullptr;
  std::mutex problem_guard_;
  std::string problem_;  // the first that it told: why it did not start, if it did not
  std::string host_;     // where it listens
  int port_ = 0;
};

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::open(
    std::string_view address, const std::vector<std::string>& names, MetricsSources sources) {
  const auto addresses = addresses_of(address);
  if (!addresses) return std::unexpected(addresses.error());
  std::vector<std::string> hosts = names;
  for (const std::string& one : *addresses) hosts.emplace_back(host_of(one));
  auto endpoint = std::unique_ptr<MetricsEndpoint>(
      new MetricsEndpoint(MetricsPages(std::move(sources), std::move(hosts))));
  if (auto listening = endpoint->listen(*addresses); !listening) {
    return std::unexpected(listening.error());
  }
  return endpoint;
}

MetricsEndpoint::MetricsEndpoint(MetricsPages pages) : pages_(std::move(pages)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

Result<void> MetricsEndpoint::listen(const std::vector<std::string>& addresses) {
  http_ = std::make_unique<Http>(pages_);
  if (!http_->start(addresses)) {
    return failure(ExitCode::kFailed, "cannot serve metrics at " + joined(addresses) + ": " +
                                          http_->problem() +
                                          "; choose another address with --metrics");
  }
  const std::vector<std::uint16_t> ports = http_->ports();
  for (std::size_t i = 0; i < std::min(addresses.size(), ports.size()); ++i) {
    addresses_.push_back(std::string(host_of(addresses[i])) + ":" + std::to_string(ports[i]));
  }
  return {};
}

}  // namespace orzatty::apps
