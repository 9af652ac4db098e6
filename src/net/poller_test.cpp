#include "net/poller.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "net/clock.h"

namespace orzatty::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PollerWithAnEvent : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(poller_);
    ASSERT_TRUE(event_.is_open());
  }
  void raise_event() {
    const std::uint64_t one = 1;
    ASSERT_EQ(::write(event_.number(), &one, sizeof(one)), ssize_t{sizeof(one)});
  }

  std::expected<Poller, Error> poller_ = Poller::open();
  FileDescriptor event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
};

TEST_F(PollerWithAnEvent, NamesWhatIsReadableByItsToken) {
  ASSERT_TRUE(poller_->add(event_.number(), 42, Interest::kRead));
  raise_event();

  const auto ready = poller_->wait(std::nullopt);

  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].token, 42U);
  EXPECT_TRUE(ready[0].readable);
  EXPECT_FALSE(ready[0].writable);
}

TEST_F(PollerWithAnEvent, TellsWritableOnlyToWhoIsInterested) {
  ASSERT_TRUE(poller_->add(event_.number(), 1, Interest::kRead));
  EXPECT_TRUE(poller_->wait(now()).empty());

  poller_->change(event_.number(), 1, Interest::kReadWrite);
  const auto ready = poller_->wait(now());
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_TRUE(ready[0].writable);

  poller_->change(event_.number(), 1, Interest::kRead);
  EXPECT_TRUE(poller_->wait(now()).empty());
}

TEST_F(PollerWithAnEvent, ForgetsWhatWasRemoved) {
  ASSERT_TRUE(poller_->add(event_.number(), 1, Interest::kRead));
  raise_event();
  poller_->remove(event_.number());

  EXPECT_TRUE(poller_->wait(now()).empty());
}

TEST_F(PollerWithAnEvent, NeverReturnsBeforeItsTimeWithNothing) {
  for (const Duration delay :
       {Duration(1), Duration(microseconds(50)), Duration(milliseconds(2))}) {
    const Instant until = now() + delay;
    EXPECT_TRUE(poller_->wait(until).empty());
    EXPECT_GE(now(), until);
  }
}

TEST_F(PollerWithAnEvent, DoesNotSleepWhenTheTimeHasPassed) {
  const Instant start = now();
  EXPECT_TRUE(poller_->wait(start - seconds(3600)).empty());
  EXPECT_LT(now() - start, seconds(60));
}

TEST(Poller, SaysWhyItCannotWaitForADescriptor) {
  auto poller = Poller::open();
  ASSERT_TRUE(poller);

  const auto added = poller->add(-1, 1, Interest::kRead);

  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().text, "cannot wait for a descriptor: Bad file descriptor");
}

// Makes the kernel answer like one that is older than epoll_pwait2. 77: not allowed here.
int wait_on_an_old_kernel() {
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 77;
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return 77;

  auto poller = Poller::open();
  const FileDescriptor event(::eventfd(0, EFD_NONBLOCK));
  if (!poller || !poller->add(event.number(), 5, Interest::kRead)) return 1;
  const Instant until = now() + microseconds(1500);
  if (!poller->wait(until).empty() || now() < until) return 2;
  const std::uint64_t one = 1;
  if (::write(event.number(), &one, sizeof(one)) != sizeof(one)) return 3;
  return poller->wait(std::nullopt).size() == 1 ? 0 : 4;
}

TEST(Poller, StillWaitsWhereTheKernelKnowsOnlyMilliseconds) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(wait_on_an_old_kernel());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);

  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no seccomp for this user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace orzatty::net
