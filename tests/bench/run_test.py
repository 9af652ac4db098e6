#!/usr/bin/env python3
"""The table of bench/run: medians, ratios of neighbours, the peers' rows and the picture. Nothing is measured.

Usage: run_test.py
"""

import contextlib
import io
import itertools
import sys
import tempfile
import types
import unittest
import xml.dom.minidom
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "bench"))

from measure import floor, growth, latency, latency_plot, limits, peers, sessions  # noqa: E402
from measure.plot import series_of, svg_of, write_plot  # noqa: E402
from measure.programs import Bench  # noqa: E402
from measure.spreads import ratio, spread  # noqa: E402
from measure.table import line_of  # noqa: E402

FACTS = {"cpu": "a <fast> one", "cores": 2, "load": 0.0, "runs": 3, "seconds": 1}


class RecordedBench(Bench):
    """Answers for the programs with given rates, over and over, and remembers what was asked for."""

    def __init__(self, our_rates, their_rates):
        super().__init__(Path("/build"), types.SimpleNamespace(runs=3, seconds=1, subscribers=100))
        self.rates = {"ours": itertools.cycle(our_rates), "theirs": itertools.cycle(their_rates)}
        self.asked = []

    def answer(self, side, words):
        self.asked.append((side, *words))
        rate = next(self.rates[side])
        return {"messages_per_second": rate, "deliveries_per_second": 100 * rate, "p50_us": rate, "p99_us": 2 * rate,
                "sender_cpu_ns_per_message": rate, "receiver_cpu_ns_per_message": rate,
                "server_cpu_ns_per_delivery": rate, "bytes_per_second": 64 * rate, "ns_per_packet": 2 * rate,
                "p90_us": 1.5 * rate, "p99_9_us": 3 * rate, "max_us": 4 * rate, "round_trips_per_second": 1e6 / rate,
                "handshakes_per_second": rate, "server_cpu_ns_per_handshake": 1e6 * rate,
                "clients_cpu_ns_per_handshake": 2e6 * rate, "server_bytes_per_connection": 1024 * rate,
                "server_cpu_percent": rate}

    def ours(self, *words):
        return self.answer("ours", words)

    def beside(self, program, *words):
        return self.answer("theirs", (program[0].name, *words))


def rows_of(bench, rows, *more):
    with contextlib.ExitStack() as stack:
        for part in (peers, limits, latency):
            stack.enter_context(mock.patch.object(part, "awake_cores", contextlib.nullcontext))
        return list(rows(bench, *more))


class Table(unittest.TestCase):
    def test_a_spread_is_the_median_from_least_to_most(self):
        self.assertEqual(spread([5, 1, 3]), {"median": 3, "min": 1, "max": 5})

    def test_a_ratio_is_of_neighbours_and_not_of_medians(self):
        # A disturbance that halves both runs of a pair leaves its ratio as it is.
        self.assertEqual(ratio([10, 5, 30], [5, 2.5, 10]), {"median": 2, "min": 2, "max": 3})

    def test_a_line_has_both_sides_and_their_ratio(self):
        line = line_of({"name": "one way, 64 B", "unit": "msg/s", "ours": spread([7.4e6]), "against": "pump",
                        "theirs": spread([11.6e3]), "ratio": spread([2.5])})

        self.assertEqual(line.split(), "one way, 64 B msg/s 7.40 M (7.40 M to 7.40 M) pump 11.60 k (11.60 k to "
                                       "11.60 k) 2.50 x (2.50 to 2.50)".split())

    def test_each_size_beside_the_pump_has_a_rate_and_the_cpu_of_both_sides(self):
        names = [row["name"] for row in rows_of(RecordedBench([1], [2]), floor.one_way_rows)]

        self.assertEqual(names[:3], ["one way, 64 B", "  sender's CPU", "  receiver's CPU"])
        self.assertEqual(len(names), 9)


    def test_a_line_says_what_is_wanted(self):
        line = line_of({"name": "memory", "unit": "KiB", "ours": spread([30]), "goal": "<= 36"})

        self.assertTrue(line.endswith("goal <= 36"), line)


class Limits(unittest.TestCase):
    def test_the_cipher_alone_lets_through_its_bytes_by_its_time(self):
        rows = rows_of(RecordedBench([1], [715]), limits.bytes_rows)

        cipher = next(row for row in rows if row.get("against") == "AEAD alone")
        self.assertEqual(cipher["theirs"]["median"], 1430 * 1e9 / (2 * 715))

    def test_waiting_asleep_stands_beside_datagrams_that_do_too(self):
        bench = RecordedBench([45], [30])

        rows = rows_of(bench, limits.asleep_rows)

        self.assertIn(("ours", "rtt", "--no-spin"), bench.asked)
        self.assertIn(("theirs", "udp_ping_pong", 64, 1, "epoll"), bench.asked)
        self.assertEqual([row.get("goal") for row in rows], ["<= 1.7", None, None, None])


class Growth(unittest.TestCase):
    def test_many_stand_beside_one_of_them_in_the_same_run(self):
        bench = RecordedBench([1, 2, 4], [])

        rows = rows_of(bench, growth.many_rows)

        self.assertEqual([asked[-1] for asked in bench.asked[:6]], [1, 200, 1000] * 2)
        costs = [row["ratio"]["median"] for row in rows if "CPU" in row["name"]]
        self.assertEqual(costs[:2], [2, 4])

    def test_flatness_is_of_runs_beside_each_other(self):
        # Each run is twice as dear at its dearest, though the machine was four times as slow in the second.
        self.assertEqual(growth.flatness([[1, 4], [2, 8], [1.5, 6]]), {"median": 2, "min": 2, "max": 2})

    def test_a_curve_is_gated_up_to_a_thousand(self):
        rows = rows_of(RecordedBench([1, 1, 1.2, 1.1, 9], []), growth.curve_rows, "subscribers", (1, 10, 100, 1000, 10_000))

        self.assertEqual(rows[-2]["ratio"]["median"], 9)
        self.assertEqual((rows[-1]["ours"]["median"], rows[-1]["goal"]), (1.2, "<= 1.3"))

    def test_sizes_have_a_cost_of_each_byte_and_no_flatness(self):
        rows = rows_of(RecordedBench([64], []), growth.curve_rows, "bytes", (64, 128))

        self.assertEqual([(row["unit"], row["ours"]["median"]) for row in rows],
                         [("ns/msg", 128), ("ns/B", 2), ("ns/msg", 128), ("ns/B", 1)])


class Sessions(unittest.TestCase):
    def test_a_handshake_costs_milliseconds_of_each_side(self):
        rows = rows_of(RecordedBench([0.4], []), sessions.handshake_rows)

        self.assertEqual([(row["ours"]["median"], row.get("goal")) for row in rows[1:]], [(0.4, "<= 0.5"), (0.8, None)])

    def test_memory_is_of_one_run_with_ten_thousand(self):
        bench = RecordedBench([30], [])

        rows = rows_of(bench, sessions.idle_rows)

        self.assertEqual(bench.asked, [("ours", "idle", "--connections", 10_000)])
        self.assertEqual((rows[0]["ours"]["median"], rows[0]["unit"]), (30, "KiB each"))


class Latency(unittest.TestCase):
    text = ("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
            "      10.000 0.000000000000          1           1.00\n"
            "      20.000 0.900000000000          9          10.00\n"
            "    3000.000 0.999000000000         10        1000.00\n"
            "    3000.000 1.000000000000         10\n"
            "#[Mean    =      400.000, StdDeviation   =      900.000]\n")

    def rows(self):
        return [{"name": "latency p50, 10000 a second", "distribution": latency.distribution(self.text)}]

    def test_a_distribution_is_read_line_by_line(self):
        self.assertEqual(latency.distribution(self.text), [(0, 10), (0.9, 20), (0.999, 3000), (1, 3000)])

    def test_every_rate_has_its_percentiles(self):
        names = [row["name"] for row in rows_of(RecordedBench([1], []), latency.schedule_rows)]

        self.assertEqual(names[:5], [f"latency {percentile}, 10000 a second"
                                     for percentile in ("p50", "p90", "p99", "p99.9", "max")])
        self.assertEqual(len(names), 5 * len(latency.RATES))

    def test_its_picture_leaves_out_the_end_that_lies_infinitely_far(self):
        self.assertEqual(latency_plot.series_of(self.rows()), {"10,000 a second": [(0, 10), (0.9, 20), (0.999, 3000)]})

    def test_each_nine_of_it_is_as_wide_as_the_one_before(self):
        axes = latency_plot.Axes(latency_plot.series_of(self.rows()))

        self.assertAlmostEqual(axes.x(0.99) - axes.x(0.9), axes.x(0.9) - axes.x(0))
        self.assertEqual([latency_plot.percent_name(nines) for nines in range(5)],
                         ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"])

    def test_its_curve_lies_inside_the_picture(self):
        picture = xml.dom.minidom.parseString(latency_plot.svg_of(FACTS, self.rows()))

        places = picture.getElementsByTagName("polyline")[0].getAttribute("points").split()
        self.assertEqual(len(places), 3)
        for x, y in (map(float, place.split(",")) for place in places):
            self.assertTrue(0 <= x <= 860 and 0 <= y <= 480, places)

    def test_what_was_not_measured_is_not_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            write_plot(Path(folder), FACTS, self.rows())

            self.assertEqual([path.name for path in Path(folder).iterdir()], ["latency.svg"])


class Peers(unittest.TestCase):
    def test_each_run_of_a_peer_has_one_of_ours_beside_it(self):
        bench = RecordedBench([8, 2, 9], [4, 1, 3])

        rows = rows_of(bench, peers.one_way_rows, peers.PEERS[:1])

        self.assertEqual([asked[0] for asked in bench.asked[:6]], ["ours", "theirs"] * 3)
        self.assertEqual(rows[0]["name"], "one way, 64 B")
        self.assertEqual(rows[0]["against"], "raw TLS, 1 a write")
        self.assertEqual(rows[0]["ratio"], {"median": 2, "min": 2, "max": 3})

    def test_what_is_not_encrypted_says_so(self):
        for peer in peers.PEERS:
            self.assertEqual("plain" in peer.variant, "plain" in peer.name, peer)

    def test_one_way_goes_through_every_size_and_peer(self):
        rows = rows_of(RecordedBench([1], [1]), peers.one_way_rows, peers.PEERS)

        self.assertEqual(len(rows), 3 * len(peers.PEERS))
        self.assertEqual({row["name"] for row in rows}, {"one way, 64 B", "one way, 256 B", "one way, 1024 B"})

    def test_round_trips_leave_out_what_only_batches(self):
        rows = rows_of(RecordedBench([1], [1]), peers.round_trip_rows, peers.PEERS)

        self.assertNotIn("raw TLS, 32 a write", {row["against"] for row in rows})
        self.assertEqual({row["name"] for row in rows},
                         {"round trip p50, cores awake", "round trip p99, cores awake"})

    def test_the_hub_stands_beside_the_broker_and_who_can_fan_out(self):
        bench = RecordedBench([1], [1])

        rows = rows_of(bench, peers.hub_rows, peers.PEERS)

        one = [row["against"] for row in rows if row["name"] == "hub 1:1, 64 B"]
        many = [row["against"] for row in rows if row["name"] == "hub 1:100, 64 B"]
        self.assertEqual(one, ["NATS TLS", "NATS, plain"])
        self.assertEqual(many, ["ZeroMQ CURVE", "NATS TLS", "ZeroMQ, plain", "NATS, plain"])
        self.assertIn(("theirs", "zmq", "fanout", 64, 1, "--variant", "curve", "--subscribers", 100), bench.asked)

    def test_a_peer_that_was_not_built_is_named_and_left_out(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
            (Path(folder) / "zmq").touch()
            present = peers.built_peers(Path(folder))

        self.assertEqual({peer.program for peer in present}, {"zmq"})
        self.assertIn("enet, grpc, nats, tls, websocket (tools/setup peers)", said.getvalue())


class Plot(unittest.TestCase):
    rows = [
        {"name": "one way, 64 B", "ours": spread([8e6]), "against": "pump", "theirs": spread([1e7])},
        {"name": "one way, 1024 B", "ours": spread([8e5]), "against": "pump", "theirs": spread([1e6])},
        {"name": "one way, 64 B", "ours": spread([7e6]), "against": "R & D", "theirs": spread([3e5])},
        {"name": "  sender's CPU", "ours": spread([80]), "against": "pump", "theirs": spread([80])},
    ]

    def test_ours_is_one_curve_and_each_other_has_its_own(self):
        self.assertEqual(series_of(self.rows), {"Orzatty": {64: 8e6, 1024: 8e5}, "pump": {64: 1e7, 1024: 1e6},
                                                "R & D": {64: 3e5}})

    def test_the_picture_is_xml_with_every_curve_inside_it(self):
        picture = xml.dom.minidom.parseString(svg_of(FACTS, self.rows))

        curves = picture.getElementsByTagName("polyline")
        self.assertEqual(len(curves), 3)
        for curve in curves:
            for place in curve.getAttribute("points").split():
                x, y = map(float, place.split(","))
                self.assertTrue(0 <= x <= 860 and 0 <= y <= 480, place)

    def test_it_is_written_into_a_folder_that_need_not_be_there(self):
        with tempfile.TemporaryDirectory() as folder:
            write_plot(Path(folder) / "new", FACTS, self.rows)

            self.assertTrue((Path(folder) / "new" / "throughput.svg").exists())


if __name__ == "__main__":
    unittest.main()
