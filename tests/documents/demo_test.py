"""./demo shows the main job, says what went wrong, and leaves nothing running."""

import json
import os
import pathlib
import signal
import subprocess

import programs

DEMO = programs.SOURCE / "demo"


def processes_of(program):
    """Ids of the running processes of an executable."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/exe"):
        try:
            if link.readlink() == program:
                found.append(int(link.parent.name))
        except OSError:
            continue  # not ours to look at, or gone
    return found


class Demo(programs.DocumentTest):
    def setUp(self):
        super().setUp()
        self.program = self.folder / "orzatty"  # a copy, to tell its processes from others'
        self.program.write_bytes(programs.PROGRAM.read_bytes())
        self.program.chmod(0o755)
        self.environment = programs.environment(ORZATTY_PROGRAM=str(self.program))
        self.file = self.folder / "input.txt"
        self.file.write_text("".join(f"line {i} äöü\n" for i in range(30_000)) + "\nno newline")

    def test_everything_arrives_and_its_server_ends_with_it(self):
        code, said = self.run_to_its_end(DEMO, self.file, env=self.environment)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"(?m)^lost +0 of \d+ deliveries, 0 told as gaps$")
        self.assertRegex(said, r"(?m)^out of order +0$")
        self.assertRegex(said, r"(?m)^SHA-256 +16 of 16 equal")
        self.assertRegex(said, r"(?m)^  latency +p50 .+, p99 ")
        self.assertNotIn("\x1b", said)  # quiet in a pipe
        self.assertEqual(processes_of(self.program), [])

    def test_a_file_that_cannot_be_read_is_named(self):
        code, said = self.run_to_its_end(DEMO, self.folder / "nowhere", env=self.environment)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"\Ademo: [^\n]*nowhere\n\Z")

    def test_a_line_above_the_limit_is_named_and_nothing_keeps_running(self):
        self.file.write_text("one\n" + "x" * (1024 * 1024 + 1) + "\n")
        code, said = self.run_to_its_end(DEMO, self.file, env=self.environment)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"input\.txt:2: .*message_size_max")
        self.assertEqual(processes_of(self.program), [])

    def test_help_says_how(self):
        code, said = self.run_to_its_end(DEMO, "--help")
        self.assertEqual(code, 0)
        self.assertIn("./demo FILE", said)
        self.assertEqual(self.run_to_its_end(DEMO, "--nonsense")[0], 2)

    def test_ctrl_c_in_the_middle_ends_the_server_too(self):
        self.file.write_text("a line\n" * 3_000_000)
        # Whoever runs the tests in the background ignores the signal, which would be inherited.
        demo = subprocess.Popen(["env", "--default-signal=INT", DEMO, self.file], env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        # The server, and then `orzatty demo` beside it.
        self.assertTrue(programs.until(lambda: len(processes_of(self.program)) == 2))
        self.assertIsNone(demo.poll())
        os.killpg(demo.pid, signal.SIGINT)  # all of it, as a terminal does
        said, _ = demo.communicate(timeout=programs.PATIENCE)
        self.assertNotEqual(demo.returncode, 0, said)
        self.assertEqual(processes_of(self.program), [])


class Figures(programs.DocumentTest):
    def test_are_told_as_json_that_adds_up(self):
        file = self.folder / "input.txt"
        file.write_text("".join(f"{i}\n" for i in range(1000)))
        hub = self.start(programs.PROGRAM, "serve", "--dev", "--state", self.folder / "state",
                         "--listen", "127.0.0.1:0")
        hub.line_that_starts_with("listening on ")
        for _ in range(2):  # the second time the channels hold the messages of the first
            code, said = self.run_to_its_end(
                programs.PROGRAM, "demo", "--state", self.folder / "state", "--json", "--seconds", 0.05,
                "--server-process", hub.process.pid, file)
            self.assertEqual(code, 0, said)
            figures = json.loads(said)
            self.assertEqual(figures["full_speed"]["published"], 3000)
            self.assertEqual(figures["full_speed"]["accepted"], 3000)
            self.assertEqual(figures["full_speed"]["deliveries"], 8000)
            self.assertEqual(figures["full_speed"]["digests_equal"], 8)
            self.assertEqual(figures["moderate"]["published"], 3 * 501)
            self.assertEqual(figures["moderate"]["lost"], 0)
            self.assertGreater(figures["server_memory_bytes"], 1024 * 1024)

    def test_need_a_server(self):
        file = self.folder / "input.txt"
        file.write_text("one\n")
        code, said = self.run_to_its_end(programs.PROGRAM, "demo", "--server", "127.0.0.1:1", "--token", "x",
                                         "--insecure", file)
        self.assertEqual(code, 3, said)
        file.write_text("")
        code, said = self.run_to_its_end(programs.PROGRAM, "demo", file)
        self.assertEqual(code, 1, said)
        self.assertEqual(said.count("\n"), 1)


if __name__ == "__main__":
    programs.run_tests()
