// How every client command is told its server: by options, by the environment, by a saved context,
// in this order. What is found first counts, separately for the server, the token and the trust.
#pragma once

#include <cstdint>
#include <string>

#include "context.h"
#include "failure.h"
#include "interruption.h"
#include "orzatty/client.h"
#include "state_folder.h"

namespace CLI {
class App;
}

namespace orzatty::apps {

// As given on the command line; empty is not given.
struct ConnectionOptions {
  std::string server;
  std::string token;
  std::string token_file;
  std::string ca;
  std::string pin;
  bool insecure = false;
  std::string state;
  std::string context;
  double connect_timeout = 10;  // seconds
  std::uint32_t message_size_max = Limits{}.message_size_max;
};

// Where to connect to, and with what.
struct Target {
  std::string server;
  std::string token;
  Trust trust;
};

// `options` must outlive the parsing of `command`.
void declare_connection(CLI::App& command, ConnectionOptions& options);

// For commands that send or receive messages of any size.
void declare_message_size(CLI::App& command, ConnectionOptions& options);

// What to do about an error of that code where declare_message_size() was used; empty for others.
std::string_view message_size_advice(ErrorCode code);

// The defaults, with as much room as the largest message needs.
Limits limits_for(std::uint32_t message_size_max);

Result<Target> target_of(const ConnectionOptions& options, const Environment& environment);

// Opens the session. Until then a signal ends the process: nothing was sent yet. `client` is as for
// Client::connect(), but for what this layer knows: token, trust, limits and timeout.
Result<Client> connect(const ConnectionOptions& options, ClientOptions client,
                       Interruption& interruption);

}  // namespace orzatty::apps
