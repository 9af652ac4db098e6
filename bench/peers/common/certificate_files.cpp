#include "certificate_files.h"

#include <stdlib.h>

#include <fstream>
#include <system_error>

#include "orzatty/tls.h"
#include "peer.h"

namespace orzatty::peers {

CertificateFiles::CertificateFiles() {
  const auto certificate = Certificate::self_signed();
  if (!certificate) throw Failed(certificate.error().text);
  std::string pattern = (std::filesystem::temp_directory_path() / "peer.XXXXXX").string();
  require(::mkdtemp(pattern.data()) != nullptr, "cannot make a folder for certificates");
  folder_ = pattern;
  std::ofstream(chain()) << certificate->chain_pem;
  std::ofstream(key()) << certificate->key_pem;
}

CertificateFiles::~CertificateFiles() {
  std::error_code ignored;  // a folder in the way of nobody
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace orzatty::peers
