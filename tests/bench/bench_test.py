#!/usr/bin/env python3
"""Runs every scene of `orzatty bench` and what it is compared with, briefly.

Usage: bench_test.py ORZATTY BENCH_FOLDER
"""

import json
import subprocess
import sys
import tempfile
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

    def test_one_way_of_many_connections_is_that_many_messages_together(self):
        result = self.ours("oneway", "--connections", 20, "--count", 20_001)
        self.assertEqual((result["connections"], result["channels"]), (20, 1))
        self.assertGreater(result["messages_per_second"]["median"], 0)

    def test_messages_greater_than_a_packet_arrive_whole(self):
        for words in ([], ["--connections", 3]):
            self.assertGreater(self.ours("oneway", "--size", 65_536, "--count", 100, *words)["bytes_per_second"], 0)

    def test_every_channel_of_a_connection_has_its_own_numbers(self):
        result = self.ours("channels", "--channels", 50, "--count", 20_000)
        self.assertEqual((result["connections"], result["channels"]), (1, 50))

    def test_times_have_ordered_percentiles(self):
        for words in (["rtt"], ["rtt", "--busy-poll"], ["rtt", "--in-flight", 64], ["rtt", "--no-spin"],
                      ["latency", "--rate", 2_000], ["latency", "--rate", 1_000_000, "--busy-poll"]):
            result = self.ours(*words, "--count", 200)
            times = [result[key]["median"] for key in ("p50_us", "p90_us", "p99_us", "p99_9_us", "max_us")]
            self.assertEqual(result["round_trips"], 200)
            self.assertEqual(times, sorted(times))
            self.assertGreater(times[0], 0)

    def test_latency_keeps_to_its_schedule(self):
        result = self.ours("latency", "--rate", 1_000, "--count", 100)
        self.assertLess(result["round_trips_per_second"]["median"], 1_020)

    def test_latency_counts_from_the_schedule_and_not_from_sending(self):
        # What is due at once, and far more than there is room for, has to wait for its turn.
        result = self.ours("latency", "--rate", 100_000_000, "--count", 100_000)
        self.assertGreater(result["max_us"]["median"], 1e6 * 0.3 * 100_000 / result["round_trips_per_second"]["median"])

    def test_a_histogram_holds_the_times_of_all_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "times.hgrm"
            done = run(ORZATTY, "bench", "latency", "--count", 50, "--runs", 2, "--histogram", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Total count    =          100]", path.read_text())

    def test_handshakes_are_counted_with_what_they_took_of_the_server(self):
        result = self.ours("handshakes", "--in-flight", 4, "--count", 20)
        self.assertGreater(result["handshakes_per_second"]["median"], 0)
        self.assertGreater(result["server_cpu_ns_per_handshake"], 0)

    def test_idle_connections_answer_at_the_end(self):
        result = self.ours("idle", "--connections", 30, "--seconds", 0.1)
        self.assertEqual(result["connections"], 30)
        self.assertGreater(result["server_bytes_per_connection"]["median"], 0)

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
        for waiting in ("busy", "epoll"):
            self.assertGreater(self.measured(BENCH / "udp_ping_pong", 64, 0.2, waiting)["p50_us"], 0)

    def test_raw_datagrams_arrive_one_way(self):
        if not (BENCH / "udp_one_way").exists():
            self.skipTest("built without benchmarks")
        for batching in ("gso", "plain"):
            result = self.measured(BENCH / "udp_one_way", 1452, 0.2, batching)
            self.assertGreater(result["bytes_per_second"], 0)

    def test_a_packet_is_encrypted_by_what_the_program_uses(self):
        if not (BENCH / "aead").exists():
            self.skipTest("built without benchmarks")
        self.assertGreater(self.measured(BENCH / "aead", 1430, 0.2)["ns_per_packet"], 0)


if __name__ == "__main__":
    ORZATTY, BENCH = sys.argv.pop(1), Path(sys.argv.pop(1))
    unittest.main()
