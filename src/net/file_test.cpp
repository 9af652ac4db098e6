#include "net/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <string>

namespace orzatty::net {
namespace {

using ::testing::HasSubstr;

class File : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "orzatty.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat state{};
    EXPECT_EQ(::stat(path.c_str(), &state), 0);
    return state.st_mode & 0777U;
  }
  std::size_t entry_count() const {
    const std::filesystem::directory_iterator entries(folder_);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }
  static std::string text_in(const std::filesystem::path& path) {
    const auto bytes = read_file(path, 1'000'000);
    return bytes ? std::string(text_of(*bytes)) : "(" + bytes.error().text + ")";
  }

  std::filesystem::path folder_;
};

TEST_F(File, ReadsBackWhatWasWritten) {
  const auto path = folder_ / "state";
  const std::string large(300'000, 'x');

  for (const std::string& text : {std::string("first"), large, std::string()}) {
    ASSERT_TRUE(write_file_atomically(path, bytes_of(text), 0600));
    EXPECT_EQ(text_in(path), text);
  }
  EXPECT_EQ(entry_count(), 1U);
}

TEST_F(File, HasTheModeWhateverTheUmaskAndTheOldFile) {
  const auto path = folder_ / "key";
  const mode_t old_mask = ::umask(0777);
  EXPECT_TRUE(write_file_atomically(path, bytes_of("public"), 0644));
  EXPECT_EQ(mode_of(path), 0644U);
  EXPECT_TRUE(write_file_atomically(path, bytes_of("secret"), 0600));
  ::umask(old_mask);

  EXPECT_EQ(mode_of(path), 0600U);
}

TEST_F(File, IsReadUpToTheLimitAndRefusedBeyondIt) {
  const auto path = folder_ / "config";
  ASSERT_TRUE(write_file_atomically(path, bytes_of("12345678"), 0600));

  EXPECT_TRUE(read_file(path, 8));

  const auto refused = read_file(path, 7);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
  EXPECT_EQ(refused.error().text, path.string() + " is larger than the 7 bytes allowed for it");
}

TEST_F(File, ThatIsMissingIsNamedWithTheReason) {
  const auto path = folder_ / "missing";

  const auto bytes = read_file(path, 100);

  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().text, "cannot read " + path.string() + ": No such file or directory");
}

TEST_F(File, InAMissingFolderIsNamedWithTheReason) {
  const auto path = folder_ / "missing" / "state";

  const auto written = write_file_atomically(path, bytes_of("x"), 0600);

  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text, "cannot write " + path.string() + ": No such file or directory");
}

TEST_F(File, StandsAsItWasWhenTheNewOneCannotBeWrittenWhole) {
  const auto path = folder_ / "state";
  ASSERT_TRUE(write_file_atomically(path, bytes_of("the old one"), 0600));
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = old_limit;
  limit.rlim_cur = 10'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);

  const auto written = write_file_atomically(path, Bytes(20'000), 0600);

  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text, "cannot write " + path.string() + ": File too large");
  EXPECT_EQ(text_in(path), "the old one");
  EXPECT_EQ(entry_count(), 1U);
}

TEST_F(File, StandsAsItWasOnAFullDisk) {
  const auto disk = folder_ / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "mounting is not for this user";
  }
  const auto path = disk / "state";
  const auto old_one = write_file_atomically(path, bytes_of("the old one"), 0600);

  const auto written = write_file_atomically(path, Bytes(200'000), 0600);
  const std::string kept = text_in(path);
  ASSERT_EQ(::umount(disk.c_str()), 0);

  EXPECT_TRUE(old_one);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text, "cannot write " + path.string() + ": No space left on device");
  EXPECT_EQ(kept, "the old one");
}

TEST_F(File, PrivateFolderIsMadeWithItsParentsForTheOwnerAlone) {
  const auto path = folder_ / "a" / "b" / "c";

  ASSERT_TRUE(make_private_folder(path));
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(mode_of(folder_ / "a"), 0700U);

  EXPECT_TRUE(make_private_folder(path));
}

TEST_F(File, PrivateFolderThatOthersCanEnterIsRefusedAndNotChanged) {
  const auto path = folder_ / "open";
  std::filesystem::create_directory(path);
  ASSERT_EQ(::chmod(path.c_str(), 0755), 0);

  const auto made = make_private_folder(path);

  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().text, HasSubstr("chmod 700 " + path.string()));
  EXPECT_EQ(mode_of(path), 0755U);
}

TEST_F(File, PrivateFolderCannotBeAFile) {
  const auto path = folder_ / "file";
  std::ofstream(path) << "x";

  const auto made = make_private_folder(path);

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "cannot enter " + path.string() + ": Not a directory");
}

}  // namespace
}  // namespace orzatty::net
