"""Programs that the documents show, run as a reader would run them, in a folder of their own."""

import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds: sanitizers on a busy machine are slow, and nothing waits without need
PROGRAM = EXAMPLES = None  # set by run_tests()


class Running:
    """A program whose lines of output can be waited for."""

    def __init__(self, words, **options):
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self):
        line = self.lines.get(timeout=PATIENCE)
        if line is None:
            raise AssertionError(f"{self.process.args} has ended")
        return line

    def line_that_starts_with(self, text):
        seen = []
        while not (seen and seen[-1].startswith(text)):
            seen.append(self.line())
        return seen[-1]

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        """Ends it as a person would, and gives its exit code."""
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(timeout=PATIENCE)
        finally:
            self.process.kill()
        self.reader.join()
        self.process.stdout.close()
        return code


class DocumentTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="orzatty-"))
        self.running = []

    def tearDown(self):
        for program in self.running:
            program.end()
        shutil.rmtree(self.folder)

    def start(self, *words, **options):
        program = Running(words, **options)
        self.running.append(program)
        return program

    def run_to_its_end(self, *words, **options):
        """(exit code, all that it printed)"""
        done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=4 * PATIENCE,
                              check=False, **options)
        return done.returncode, done.stdout


def environment(**more):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ORZATTY_")}
    return {**kept, **more}


def until(condition):
    """Waits, by asking again, until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def run_tests():
    global PROGRAM, EXAMPLES
    PROGRAM, EXAMPLES = (pathlib.Path(word) for word in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
