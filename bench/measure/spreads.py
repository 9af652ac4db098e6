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
