// Bugs that can be planted into the simulator's build, to prove that it finds them: a checker that
// catches nothing proves nothing. Each is one branch in the layer that would have it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace orzatty::base {

enum class PlantedBug : std::uint8_t {
  kNone,
  kAcceptedIsNotStored,
  kDuplicateIsStored,
  kRejectedIsStored,
  kResumesOneTooLate,
  kGapOneTooShort,
  kIdentityOfAnother,
  kNobodyIsWaitedFor,
  kRewindForgetsOne,
  kWakesNobody,
  kCreditIsLost,
};

struct PlantedBugName {
  PlantedBug bug;
  std::string_view name;
  std::string_view what;
};
constexpr std::array<PlantedBugName, 10> kPlantedBugs = {{
    {PlantedBug::kAcceptedIsNotStored, "accepted-is-not-stored",
     "the hub acknowledges a message that it does not put into the log"},
    {PlantedBug::kDuplicateIsStored, "duplicate-is-stored",
     "the hub does not look whether it had a sequence before"},
    {PlantedBug::kRejectedIsStored, "rejected-is-stored",
     "the hub rejects a message that it has put into the log"},
    {PlantedBug::kResumesOneTooLate, "resumes-one-too-late",
     "a subscription with a position goes on one message behind it"},
    {PlantedBug::kGapOneTooShort, "gap-one-too-short", "a gap leaves out its last offset"},
    {PlantedBug::kIdentityOfAnother, "identity-of-another",
     "messages carry the identity of the channel's first publisher"},
    {PlantedBug::kNobodyIsWaitedFor, "nobody-is-waited-for",
     "a channel that waits lets go of what its slowest subscriber needs"},
    {PlantedBug::kRewindForgetsOne, "rewind-forgets-one",
     "after a broken connection the first message without a fate is not sent again"},
    {PlantedBug::kWakesNobody, "wakes-nobody", "every 64th message wakes no subscriber"},
    {PlantedBug::kCreditIsLost, "credit-is-lost", "a publisher does not get all its credit back"},
}};

}  // namespace orzatty::base
