"""Rows against what users would otherwise take. docs/benchmarks.md says how each of them is set."""

import sys
from typing import NamedTuple

from measure.cores import awake_cores
from measure.floor import SIZES
from measure.spreads import column, row


class Peer(NamedTuple):
    program: str
    variant: str
    name: str  # says so where nothing is encrypted
    round_trips: bool = True  # a variant that only batches has none of its own
    hub: bool = False  # a broker stands between
    fans_out: bool = False


PEERS = (
    Peer("tls", "single", "raw TLS, 1 a write"),
    Peer("tls", "batch32", "raw TLS, 32 a write", round_trips=False),
    Peer("websocket", "tls", "WebSocket TLS"),
    Peer("grpc", "tls", "gRPC TLS"),
    Peer("grpc", "tls-hint", "gRPC TLS, buffer hint", round_trips=False),
    Peer("zmq", "curve", "ZeroMQ CURVE", fans_out=True),
    Peer("nats", "tls", "NATS TLS", hub=True, fans_out=True),
    Peer("zmq", "plain", "ZeroMQ, plain", fans_out=True),
    Peer("nats", "plain", "NATS, plain", hub=True, fans_out=True),
    Peer("enet", "plain", "ENet, plain"),
)


def built_peers(folder):
    """Those whose packages were there; says which were not."""
    missing = sorted({peer.program for peer in PEERS if not (folder / peer.program).exists()})
    if missing:
        print(f"bench: not built, for want of packages: {', '.join(missing)} (tools/setup peers)", file=sys.stderr)
    return [peer for peer in PEERS if peer.program not in missing]


def measured(bench, peer, mode, size, *more):
    program = [bench.peers / peer.program]
    return bench.beside(program, mode, size, bench.options.seconds, "--variant", peer.variant, *more)


def neighbours(bench, ours, theirs):
    """Each peer has runs of ours beside its own: a neighbour ten runs away would be none."""
    results = bench.interleaved(ours=ours, theirs=theirs)
    return results["ours"], results["theirs"]


def one_way_rows(bench, peers):
    for size in SIZES:
        for peer in peers:
            ours, theirs = neighbours(bench, lambda: bench.ours("oneway", "--size", size),
                                      lambda: measured(bench, peer, "oneway", size))
            yield row(f"one way, {size} B", "msg/s", column(ours, "messages_per_second"), peer.name,
                      column(theirs, "messages_per_second"))


def round_trip_rows(bench, peers):
    for peer in peers:
        if not peer.round_trips:
            continue
        with awake_cores():
            ours, theirs = neighbours(bench, lambda: bench.ours("rtt"), lambda: measured(bench, peer, "rtt", 64))
        for key, percentile in (("p50_us", "p50"), ("p99_us", "p99")):
            yield row(f"round trip {percentile}, cores awake", "us", column(ours, key), peer.name, column(theirs, key))


def hub_rows(bench, peers):
    for peer in peers:
        if peer.hub:
            ours, theirs = neighbours(bench, lambda: bench.ours("oneway", "--through-hub"),
                                      lambda: measured(bench, peer, "oneway", 64))
            yield row("hub 1:1, 64 B", "del/s", column(ours, "messages_per_second"), peer.name,
                      column(theirs, "messages_per_second"))
    count = bench.options.subscribers
    for peer in peers:
        if peer.fans_out:
            ours, theirs = neighbours(bench, lambda: bench.ours("fanout", "--subscribers", count),
                                      lambda: measured(bench, peer, "fanout", 64, "--subscribers", count))
            yield row(f"hub 1:{count}, 64 B", "del/s", column(ours, "deliveries_per_second"), peer.name,
                      column(theirs, "deliveries_per_second"))
