#include "net/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "net/file_descriptor.h"
#include "net/io_error.h"

namespace orzatty::net {
namespace {

std::unexpected<Error> failure(std::string_view what, const std::string& path, int number) {
  std::string text("cannot ");
  text += what;
  text += ' ';
  text += path;
  return std::unexpected(io_error(text, number));
}

// 0 or a value of errno.
int write_all(int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return 0;
}

// A disk may report only at fsync() or close() that it is full: so both count.
int write_temporary(int fd, BytesView bytes, mode_t mode) {
  if (const int number = write_all(fd, bytes); number != 0) return number;
  if (::fchmod(fd, mode) != 0) return errno;
  return ::fsync(fd) == 0 ? 0 : errno;
}

// A rename is durable when its folder is.
int sync_folder_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const FileDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open()) return errno;
  // Some file systems cannot sync a folder, and say EINVAL; they have nothing better to offer.
  return ::fsync(descriptor.number()) == 0 || errno == EINVAL ? 0 : errno;
}

int make_folders(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return 0;
  if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) return errno;
  if (const int number = make_folders(path.parent_path()); number != 0) return number;
  return ::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST ? 0 : errno;
}

}  // namespace

std::expected<Bytes, Error> read_file(const std::filesystem::path& path, std::size_t size_max) {
  const std::string name = path.string();
  const FileDescriptor descriptor(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open()) return failure("read", name, errno);
  // Not by the size that stat() tells: it is 0 for pipes and /proc, and may change meanwhile.
  Bytes bytes;
  std::size_t used = 0;
  for (;;) {
    if (used > size_max) {
      return std::unexpected(Error{.kind = ErrorKind::kTooLarge,
                                   .text = name + " is larger than the " +
                                           std::to_string(size_max) + " bytes allowed for it"});
    }
    constexpr std::size_t chunk = 64 * 1024;
    bytes.resize(used + std::min(chunk, size_max - used + 1));
    const ssize_t size = ::read(descriptor.number(), bytes.data() + used, bytes.size() - used);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure("read", name, errno);
    used += static_cast<std::size_t>(size);
    if (size == 0) break;
  }
  bytes.resize(used);
  return bytes;
}

std::expected<void, Error> write_file_atomically(const std::filesystem::path& path, BytesView bytes,
                                                 mode_t mode) {
  const std::string name = path.string();
  // In the same folder, because rename() does not cross file systems; a name of its own, so that
  // two writers do not mix.
  std::string temporary = name + ".XXXXXX";
  FileDescriptor descriptor(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!descriptor.is_open()) return failure("write", name, errno);
  int number = write_temporary(descriptor.number(), bytes, mode);
  if (number == 0 && ::rename(temporary.c_str(), name.c_str()) != 0) number = errno;
  if (number != 0) {
    ::unlink(temporary.c_str());
    return failure("write", name, number);
  }
  number = sync_folder_of(path);
  if (number != 0) return failure("sync the folder of", name, number);
  return {};
}

std::expected<void, Error> make_private_folder(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (const int number = make_folders(path); number != 0) return failure("make", name, number);
  struct stat state{};
  if (::stat(name.c_str(), &state) != 0) return failure("enter", name, errno);
  if (!S_ISDIR(state.st_mode)) return failure("enter", name, ENOTDIR);
  if (state.st_uid != ::geteuid()) {
    return std::unexpected(Error{.text = name + " belongs to another user: choose another folder"});
  }
  if ((state.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return std::unexpected(Error{.text = name + " is open to other users: chmod 700 " + name});
  }
  return {};
}

}  // namespace orzatty::net
