"""The README is true: its programs are the examples, and its commands have been run.

Every ```sh block is run, line by line, with the built program as `orzatty`. A line that ends in & stays
running until the block is over. Commands that build the whole project are asked for their help instead,
as the test would start itself; ./demo is run with the program that is there.
"""

import re
import shlex
import unittest

import programs

README = programs.SOURCE / "README.md"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HELP_ONLY = ("./test", "bench/run")
CPP_EXAMPLES = ("server.cpp", "client.cpp")


def blocks(language):
    return [body for kind, _, body in BLOCK.findall(README.read_text()) if kind == language]


def commands(block):
    for line in block.splitlines():
        command = re.sub(r"(^|\s)# .*", "", line).strip()
        if command:
            yield command


class Programs(unittest.TestCase):
    def test_are_the_examples_verbatim(self):
        examples = [(programs.SOURCE / "examples" / name).read_text() for name in CPP_EXAMPLES]
        self.assertEqual(blocks("cpp"), examples)

    def test_are_as_short_as_it_says(self):
        for name in CPP_EXAMPLES:
            lines = (programs.SOURCE / "examples" / name).read_text().splitlines()
            code = [line for line in lines if line.strip() and not line.startswith(("#", "//"))]
            self.assertLessEqual(len(code), 16, name)


class Commands(programs.DocumentTest):
    def setUp(self):
        super().setUp()
        # On a port of its own, as tests run side by side.
        tools = self.folder / "tools"
        tools.mkdir()
        wrapper = tools / "orzatty"
        program = shlex.quote(str(programs.PROGRAM))
        wrapper.write_text("#!/bin/sh\n"
                           f'if [ "$1" = serve ]; then exec {program} "$@" --listen 127.0.0.1:0; fi\n'
                           f'exec {program} "$@"\n')
        wrapper.chmod(0o755)
        self.environment = programs.environment(
            HOME=str(self.folder), XDG_STATE_HOME=str(self.folder / "state"),
            ORZATTY_PROGRAM=str(programs.PROGRAM),
            PATH=f"{tools}:/usr/local/bin:/usr/bin:/bin")

    def run_command(self, command):
        if command.startswith(HELP_ONLY):
            command = command.split()[0] + " --help"
        code, said = self.run_to_its_end("bash", "-c", command, cwd=programs.SOURCE, env=self.environment)
        self.assertEqual(code, 0, f"{command}\n{said}")
        return said

    def test_do_what_they_say(self):
        count = 0
        for block in blocks("sh"):
            for command in commands(block):
                count += 1
                with self.subTest(command=command):
                    if command.endswith("&"):
                        server = self.start("bash", "-c", "exec " + command[:-1], cwd=programs.SOURCE,
                                            env=self.environment)
                        server.line_that_starts_with("listening on ")
                    else:
                        self.run_command(command)
        self.assertGreater(count, 5)

    def test_a_subscriber_prints_the_channel_and_the_message_as_it_says(self):
        server = self.start("orzatty", "serve", "--dev", env=self.environment)
        server.line_that_starts_with("listening on ")
        self.run_command('orzatty pub news.today "Hello Orzatty"')
        said = self.run_command("orzatty sub 'news.>' --from start --count 1")
        self.assertEqual(said, "news.today\tHello Orzatty\n")


if __name__ == "__main__":
    programs.run_tests()
