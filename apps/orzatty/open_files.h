// How many files this process may have open.
#pragma once

namespace orzatty::apps {

// Thousands of sockets are more than the 1,024 files that a process may have until it asks.
void allow_many_files();

}  // namespace orzatty::apps
