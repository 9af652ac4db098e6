#!/usr/bin/env python3
"""Runs every scene of `orzatty bench` and what it is compared with, briefly.

Usage: bench_test.py ORZATTY BENCH_FOLDER
"""

import json
import subprocess
import sys
import unittest
from pathlib import Path


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False)


class Bench(unittest.TestCase):
    def measured(self, *words):
        done = run(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def ours(self, *words):
        result = self.measured(ORZATTY, "bench", *words, "--runs", 1, "--json")
        self.assertEqual((result["lost"], result["repeated"]), (0, 0))
        return result

    def test_one_way_reaches_a_handler(self):
        self.assertGreater(self.ours("oneway", "--count", 20_000)["messages_per_second"]["median"], 0)

    def test_one_way_reaches_a_subscriber_of_the_hub(self):
        result = self.ours("oneway", "--through-hub", "--count", 20_000, "--size", 1024)
        self.assertGreater(result["subscribers_cpu_ns_per_delivery"], 0)

    def test_round_trips_have_ordered_percentiles(self):
        for words in ([], ["--busy-poll"]):
            result = self.ours("rtt", "--count", 200, *words)
            p50, p99, p999 = (result[key]["median"] for key in ("p50_us", "p99_us", "p99_9_us"))
            self.assertEqual(result["round_trips"], 200)
            self.assertTrue(0 < p50 <= p99 <= p999, result)

    def test_fan_out_delivers_every_message_to_each_subscriber(self):
        result = self.ours("fanout", "--subscribers", 5, "--count", 2_000)
        per_message = result["deliveries_per_second"]["median"] / result["messages_per_second"]["median"]
        self.assertAlmostEqual(per_message, 5)

    def test_a_message_without_room_for_its_number_is_a_usage_error(self):
        self.assertEqual(run(ORZATTY, "bench", "oneway", "--size", 7).returncode, 2)

    def test_without_a_scene_it_is_a_usage_error(self):
        self.assertEqual(run(ORZATTY, "bench").returncode, 2)

    def test_the_bare_pump_loses_nothing(self):
        if not (BENCH / "pump").exists():
            self.skipTest("built without benchmarks")
        self.assertGreater(self.measured(BENCH / "pump", "oneway", 64, 0.2)["messages_per_second"], 0)
        self.assertGreater(self.measured(BENCH / "pump", "rtt", 64, 0.2)["p50_us"], 0)

    def test_raw_datagrams_come_back(self):
        if not (BENCH / "udp_ping_pong").exists():
            self.skipTest("built without benchmarks")
        self.assertGreater(self.measured(BENCH / "udp_ping_pong", 64, 0.2)["p50_us"], 0)


if __name__ == "__main__":
    ORZATTY, BENCH = sys.argv.pop(1), Path(sys.argv.pop(1))
    unittest.main()
