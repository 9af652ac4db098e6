#include "base/slab.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orzatty::base {
namespace {

std::vector<std::string> items(const Slab<std::string>& slab) {
  std::vector<std::string> all;
  slab.for_each([&](SlabKey key, const std::string& item) {
    EXPECT_EQ(slab.find(key), &item);
    all.push_back(item);
  });
  return all;
}

TEST(Slab, WhatWasInsertedIsFoundByItsKeyUntilItIsErased) {
  Slab<std::string> slab;
  const SlabKey key = slab.insert("one");

  ASSERT_NE(slab.find(key), nullptr);
  EXPECT_EQ(*slab.find(key), "one");
  slab.erase(key);
  EXPECT_EQ(slab.find(key), nullptr);
  EXPECT_EQ(slab.size(), 0U);
}

TEST(Slab, AKeyOfSomethingGoneDoesNotFindWhatTookItsSlot) {
  Slab<std::string> slab;
  const SlabKey old = slab.insert("old");
  slab.erase(old);

  const SlabKey young = slab.insert("young");

  EXPECT_EQ(young.slot, old.slot);
  EXPECT_NE(young, old);
  EXPECT_EQ(slab.find(old), nullptr);
  EXPECT_EQ(*slab.find(young), "young");
}

TEST(Slab, ADefaultKeyAndAKeyOfAnotherTableFindNothing) {
  Slab<std::string> slab;
  slab.insert("one");

  EXPECT_EQ(slab.find({}), nullptr);
  EXPECT_EQ(slab.find({.slot = 1, .generation = 1}), nullptr);
}

TEST(Slab, AnAddressStaysWhenTheTableGrows) {
  Slab<std::string> slab;
  const SlabKey key = slab.insert("first");
  const std::string* const address = slab.find(key);

  for (int i = 0; i < 1000; ++i) slab.insert("more");

  EXPECT_EQ(slab.find(key), address);
}

TEST(Slab, IterationIsInTheOrderOfSlots) {
  Slab<std::string> slab;
  slab.insert("a");
  const SlabKey middle = slab.insert("b");
  slab.insert("c");

  slab.erase(middle);
  EXPECT_EQ(items(slab), (std::vector<std::string>{"a", "c"}));
  slab.insert("d");
  EXPECT_EQ(items(slab), (std::vector<std::string>{"a", "d", "c"}));
}

TEST(Slab, AnItemMayBeMadeWithTheKeyThatItGets) {
  Slab<SlabKey> slab;

  const SlabKey key = slab.insert_with([](SlabKey own) { return std::make_unique<SlabKey>(own); });

  EXPECT_EQ(*slab.find(key), key);
}

TEST(SlabDeathTest, ErasingWhatIsGoneIsABug) {
  Slab<std::string> slab;
  const SlabKey key = slab.insert("one");
  slab.erase(key);
  EXPECT_DEATH(slab.erase(key), "find");
}

}  // namespace
}  // namespace orzatty::base
