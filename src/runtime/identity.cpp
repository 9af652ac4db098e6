#include "runtime/identity.h"

#include "base/utf8.h"
#include "orzatty/bytes.h"
#include "wire/frame.h"

namespace orzatty::runtime {

std::optional<std::string> problem_of_identity(std::string_view identity) {
  if (identity.empty()) return "is empty";
  if (identity.size() > wire::kIdentitySizeMax) {
    return "has more than " + std::to_string(wire::kIdentitySizeMax) + " bytes";
  }
  if (!base::is_utf8(bytes_of(identity))) return "is not UTF-8";
  if (identity.starts_with('$')) return "begins with '$', which is the server's own";
  return std::nullopt;
}

}  // namespace orzatty::runtime
