"""Whether what publishers were told agrees with what subscribers heard, over any number of lives of the server.

A record is what orzatty_fleet writes: the fates of a member's numbers, by letter, with their offsets, and
what it heard of its neighbour in this order: [offset, number], {"gap": [from, to]} or "reset".
"""

import json


def read_records(path):
    with open(path, encoding="ascii") as lines:
        return [json.loads(line) for line in lines]


def lives_of(heard):
    """What was heard, split where the channel began anew."""
    lives = [[]]
    for item in heard:
        if item == "reset":
            lives.append([])
        else:
            lives[-1].append(item)
    return lives


def check_life(life):
    """Offsets go on without a hole, numbers ascend: within one life of the channel."""
    following, last = None, -1
    for item in life:
        offset, end = item["gap"] if isinstance(item, dict) else (item[0], item[0] + 1)
        if following is not None and offset != following:
            yield f"offset {offset} follows {following - 1}"
        following = end
        if isinstance(item, list):
            if item[1] <= last:
                yield f"number {item[1]} follows {last}"
            last = item[1]


def check_fates(told, lives):
    """Each number has a fate, and it is true of what was heard.

    What was heard in a life whose receipts died with it may be stored again by one that died unheard.
    """
    heard = [{item[1]: item[0] for item in life if isinstance(item, list)} for life in lives]
    for number, (fate, offset) in enumerate(zip(told["fates"], told["offsets"])):
        places = [life[number] for life in heard if number in life]
        if fate == "-":
            yield f"number {number} has no fate"
        if fate in "re" and places:
            yield f"number {number} was refused or expired, and heard"
        if fate == "a" and places and offset not in places and number in heard[-1]:
            yield f"number {number} was accepted at {offset}, and heard at {places}"
        if fate == "a" and not places and not may_be_lost(number, heard):
            yield f"number {number} was accepted and not heard, and no server died with it"


def may_be_lost(number, heard):
    """Accepted behind the last thing heard of a life, and before whatever was heard of later ones."""
    for index, life in enumerate(heard[:-1]):
        later = [following for one in heard[index + 1:] for following in one]
        if max(life, default=-1) < number < min(later, default=number + 1):
            return True
    return False


def violations(records):
    """All that does not agree, a sentence each."""
    told = {record["member"]: record for record in records}
    for record in records:
        lives = lives_of(record["heard"])
        whose = f"member {record['member']} of {record['neighbour']}: "
        for life in lives:
            yield from (whose + text for text in check_life(life))
        yield from (whose + text for text in check_fates(told[record["neighbour"]], lives))
