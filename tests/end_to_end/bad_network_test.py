"""What is published arrives once and in order, whatever the network between does."""

import json
import re
import signal

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


class Datagrams(through_lab.ThroughLab):
    COUNT = 2000

    def test_with_5_percent_loss_each_is_seen_in_order_or_told_as_lost(self):
        config = self.file("orzatty.toml", b"[[channel]]\npattern = 'a'\nmode = 'datagram'\n")
        lab = self.lab("seed = 1\ndelay = '5ms'\nloss = 0.05\n", "--config", config)
        subscriber = self.start("sub", "--verbose", "--json", "--timeout", 8, "a", env=self.env)
        subscriber.wait_for_line("stderr", "subscribed to a")
        source = self.file("in", b"".join(b"%d\n" % number for number in range(self.COUNT)))
        publisher = self.start("pub", "--json", "a", "--file", source, "--rate", 1000, "--mode", "datagram",
                               env=self.env)
        published, account, complaint = publisher.finish()
        self.assertEqual(published, 0, complaint)
        self.assertEqual(json.loads(account.splitlines()[-1])["handed_to_network"], self.COUNT)
        code, out, told = subscriber.finish()
        self.assertEqual(code, 4, told)  # some were missed
        lab.send(signal.SIGINT)
        network = json.loads(lab.finish()[1])
        self.assertGreater(min(network["up"]["lost"], network["down"]["lost"]), 0, network)

        offsets = [json.loads(line)["offset"] for line in out.splitlines()]
        self.assertEqual(offsets, sorted(set(offsets)))
        missed = [range(int(first), int(last) + 1) for first, last in
                  re.findall(r"missed \d+ messages of a, offsets (\d+) to (\d+): lost", told)]
        self.assertGreater(len(missed), 0)
        covered = sorted(offsets + [offset for gap in missed for offset in gap])
        self.assertEqual(covered, list(range(len(covered))))
        self.assertGreater(len(covered), 0.9 * self.COUNT)  # what the server got
        self.assertGreater(len(offsets), 0.8 * self.COUNT)


if __name__ == "__main__":
    hub.run_tests()
