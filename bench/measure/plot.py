"""Throughput by size of message, ours and everyone's that was measured beside it, as one SVG."""

import math
import re

from measure import latency_plot
from measure.svg import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, picture, text

def series_of(rows):
    """name -> {size: messages per second}; ours where it stood beside the pump."""
    series = {"Orzatty": {}}
    for row in rows:
        found = re.fullmatch(r"one way, (\d+) B", row["name"])
        if not found:
            continue
        size = int(found.group(1))
        series["Orzatty"].setdefault(size, row["ours"]["median"])
        series.setdefault(row["against"], {})[size] = row["theirs"]["median"]
    return {name: points for name, points in series.items() if points}


class Axes:
    """Places in the picture; both axes are logarithmic."""

    def __init__(self, series):
        sizes = sorted({size for points in series.values() for size in points})
        rates = [rate for points in series.values() for rate in points.values()]
        self.sizes = sizes
        self.decades = range(math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates))) + 1)

    def x(self, size):
        span = math.log(self.sizes[-1] / self.sizes[0]) or 1
        return LEFT + math.log(size / self.sizes[0]) / span * (WIDTH - LEFT - RIGHT)

    def y(self, rate):
        span = self.decades[-1] - self.decades[0] or 1
        return HEIGHT - BOTTOM - (math.log10(rate) - self.decades[0]) / span * (HEIGHT - TOP - BOTTOM)


def rate_name(decade):
    return {3: "1 k", 4: "10 k", 5: "100 k", 6: "1 M", 7: "10 M", 8: "100 M"}.get(decade, f"10^{decade}")


def grid(axes):
    for decade in axes.decades:
        y = axes.y(10 ** decade)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield text(LEFT - 8, y + 4, rate_name(decade), "end")
    for size in axes.sizes:
        yield text(axes.x(size), HEIGHT - BOTTOM + 20, f"{size} B", "middle")


def labels(axes, series):
    """(name, height) of each at its last point, moved apart where they would lie on each other."""
    wanted = sorted((axes.y(points[max(points)]), name) for name, points in series.items())
    lowest = -math.inf
    for y, name in wanted:
        lowest = max(y, lowest + 15)
        yield name, lowest


def curves(axes, series):
    heights = dict(labels(axes, series))
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        ours = name == "Orzatty"
        places = [(axes.x(size), axes.y(rate)) for size, rate in sorted(points.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{3 if ours else 1.5}"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        yield text(places[-1][0] + 10, heights[name] + 4, name, colour=colour, weight="bold" if ours else "normal")


def svg_of(facts, rows):
    series = series_of(rows)
    axes = Axes(series)
    return picture("Messages per second, one way, one connection, by size of message", facts,
                   [*grid(axes), *curves(axes, series)])


def write_plot(folder, facts, rows):
    """Of what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    if series_of(rows):
        (folder / "throughput.svg").write_text(svg_of(facts, rows))
    if latency_plot.series_of(rows):
        (folder / "latency.svg").write_text(latency_plot.svg_of(facts, rows))
