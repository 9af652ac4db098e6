"""The lab before a UDP program that knows nothing of Orzatty: an echo of this test's own."""

import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time

import hub

END = 1_000_000  # a number that no test sends


class Echo:
    """Sends back what it gets, and remembers from which ports."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.ports = set()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            datagram, sender = self.socket.recvfrom(65536)
            if datagram == b"end":
                return
            self.ports.add(sender[1])
            self.socket.sendto(datagram, sender)

    def end(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class LabTest(hub.HubTest):
    def setUp(self):
        super().setUp()
        self.echo = Echo()
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def tearDown(self):
        self.client.close()
        self.echo.end()
        super().tearDown()

    def lab(self, *words):
        """A running lab before the echo, which the client's socket is connected to."""
        lab = self.start("lab", "--json", "--listen", "127.0.0.1:0", "--to", self.echo.address, *words)
        port = lab.wait_for_line("stderr", r"listening on 127\.0\.0\.1:(\d+), ").group(1)
        self.client.connect(("127.0.0.1", int(port)))
        self.client.settimeout(hub.PATIENCE)
        return lab

    def script(self, text):
        return "--script", self.file("faults.toml", text.encode())

    def send(self, count):
        for number in range(count):
            self.client.send(b"%d" % number)

    def receive(self, count):
        return [int(self.client.recv(65536)) for _ in range(count)]

    def receive_until_the_end_passes(self):
        """What comes back of all that was sent, however often the end has to be sent to pass."""
        self.client.settimeout(0.3)
        numbers = []
        while END not in numbers:
            self.client.send(b"%d" % END)
            try:
                while END not in numbers:
                    numbers.append(int(self.client.recv(65536)))
            except TimeoutError:
                continue
        return numbers[:numbers.index(END)]

    def account(self, lab):
        lab.send(signal.SIGINT)
        code, out, err = lab.finish()
        self.assertEqual(code, 0, err)
        return json.loads(out)


class Faults(LabTest):
    def test_without_any_everything_comes_back_in_order(self):
        lab = self.lab()
        self.send(100)
        self.assertEqual(self.receive(100), list(range(100)))
        account = self.account(lab)
        for way in ("up", "down"):
            self.assertEqual((account[way]["sent"], account[way]["arrived"], account[way]["bytes"]),
                             (100, 100, 190))
        self.assertEqual(account["clients"], 1)

    def test_of_the_same_seed_hit_the_same_datagrams(self):
        came = []
        for seed in (7, 7, 8):
            lab = self.lab("--seed", seed, "--fault", "up.loss=0.3")
            self.send(200)
            came.append(self.receive_until_the_end_passes())
            self.account(lab)
        self.assertEqual(came[0], came[1])
        self.assertNotEqual(came[0], came[2])
        self.assertTrue(100 < len(came[0]) < 180, came[0])

    def test_duplicate_and_delay(self):
        lab = self.lab("--fault", "duplication=1", "--fault", "delay=50ms")
        began = time.monotonic()
        self.send(1)
        self.assertEqual(self.receive(4), [0] * 4)  # twice there, and each twice back
        self.assertGreaterEqual(time.monotonic() - began, 0.1)
        self.assertEqual(self.account(lab)["up"]["duplicated"], 1)

    def test_corrupt_but_keep_the_size(self):
        self.lab("--seed", 1, "--fault", "up.corruption=1")
        sent = bytes(1000)
        self.client.send(sent)
        came = self.client.recv(65536)
        self.assertEqual(len(came), len(sent))
        self.assertNotEqual(came, sent)

    def test_let_nothing_through_while_a_phase_of_the_script_says_so(self):
        lab = self.lab(*self.script("[[phase]]\nfrom = '0s'\nto = '500ms'\nblack_hole = true\n"))
        self.assertEqual(self.receive_until_the_end_passes(), [])
        account = self.account(lab)
        self.assertGreater(account["up"]["cut"], 0)
        self.assertGreater(account["seconds"], 0.5)

    def test_give_a_client_new_ports_that_answers_come_back_to(self):
        lab = self.lab("--fault", "rebind_every=30ms")
        while len(self.echo.ports) < 5:
            self.receive_until_the_end_passes()
        account = self.account(lab)
        self.assertGreaterEqual(account["rebinds"], 4)
        self.assertEqual(account["clients"], 1)

    def test_keep_clients_apart(self):
        lab = self.lab()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.settimeout(hub.PATIENCE)
            other.connect(self.client.getpeername())
            self.client.send(b"1")
            other.send(b"2")
            self.assertEqual((self.client.recv(9), other.recv(9)), (b"1", b"2"))
        self.assertEqual(self.account(lab)["clients"], 2)
        self.assertEqual(len(self.echo.ports), 2)


class Output(LabTest):
    def test_in_a_pipe_is_where_it_listens_and_the_account(self):
        words = ("lab", "--listen", "127.0.0.1:0", "--to", self.echo.address, "--duration", "300ms", "--seed", 3)
        code, out, err = self.run_program(*words)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out.decode(), r"\Alistening on 127\.0\.0\.1:\d+, to \S+, seed 3\n"
                                       r"0\.\d s, 0 clients, 0 rebinds, seed 3\n(?:[^\r]+\n)+\Z")

    def test_on_a_terminal_is_a_live_line(self):
        terminal, stderr = pty.openpty()
        process = subprocess.Popen([hub.PROGRAM, "lab", "--listen", "127.0.0.1:0", "--to", self.echo.address],
                                   stdout=subprocess.PIPE, stderr=stderr, env=hub.environment())
        os.close(stderr)
        seen = b""
        while b"0 clients   up " not in seen:
            seen += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=hub.PATIENCE)
        os.close(terminal)
        self.assertEqual(process.returncode, 0)
        self.assertNotIn(b"\r", out)


class Mistakes(LabTest):
    def refuse(self, code, pattern, *words):
        self.assert_fails(self.run_program("lab", *words), code, pattern)

    def test_in_a_script_are_told_with_the_line_and_the_nearest_word(self):
        words = self.script("loss = 0.1\njiter = '5ms'\n")
        self.refuse(2, r"faults\.toml:2: unknown key 'jiter': did you mean 'jitter'\?", *words)

    def test_on_the_command_line_are_usage(self):
        self.refuse(2, "did you mean 'mobile'", "--preset", "moblie")
        self.refuse(2, "did you mean 'loss'", "--fault", "los=0.1")
        self.refuse(2, "no time such as", "--duration", "soon")
        self.refuse(2, "either --preset or --script", "--preset", "wifi", *self.script(""))
        self.refuse(2, "no port", "--to", "nobody")

    def test_of_the_world_are_failures(self):
        taken = self.client
        taken.bind(("127.0.0.1", 0))
        self.refuse(1, "in use", "--listen", "127.0.0.1:%d" % taken.getsockname()[1])
        self.refuse(1, "No such file", "--script", self.folder / "nowhere.toml")


if __name__ == "__main__":
    hub.run_tests()
