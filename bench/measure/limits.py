"""Rows against what the kernel and the cipher alone do."""

from measure.cores import awake_cores
from measure.spreads import column, lone_row, row

LARGE = 65_536
PACKET = 1452
PLAINTEXT = 1430  # of a packet
EPOLL_GOAL = "<= 1.7"


def bytes_rows(bench):
    seconds = bench.options.seconds
    results = bench.interleaved(
        ours=lambda: bench.ours("oneway", "--size", LARGE),
        gso=lambda: bench.beside(bench.udp_one_way, PACKET, seconds, "gso"),
        plain=lambda: bench.beside(bench.udp_one_way, PACKET, seconds, "plain"),
        aead=lambda: bench.beside(bench.aead, PLAINTEXT, min(seconds, 1)))
    mine = column(results["ours"], "bytes_per_second")
    for key, against in (("gso", "raw UDP, GSO"), ("plain", "raw UDP, no GSO")):
        yield row("one way, 64 KiB", "B/s", mine, against, column(results[key], "bytes_per_second"))
    # What the cipher alone would let through, of the same bytes.
    cipher = [PLAINTEXT * 1e9 / time for time in column(results["aead"], "ns_per_packet")]
    yield row("one way, 64 KiB", "B/s", mine, "AEAD alone", cipher)
    yield lone_row(f"AEAD of a packet, {PLAINTEXT} B", "ns", column(results["aead"], "ns_per_packet"))


def asleep(bench):
    return bench.interleaved(
        ours=lambda: bench.ours("rtt", "--no-spin"),
        udp=lambda: bench.beside(bench.udp, 64, bench.options.seconds, "epoll"))


def asleep_rows(bench):
    """Without asking before sleeping: what waking costs, with cores as they are and kept awake."""
    with awake_cores():
        awake = asleep(bench)
    for results, cores, goal in ((awake, "cores awake", EPOLL_GOAL), (asleep(bench), "as is", None)):
        for key, percentile in (("p50_us", "p50"), ("p99_us", "p99")):
            yield row(f"rtt {percentile}, client asleep, {cores}", "us", column(results["ours"], key),
                      "raw UDP epoll", column(results["udp"], key), goal if key == "p50_us" else None)
