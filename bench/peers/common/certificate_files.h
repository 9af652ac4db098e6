// A certificate for localhost as files, which is how most libraries want it. It is its own
// authority.
#pragma once

#include <filesystem>
#include <string>

namespace orzatty::peers {

// Made when constructed, gone when destroyed.
class CertificateFiles {
 public:
  CertificateFiles();
  ~CertificateFiles();
  CertificateFiles(const CertificateFiles&) = delete;
  CertificateFiles& operator=(const CertificateFiles&) = delete;

  [[nodiscard]] std::string chain() const { return (folder_ / "chain.pem").string(); }
  [[nodiscard]] std::string key() const { return (folder_ / "key.pem").string(); }
  // For other files that shall be gone with them.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace orzatty::peers
