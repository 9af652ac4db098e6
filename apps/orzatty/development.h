// What `serve --dev` and `cert make` keep in the state folder: a certificate, a token and a secret of
// their own, made once.
#pragma once

#include <cstdint>
#include <string>

#include "failure.h"
#include "orzatty/tls.h"
#include "state_folder.h"

namespace orzatty::apps {

// 256 bits, in hex: nobody guesses it.
std::string make_token();

struct Development {
  Certificate certificate;
  std::string pin;
  std::string token;
  std::string secret;
};

// Makes what is missing; a certificate that ends within a day is replaced.
Result<Development> prepare_development(const StateFolder& folder, std::int64_t unix_time);

Result<Certificate> load_certificate(const StateFolder& folder);
Result<Certificate> make_certificate(const StateFolder& folder);

}  // namespace orzatty::apps
