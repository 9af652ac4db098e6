"""docs/how-to/monitor-a-server.md is true: its commands are run, and its metrics exist."""

import re
import shlex
import socket
import urllib.request

import programs

PAGE = programs.SOURCE / "docs" / "how-to" / "monitor-a-server.md"
PORT = "9464"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


class Page(programs.DocumentTest):
    def setUp(self):
        super().setUp()
        tools = self.folder / "tools"
        tools.mkdir()
        wrapper = tools / "orzatty"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(str(programs.PROGRAM))} "$@" --listen 127.0.0.1:0\n')
        wrapper.chmod(0o755)
        self.environment = programs.environment(HOME=str(self.folder), XDG_STATE_HOME=str(self.folder / "state"),
                                                PATH=f"{tools}:/usr/local/bin:/usr/bin:/bin")

    def start_server(self, command):
        server = self.start("bash", "-c", "exec " + command, cwd=programs.SOURCE, env=self.environment)
        server.line_that_starts_with("listening on ")
        return server

    def run_command(self, command):
        code, said = self.run_to_its_end("bash", "-o", "pipefail", "-c", command, cwd=programs.SOURCE,
                                         env=self.environment)
        return code == 0, f"{command}\n{said}"

    def test_its_commands_do_what_they_say(self):
        blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), 3)
        for block in blocks:
            port = free_port()  # tests run side by side
            servers = []
            for line in block.replace(PORT, port).splitlines():
                command = re.sub(r" +# .*", "", line)
                if command.endswith("&"):
                    servers.append(self.start_server(command[:-1]))
                elif "readyz" in command:  # it says where it listens a moment before it serves
                    self.assertTrue(programs.until(lambda asked=command: self.run_command(asked)[0]), command)
                else:
                    self.assertTrue(*self.run_command(command))
            for server in servers:
                self.running.remove(server)
                server.end()

    def test_the_metrics_it_names_exist(self):
        port = free_port()
        self.start_server(f"orzatty serve --dev --metrics 127.0.0.1:{port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=programs.PATIENCE) as answer:
            text = answer.read().decode()
        named = re.findall(r"`(orzatty_\w+)(?:\{([\w,]+)\})?`", PAGE.read_text())
        self.assertGreater(len(named), 7)
        for name, labels in named:
            self.assertIn(f"\n# TYPE {name} ", text)
            for label in filter(None, labels.split(",")):
                self.assertRegex(text, rf'\n{name}{{[^}}]*\b{label}="')


if __name__ == "__main__":
    programs.run_tests()
