// The configuration file of `serve`: strict TOML, where an unknown key is an error.
//
//   listen = ["0.0.0.0:5000", "[::]:5000"]
//   certificate = "server.pem"          # paths are relative to this file
//   key = "server.key"
//   secret_file = "server.secret"       # the same over restarts: clients come back at once
//   metrics = "127.0.0.1:9464"          # for Prometheus, by HTTP
//   metrics_hosts = ["hub.example"]     # names that scrapers ask by, besides addresses
//   tokens = [{identity = "alice", token_file = "alice.token"}]
//
//   [limits]                            # any field of Limits, by its name
//   message_size_max = 4194304
//   stream_window = 4194304             # a message has to fit into both
//   outbox_size_max = 4194304
//   hello_timeout = "15s"
//
//   [channel_default]                   # of channels that no [[channel]] matches
//   retention_bytes = 1048576
//
//   [[channel]]                         # the first whose pattern matches counts
//   pattern = "quotes.>"
//   retention_count = 1
//   retention_age = "1h"
//   slow_policy = "latest"              # wait, drop_oldest, latest, disconnect
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "orzatty/server.h"

namespace orzatty::apps {

struct Config {
  std::string listen;  // comma-separated; empty when not stated
  std::string metrics;
  std::vector<std::string> metrics_hosts;  // names by which scrapers may ask
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::string secret;  // empty when not stated
  std::vector<NamedToken> tokens;
  bool busy_poll = false;
  Limits limits;
  ChannelConfig channel_default;
  std::vector<ChannelRule> channels;
};

// `path` is for errors, and what paths in the file are relative to.
Result<Config> parse_config(std::string_view text, const std::filesystem::path& path);
Result<Config> load_config(const std::filesystem::path& path);

std::string_view name(SlowPolicy policy);

}  // namespace orzatty::apps
