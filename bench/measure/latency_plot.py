"""The distribution of latencies as HdrHistogram's users draw it: each nine of the percentile as wide as the one before."""

import math
import re

from measure.svg import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, picture, text


def series_of(rows):
    """name -> [(percentile, microseconds)]"""
    series = {}
    for row in rows:
        found = re.fullmatch(r"latency p50, (\d+) a second", row["name"])
        if found and row.get("distribution"):
            series[f"{int(found.group(1)):,} a second"] = [
                (percentile, time) for percentile, time in row["distribution"] if percentile < 1 and time > 0]
    return {name: points for name, points in series.items() if points}


class Axes:
    """Places in the picture: nines of the percentile, and decades of time."""

    def __init__(self, series):
        points = [point for line in series.values() for point in line]
        times = [time for _, time in points]
        self.nines = max(1, math.ceil(max(-math.log10(1 - percentile) for percentile, _ in points)))
        self.decades = range(math.floor(math.log10(min(times))), math.floor(math.log10(max(times))) + 2)

    def x(self, percentile):
        return LEFT + -math.log10(1 - percentile) / self.nines * (WIDTH - LEFT - RIGHT)

    def y(self, time):
        span = self.decades[-1] - self.decades[0]
        return HEIGHT - BOTTOM - (math.log10(time) - self.decades[0]) / span * (HEIGHT - TOP - BOTTOM)


def percent_name(nines):
    return {0: "0 %", 1: "90 %"}.get(nines, "99" + ("." if nines > 2 else "") + "9" * (nines - 2) + " %")


def time_name(decade):
    return f"{10 ** (decade - 3):g} ms" if decade >= 3 else f"{10 ** decade:g} µs"


def grid(axes):
    for decade in axes.decades:
        y = axes.y(10 ** decade)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield text(LEFT - 8, y + 4, time_name(decade), "end")
    for nines in range(axes.nines + 1):
        yield text(axes.x(1 - 10 ** -nines), HEIGHT - BOTTOM + 20, percent_name(nines), "middle")


def curves(axes, series):
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        places = [(axes.x(percentile), axes.y(time)) for percentile, time in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield text(WIDTH - RIGHT + 10, TOP + 15 * index, name, colour=colour)


def svg_of(facts, rows):
    series = series_of(rows)
    axes = Axes(series)
    return picture("Round trips on a schedule, from when each was due, cores awake", facts,
                   [*grid(axes), *curves(axes, series)])
