"""What several runs say together: the median, from the least to the most."""

import statistics


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def value_of(result, key):
    found = result[key]
    return found["median"] if isinstance(found, dict) else found


def column(results, key):
    return [value_of(result, key) for result in results]


def ratio(ours, theirs):
    """Of neighbours in time, so that what disturbs both cancels out."""
    return spread([mine / other for mine, other in zip(ours, theirs)])


def row(name, unit, mine, against, theirs, goal=None):
    """A line of the table; of a goal it says what is wanted of the ratio."""
    found = {"name": name, "unit": unit, "ours": spread(mine), "against": against, "theirs": spread(theirs),
             "ratio": ratio(mine, theirs)}
    return {**found, "goal": goal} if goal else found


def lone_row(name, unit, mine, goal=None):
    found = {"name": name, "unit": unit, "ours": spread(mine)}
    return {**found, "goal": goal} if goal else found
