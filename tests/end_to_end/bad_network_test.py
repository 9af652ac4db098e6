"""What is published arrives once and in order, whatever the network between does."""

import hub
import through_lab


class Reliable(through_lab.ThroughLab):
    COUNT = 4000

    def assert_all_arrive(self, script, fault, **how):
        """With `fault`, a counter of the lab, at work on both ways or as often as it says."""
        account = self.carry(script, self.COUNT, **how)
        self.assertEqual((account.lost, account.duplicated, account.reordered, account.failure), (0, 0, 0, ""), account)
        network = account.network
        hits = network[fault] if fault in network else min(network["up"][fault], network["down"][fault])
        self.assertGreater(hits, 0, network)
        return account

    def test_with_5_percent_loss(self):
        self.assert_all_arrive("seed = 1\ndelay = '5ms'\nloss = 0.05\n", "lost")

    def test_with_20_percent_loss(self):
        self.assert_all_arrive("seed = 2\ndelay = '5ms'\nloss = 0.2\n", "lost")

    def test_with_bursts_of_losses(self):
        self.assert_all_arrive("seed = 3\ndelay = '5ms'\nburst_begins = 0.02\nburst_ends = 0.2\n", "lost_in_burst")

    def test_with_10_percent_late(self):
        self.assert_all_arrive("seed = 4\ndelay = '5ms'\nreordering = 0.1\n", "reordered")

    def test_with_2_percent_twice(self):
        self.assert_all_arrive("seed = 5\ndelay = '5ms'\nduplication = 0.02\n", "duplicated")

    def test_with_2_percent_corrupt(self):
        self.assert_all_arrive("seed = 6\ndelay = '5ms'\ncorruption = 0.02\n", "corrupted")

    def test_with_a_new_address_every_second(self):
        account = self.assert_all_arrive("seed = 7\ndelay = '5ms'\nrebind_every = '1s'\n", "rebinds", rate=1300)
        self.assertGreaterEqual(account.network["rebinds"], 4)  # of publisher and subscriber

    def test_with_a_black_hole_of_2_seconds(self):
        hole = "[[phase]]\nfrom = '1500ms'\nto = '3500ms'\nblack_hole = true\n"
        self.assert_all_arrive("seed = 8\ndelay = '5ms'\n" + hole, "cut", rate=1000)


class Unordered(through_lab.ThroughLab):
    COUNT = 2000

    def assert_each_arrives_once(self, script, **how):
        account = self.carry(script, self.COUNT, mode="unordered", **how)
        self.assertEqual((account.lost, account.duplicated, account.failure), (0, 0, ""), account)
        return account

    def test_with_5_percent_loss(self):
        account = self.assert_each_arrives_once("seed = 1\ndelay = '5ms'\nloss = 0.05\n")
        self.assertGreater(account.reordered, 0, "what is lost holds up no other")

    def test_with_a_new_address_every_second(self):
        self.assert_each_arrives_once("seed = 7\ndelay = '5ms'\nrebind_every = '1s'\n", rate=1000)


if __name__ == "__main__":
    hub.run_tests()
