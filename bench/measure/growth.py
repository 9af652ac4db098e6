"""What a message costs as connections, channels, subscribers and sizes grow: rows and curves."""

from measure.spreads import column, lone_row, ratio, row, spread

FLAT = 1.3
FLAT_GOAL = f"<= {FLAT:g}"
CURVES = {
    "connections": (1, 10, 100, 1000),
    "channels": (1, 10, 100, 1000),
    "subscribers": (1, 10, 100, 1000, 10_000),
    "bytes": (64, 256, 1024, 16_384, 65_536),
}
GATED_MAX = 1000  # of whatever grows: beyond it is measured, and no goal


DELIVERIES = 1_000_000  # a second of the run; by time, many subscribers would have what was sent long after it


def measured(bench, what, count):
    words = {"connections": ("oneway", "--connections", count), "channels": ("channels", "--channels", count),
             "subscribers": ("fanout", "--subscribers", count, "--count",
                             max(100, int(DELIVERIES * bench.options.seconds / count))),
             "bytes": ("oneway", "--connections", 1, "--size", count)}
    return bench.ours(*words[what])


def costs(results, what):
    """Processor time of both sides for a message; of the server alone for a delivery, as subscribers are a
    matter of its own."""
    server = column(results, "server_cpu_ns_per_delivery")
    if what == "subscribers":
        return server
    return [mine + theirs for mine, theirs in zip(column(results, "sender_cpu_ns_per_message"), server)]


def grown(bench, what, counts):
    runs = {count: lambda count=count: measured(bench, what, count) for count in counts}
    return bench.interleaved(**{str(count): run for count, run in runs.items()})


def many_rows(bench):
    """200 and 1,000 connections, and 1,000 channels, beside one of them: packets are equally full."""
    for what, counts in (("connections", (1, 200, 1000)), ("channels", (1, 1000))):
        results = grown(bench, what, counts)
        first = results["1"]
        for count in counts[1:]:
            found = results[str(count)]
            yield row(f"one way, {count} {what}, 64 B", "msg/s", column(found, "messages_per_second"), "1 of them",
                      column(first, "messages_per_second"))
            yield row("  CPU of both sides", "ns/msg", costs(found, what), "1 of them", costs(first, what), FLAT_GOAL)


def flatness(points):
    """How much more the dearest costs than the cheapest, of the runs of each that stand beside each other."""
    return spread([max(run) / min(run) for run in zip(*points)])


def curve_rows(bench, what, counts):
    results = grown(bench, what, counts)
    points = {count: costs(results[str(count)], what) for count in counts}
    unit = "ns/del" if what == "subscribers" else "ns/msg"
    first = counts[0]
    for count, cost in points.items():
        name = f"cost, {count} {what}"
        if what == "bytes":
            yield lone_row(name, unit, cost)
            yield lone_row("  a byte", "ns/B", [one / count for one in cost])
        else:
            yield {"name": name, "unit": unit, "ours": spread(cost), "against": f"{first} of them",
                   "theirs": spread(points[first]), "ratio": ratio(cost, points[first])}
    gated = [cost for count, cost in points.items() if count <= GATED_MAX]
    if what != "bytes":
        yield {"name": f"flatness, 1 to {GATED_MAX} {what}", "unit": "x", "ours": flatness(gated), "goal": FLAT_GOAL}


def all_curve_rows(bench):
    for what, counts in CURVES.items():
        yield from curve_rows(bench, what, counts)
