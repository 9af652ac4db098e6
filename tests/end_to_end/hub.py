"""A hub of a test's own, and the verbs to use it: real processes of the program, on free ports."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = ""  # set by run_tests()
PATIENCE = 120  # seconds: sanitizers on a busy machine are slow, and nothing waits without need


def environment(**more):
    """Without what the caller's shell may say about servers and tokens."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ORZATTY_")}
    return {**kept, **more}


class Process:
    """A running command, whose lines on stderr and stdout can be waited for."""

    def __init__(self, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=None, program=None):
        self.process = subprocess.Popen([program or PROGRAM, *map(str, words)], stdin=stdin, stdout=stdout,
                                        stderr=subprocess.PIPE, env=env or environment())
        self.seen = {"stdout": b"", "stderr": b""}

    def wait_for_line(self, stream, pattern):
        """The match in the first line that has one; what was read before stays in `seen`."""
        pipe = getattr(self.process, stream)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for line in self.seen[stream].split(b"\n")[:-1]:
                match = re.search(pattern, line.decode(errors="replace"))
                if match:
                    return match
            ready, _, _ = select.select([pipe], [], [], max(0, until - time.monotonic()))
            piece = os.read(pipe.fileno(), 65536) if ready else b""
            if not piece:
                break
            self.seen[stream] += piece
        raise AssertionError(f"no line with {pattern!r} in {self.seen[stream]!r}")

    def send(self, number):
        self.process.send_signal(number)

    def finish(self):
        """(exit code, stdout, stderr) after it has ended by itself."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        return (self.process.returncode, self.seen["stdout"] + (out or b""),
                (self.seen["stderr"] + err).decode(errors="replace"))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class HubTest(unittest.TestCase):
    """Starts a hub when a test asks for it; ends everything it started."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="orzatty-"))
        self.state = self.folder / "state"
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            process.end()
        shutil.rmtree(self.folder)

    def start(self, *words, **options):
        process = Process(*words, **options)
        self.processes.append(process)
        return process

    def serve(self, *words):
        """The running hub and its address."""
        hub = self.start("serve", "--dev", "--state", self.state, "--listen", "127.0.0.1:0", *words)
        return hub, hub.wait_for_line("stdout", r"^listening on (\S+)$").group(1)

    def run_client(self, command, *words, stdin=b"", env=None):
        """(exit code, stdout, stderr) of a client command that uses the hub's context."""
        return self.run_program(command, "--state", self.state, *words, stdin=stdin, env=env)

    def run_program(self, *words, stdin=b"", env=None):
        done = subprocess.run([PROGRAM, *map(str, words)], input=stdin, capture_output=True,
                              timeout=PATIENCE, env=env or environment(), check=False)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def subscribe(self, *words, **options):
        """A `sub` that the server has confirmed, every name of it."""
        names = [word for word in words if not str(word).startswith("-")][:1]
        subscriber = self.start("sub", "--state", self.state, "--verbose", *words, **options)
        for name in names:
            subscriber.wait_for_line("stderr", "subscribed to " + re.escape(str(name)))
        return subscriber

    def publish(self, channel, *texts):
        for text in texts:
            self.assert_done(self.run_client("pub", channel, text))

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def assert_done(self, result):
        self.assertEqual(result[0], 0, result[2])

    def assert_fails(self, result, code, pattern):
        """One line that says what is wrong, and the documented exit code."""
        self.assertEqual(result[0], code, result)
        self.assertRegex(result[2], r"\Aorzatty: [^\n]+\n\Z")
        self.assertRegex(result[2], pattern)


def run_tests():
    """main() of every test here: the program is the first argument."""
    global PROGRAM
    PROGRAM = sys.argv.pop(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main(module="__main__", verbosity=1)
