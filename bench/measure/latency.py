"""Round trips on a schedule, and of many in flight."""

import tempfile
from pathlib import Path

from measure.cores import awake_cores
from measure.spreads import column, lone_row, row

RATES = (10_000, 100_000)
IN_FLIGHT = 64
PERCENTILES = (("p50_us", "p50"), ("p90_us", "p90"), ("p99_us", "p99"), ("p99_9_us", "p99.9"), ("max_us", "max"))


def in_flight_rows(bench):
    results = bench.interleaved(ours=lambda: bench.ours("rtt", "--in-flight", IN_FLIGHT),
                                one=lambda: bench.ours("rtt"))
    for key, name, unit in (("round_trips_per_second", "round trips", "1/s"), ("p50_us", "rtt p50", "us"),
                            ("p99_us", "rtt p99", "us")):
        yield row(f"{name}, {IN_FLIGHT} in flight", unit, column(results["ours"], key), "1 in flight",
                  column(results["one"], key))


def schedule_rows(bench):
    """A row of each percentile; that of the median has the last run's whole distribution, for the plot."""
    for rate in RATES:
        with tempfile.TemporaryDirectory() as folder, awake_cores():
            file = Path(folder) / "times.hgrm"
            results = bench.interleaved(
                ours=lambda: bench.ours("latency", "--rate", rate, "--histogram", file))["ours"]
            points = distribution(file.read_text()) if file.exists() else []
        for key, percentile in PERCENTILES:
            found = lone_row(f"latency {percentile}, {rate} a second", "us", column(results, key))
            yield {**found, "distribution": points} if key == "p50_us" else found


def distribution(text):
    """(percentile, microseconds) of each line of HdrHistogram's text format."""
    points = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 3 and words[0][0].isdigit():
            points.append((float(words[1]), float(words[0])))
    return points
