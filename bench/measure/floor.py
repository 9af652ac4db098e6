"""Rows against what the libraries and the kernel let through: a bare ngtcp2 pump and raw UDP."""

import re
import subprocess

from measure.programs import ALLOCATIONS
from measure.spreads import column, ratio, spread

SIZES = (64, 256, 1024)


def one_way(bench, size):
    return bench.interleaved(
        orzatty=lambda: bench.ours("oneway", "--size", size),
        pump=lambda: bench.beside(bench.pump, "oneway", size, bench.options.seconds))


def round_trip(bench):
    return bench.interleaved(
        orzatty=lambda: bench.ours("rtt", "--busy-poll"),
        spin_then_sleep=lambda: bench.ours("rtt"),
        pump=lambda: bench.beside(bench.pump, "rtt", 64, bench.options.seconds),
        udp=lambda: bench.beside(bench.udp, 64, bench.options.seconds))


def hub(bench):
    return bench.interleaved(
        one=lambda: bench.ours("oneway", "--through-hub"),
        many=lambda: bench.ours("fanout", "--subscribers", bench.options.subscribers),
        pump=lambda: bench.beside(bench.pump, "oneway", 64, bench.options.seconds))


def one_way_rows(bench):
    for size in SIZES:
        results = one_way(bench, size)
        rates = {name: column(runs, "messages_per_second") for name, runs in results.items()}
        sender = [column(runs, "sender_cpu_ns_per_message") for runs in results.values()]
        receiver = [column(results["orzatty"], "server_cpu_ns_per_delivery"),
                    column(results["pump"], "receiver_cpu_ns_per_message")]
        yield {"name": f"one way, {size} B", "unit": "msg/s", "ours": spread(rates["orzatty"]),
               "against": "pump", "theirs": spread(rates["pump"]),
               "ratio": ratio(rates["orzatty"], rates["pump"])}
        for side, (mine, other) in (("sender", sender), ("receiver", receiver)):
            yield {"name": f"  {side}'s CPU", "unit": "ns/msg", "ours": spread(mine), "against": "pump",
                   "theirs": spread(other), "ratio": ratio(mine, other)}


def round_trip_rows(bench):
    results = round_trip(bench)
    for ours, name in (("orzatty", "busy"), ("spin_then_sleep", "spin, then sleep")):
        for key, percentile in (("p50_us", "p50"), ("p99_us", "p99")):
            mine = column(results[ours], key)
            for against in ("udp", "pump"):
                theirs = column(results[against], key)
                yield {"name": f"round trip {percentile}, {name}", "unit": "us", "ours": spread(mine),
                       "against": {"udp": "raw UDP", "pump": "pump"}[against], "theirs": spread(theirs),
                       "ratio": ratio(mine, theirs)}


def hub_rows(bench):
    results = hub(bench)
    pump = column(results["pump"], "messages_per_second")
    count = bench.options.subscribers
    for key, name, rate in (("one", "hub 1:1, 64 B", "messages_per_second"),
                            ("many", f"hub 1:{count}, 64 B", "deliveries_per_second")):
        mine = column(results[key], rate)
        yield {"name": name, "unit": "del/s", "ours": spread(mine), "against": "pump", "theirs": spread(pump),
               "ratio": ratio(mine, pump)}
        cpu = column(results[key], "server_cpu_ns_per_delivery")
        yield {"name": "  server's CPU", "unit": "ns/del", "ours": spread(cpu)}


def allocation_rows(folder):
    program = folder / "tests" / ALLOCATIONS
    if not program.exists():
        return
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    for way, by_new, by_malloc, count in re.findall(
            r"^(.+): (\d+) allocations by operator new and (\d+) by malloc .* for (\d+)$", done.stdout, re.M):
        yield {"name": f"allocations {way}", "unit": "per msg", "ours": spread([int(by_new) / int(count)]),
               "malloc": int(by_malloc) / int(count)}
