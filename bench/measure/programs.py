"""Builds the programs of the benchmarks, and runs one of them for its line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGETS = ["orzatty", "orzatty_bench_pump", "orzatty_bench_udp_ping_pong", "orzatty_bench_udp_one_way",
           "orzatty_bench_aead"]
ALLOCATIONS = "orzatty_allocations_test"


def build(folder, with_peers):
    """Quiet unless it fails; the allocation test only where tests are configured."""
    # ./demo configures the same folder without benchmarks, and tests are kept as they are.
    configured = (folder / "build.ninja").exists()
    options = [] if configured else ["-DORZATTY_TESTS=OFF"]
    targets = [*TARGETS]
    if with_peers:
        options.append("-DORZATTY_BENCH_PEERS=ON")
        targets.append("orzatty_bench_peers")
    quietly(["cmake", "--preset", "release", "-B", str(folder), "-S", str(ROOT), "-DORZATTY_BENCH=ON", *options])
    quietly(["cmake", "--build", str(folder), "--target", *targets])
    subprocess.run(["cmake", "--build", str(folder), "--target", ALLOCATIONS], capture_output=True, check=False)


def quietly(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def measure(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(str(word) for word in command)}\n{done.stderr.strip()}")
    return json.loads(done.stdout)


class Bench:
    """The programs of one build, and for how long each of them runs."""

    def __init__(self, folder, options):
        self.orzatty = [folder / "bin" / "orzatty", "bench"]
        self.pump = [folder / "bench" / "pump"]
        self.udp = [folder / "bench" / "udp_ping_pong"]
        self.udp_one_way = [folder / "bench" / "udp_one_way"]
        self.aead = [folder / "bench" / "aead"]
        self.peers = folder / "bench" / "peers"
        self.options = options

    def ours(self, *words):
        how_long = [] if "--count" in words else ["--seconds", self.options.seconds]
        return measure([*self.orzatty, *words, *how_long, "--runs", 1, "--json"])

    def beside(self, program, *words):
        """The pump and the peers take size and seconds by position."""
        return measure([*program, *words])

    def interleaved(self, **sides):
        """name -> results of all runs; one run of each side after the other."""
        results = {name: [] for name in sides}
        for _ in range(self.options.runs):
            for name, run in sides.items():
                results[name].append(run())
        return results
