#!/usr/bin/env python3
"""bench/instructions: one case is counted, twice the same. Skipped where valgrind is missing.

Usage: instructions_test.py BUILD_FOLDER
"""

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent.parent / "bench" / "instructions"


def run(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)


class Instructions(unittest.TestCase):
    @unittest.skipIf(shutil.which("valgrind") is None, "valgrind is missing: tools/setup all brings it")
    def test_the_same_program_takes_the_same_number_each_time(self):
        counts = []
        for _ in range(2):
            done = run("--build", BUILD, "--no-build", "--only", "FramerRead", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            counts.append(json.loads(done.stdout)["rows"][0]["instructions"])
        self.assertGreater(counts[0], 10)
        self.assertEqual(counts[0], counts[1])

    @unittest.skipIf(shutil.which("valgrind") is None, "valgrind is missing: tools/setup all brings it")
    def test_a_folder_without_the_program_is_named(self):
        done = run("--build", "/nowhere", "--no-build")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere/bench/micro is not there", done.stderr)

    def test_help_names_the_cases(self):
        self.assertIn("LogAppendAndTake/64", run("--help").stdout)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
