#!/usr/bin/env python3
"""Each benchmark of bench/micro runs, briefly, and finds what it expects. No figure is judged.

Usage: micro_test.py MICRO
"""

import subprocess
import sys

done = subprocess.run([sys.argv[1], "--benchmark_min_time=0.001"], capture_output=True, text=True, timeout=240,
                      check=False)
faults = [line for line in done.stdout.splitlines() if "ERROR" in line]
if done.returncode != 0 or faults:
    sys.exit("\n".join(faults) or done.stderr)
