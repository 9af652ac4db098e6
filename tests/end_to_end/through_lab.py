"""Numbered messages through a bad network: the real server, publisher and subscriber, the lab between."""

import collections
import json
import signal
import subprocess
import time

import hub

FLEET = ""  # the program of many clients, beside the tests
Account = collections.namedtuple(
    "Account", "messages lost duplicated reordered seconds reconnects network failure")


def numbers_account(numbers, count):
    """(lost, duplicated, reordered) of what came, when 0 to count - 1 were published in this order."""
    seen, highest, duplicated, reordered = set(), -1, 0, 0
    for number in numbers:
        if number in seen:
            duplicated += 1
        elif number < highest:
            reordered += 1
        seen.add(number)
        highest = max(highest, number)
    return count - len(seen), duplicated, reordered


class ThroughLab(hub.HubTest):
    """A hub that clients reach only through the lab."""

    def lab(self, script, *serve_words):
        """Starts hub and lab; `script` is the text of a fault script."""
        _, server = self.serve("--quiet", *serve_words)
        pin = self.run_program("cert", "pin", "--state", self.state)[1].decode().strip()
        lab = self.start("lab", "--json", "--listen", "127.0.0.1:0", "--to", server,
                         "--script", self.file("faults.toml", script.encode()))
        address = lab.wait_for_line("stderr", r"listening on (\S+), ").group(1)
        self.address, self.pin = address, pin
        self.env = hub.environment(ORZATTY_SERVER=address, ORZATTY_PIN=pin, ORZATTY_STATE=str(self.folder / "none"),
                                   ORZATTY_TOKEN_FILE=str(self.state / "token"))
        return lab

    def fleet_words(self, clients, messages, rate, patience, **more):
        """The words of a fleet behind the lab; `more` are further options, by name."""
        words = {"server": self.address, "pin": self.pin, "token": (self.state / "token").read_text().strip(),
                 "clients": clients, "messages": messages, "rate": rate, "patience": patience, **more}
        return [word for name, value in words.items() for word in ("--" + name.replace("_", "-"), value)]

    def start_fleet(self, *how, **more):
        fleet = hub.Process(*self.fleet_words(*how, **more), program=FLEET)
        self.processes.append(fleet)
        return fleet

    def carry_fleet(self, script, clients, messages, rate, patience, **more):
        """As carry(), with many clients, each of which publishes to its neighbour: the fleet's own account."""
        lab = self.lab(script)
        code, out, complaint = self.start_fleet(clients, messages, rate, patience, **more).finish()
        lab.send(signal.SIGINT)
        network = json.loads(lab.finish()[1])
        if code:
            return {"failures": [complaint.strip()], "network": network}
        return {**json.loads(out), "network": network}

    def carry(self, script, count, rate=2000, size=100, patience=30, mode="reliable"):
        """Publishes `count` numbered messages, and tells what came within `patience` seconds of it."""
        config = self.file("orzatty.toml", f"[[channel]]\npattern = 'a'\nmode = '{mode}'\n".encode())
        lab = self.lab(script, "--config", config)
        source = self.file("in", b"".join(b"%0*d\n" % (size, number) for number in range(count)))
        out = self.folder / "out"
        with open(out, "wb") as target:
            subscriber = self.start("sub", "--verbose", "--connect-timeout", patience, "--timeout", patience,
                                    "a", "--count", count, stdout=target, env=self.env)
            subscriber.wait_for_line("stderr", "subscribed to a|orzatty: ")
            began = time.monotonic()
            publisher = self.start("pub", "--quiet", "--connect-timeout", patience, "--patience", patience,
                                   "a", "--file", source, "--rate", rate, "--mode", mode, stdout=subprocess.DEVNULL, env=self.env)
            code, _, told = subscriber.finish()
            seconds = time.monotonic() - began
        # The last of it was received: that the publisher is told so may take a loss or two more.
        published, _, complaint = publisher.finish() if code == 0 else (1, b"", "")
        lab.send(signal.SIGINT)
        network = json.loads(lab.finish()[1])
        lost, duplicated, reordered = numbers_account(map(int, out.read_bytes().split()), count)
        failure = complaint if published else ""
        return Account(count, lost, duplicated, reordered, seconds, told.count("connected again"), network,
                       failure or (told.strip().split("\n")[-1] if code else ""))
