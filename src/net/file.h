// Small files: certificates, keys, tickets, state. Whole or not at all. Blocks on the disk, so
// never on an event loop. The errors name the path and the reason. Any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <expected>
#include <filesystem>

#include "orzatty/bytes.h"
#include "orzatty/error.h"

namespace orzatty::net {

// The whole file; kTooLarge when it has more than `size_max` bytes.
std::expected<Bytes, Error> read_file(const std::filesystem::path& path, std::size_t size_max);

// Replaces the file, durably when it returns. On any error, such as a full disk or a crash in
// between, the old file stands as it was. `mode` holds whatever the umask: 0600 for secrets.
std::expected<void, Error> write_file_atomically(const std::filesystem::path& path, BytesView bytes,
                                                 mode_t mode);

// A folder that only its owner can enter, made with its parents when missing. An existing one that
// others can enter is an error, not changed: it may be somebody's /tmp.
std::expected<void, Error> make_private_folder(const std::filesystem::path& path);

}  // namespace orzatty::net
