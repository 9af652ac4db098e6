"""Keeps the processors from what would hide the software."""

import contextlib
import os
import subprocess
import sys


@contextlib.contextmanager
def awake_cores():
    """Keeps every core from halting, with threads that give way to everyone: on a virtual machine a
    halted core takes some 50 us to wake, several times in a round trip, and hides the software."""
    spin = ("import os, sys\nos.sched_setaffinity(0, [int(sys.argv[1])])\n"
            "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile True: pass")
    spinners = []
    try:
        for core in os.sched_getaffinity(0):
            spinners.append(subprocess.Popen([sys.executable, "-c", spin, str(core)]))
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
