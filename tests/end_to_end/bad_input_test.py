"""Bad input of every kind: a clear line, the documented exit code, and nobody else notices."""

import pathlib
import random
import re
import socket
import subprocess
import urllib.request

import hub


class BadFiles(hub.HubTest):
    def test_an_unreadable_file_is_1_and_named(self):
        self.serve()
        for path in ("/nonexistent", self.folder):
            self.assert_fails(self.run_client("pub", "a", "--file", path), 1, f"cannot read {path}")

    def test_a_line_above_the_limit_loses_nothing_that_was_accepted(self):
        self.serve()
        source = self.file("in", b"one\ntwo\n" + b"x" * (1024 * 1024 + 1) + b"\nthree\n")
        code, _, err = self.run_client("pub", "--quiet", "a", "--file", source)
        self.assertEqual(code, 1)
        self.assertRegex(err, r"\Aorzatty: line 3 of .*1048576 bytes \(message_size_max\).*; 2 of 2 "
                              r"messages were accepted[^\n]*\n\Z")
        self.assertEqual(self.run_client("sub", "a", "--from", "start", "--count", 2)[1], b"one\ntwo\n")

    def test_a_message_of_3_mib_needs_the_limit_of_all_who_handle_it(self):
        self.serve()
        source = self.file("in", b"x" * (3 << 20))
        pub = ("pub", "a", "--file", source, "--chunk", 3 << 20)
        self.assert_fails(self.run_client(*pub), 2, "--message-size-max")
        self.assert_fails(self.run_client("pub", "a", "--file", source), 1,
                          r"1048576 bytes .*--message-size-max")
        self.assert_fails(self.run_client(*pub, "--message-size-max", 4 << 20, "--quiet"), 1,
                          r"message_size_max = 1048576.*--message-size-max.* of the server")

    def test_a_message_of_3_mib_passes_with_the_limit_raised(self):
        config = self.file("orzatty.toml", b"[limits]\nmessage_size_max = 4194304\n"
                                           b"stream_window = 4194304\noutbox_size_max = 4194304\n")
        self.serve("--config", config)
        content = bytes(range(256)) * (3 << 12)
        raised = ("--message-size-max", 4 << 20)
        self.assert_done(self.run_client("pub", "a", "--file", self.file("in", content), "--chunk",
                                         len(content), *raised))
        code, out, err = self.run_client("sub", "a", "--from", "start", "--count", 1, "--format", "raw",
                                         *raised)
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out == content, len(out))

    def test_a_subscriber_that_takes_no_such_message_is_told_what_to_do(self):
        config = self.file("orzatty.toml", b"[limits]\nmessage_size_max = 4194304\n"
                                           b"stream_window = 4194304\noutbox_size_max = 4194304\n")
        self.serve("--config", config)
        self.assert_done(self.run_client("pub", "a", "--file", self.file("in", bytes(3 << 20)), "--chunk",
                                         3 << 20, "--message-size-max", 4 << 20))
        self.assert_fails(self.run_client("sub", "a", "--from", "start", "--count", 1), 1,
                          r"message_size_max = 1048576 .*--message-size-max")

    def test_the_largest_message_passes_where_the_window_is_no_larger(self):
        size = 3 << 20
        config = self.file("orzatty.toml", b"[limits]\nmessage_size_max = %d\nstream_window = %d\n"
                                           b"outbox_size_max = %d\n" % (size, size, size))
        self.serve("--config", config)
        raised = ("--message-size-max", size)
        self.assert_done(self.run_client("pub", "a", "--file", self.file("in", bytes(size)), "--chunk", size,
                                         "--patience", 10, *raised))
        self.assertEqual(self.run_client("sub", "a", "--from", "start", "--count", 1, "--timeout", 10,
                                         "--format", "raw", *raised)[1], bytes(size))

    def test_an_output_that_is_full_is_1(self):
        self.serve()
        with open("/dev/full", "wb") as full:
            subscriber = self.subscribe("a", "--count", 1, "--format", "raw", stdout=full)
            self.publish("a", "x")
            code, _, err = subscriber.finish()
        self.assertEqual(code, 1)
        self.assertIn("orzatty: cannot write the output: No space left on device\n", err)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        self.serve()
        subscriber = self.subscribe("a")
        subscriber.process.stdout.close()
        subscriber.process.stdout = None
        self.publish("a", "x")
        code, _, err = subscriber.finish()
        self.assertEqual(code, 1)
        self.assertEqual(err, "orzatty: subscribed to a\n")

    def test_text_that_is_not_utf8_is_1_and_what_came_before_it_is_kept(self):
        self.serve()
        source = self.file("in", b"one\n\xff\n")
        result = self.run_client("pub", "--quiet", "--text", "a", "--file", source)
        self.assert_fails(result, 1, "message 2 is not UTF-8.*; 1 of 1 messages were accepted")


def resident(process):
    """Bytes of memory that a running process has."""
    status = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


class BadDatagrams(hub.HubTest):
    def flood(self, address, count):
        """Random bytes, of every size up to 1500 in turn."""
        host, port = address.split(":")
        pool = memoryview(random.Random(4).randbytes(1 << 20))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect((host, int(port)))
            for number in range(count):
                begin = number * 7919 % (len(pool) - 1500)
                sender.send(pool[begin:begin + number % 1501])

    def test_a_million_of_them_leave_the_server_and_its_subscriber_unmoved(self):
        server, address = self.serve("--metrics", "127.0.0.1:0")
        metrics = server.wait_for_line("stdout", r"(http://\S+/metrics)").group(1)
        subscriber = self.subscribe("a", "--count", 2)
        self.publish("a", "before")
        self.flood(address, 50_000)  # what memory the first of them need
        before = resident(server)
        self.flood(address, 1_000_000)
        grown = resident(server) - before
        self.publish("a", "after")
        code, out, err = subscriber.finish()
        self.assertEqual((code, out, err), (0, b"before\nafter\n", "orzatty: subscribed to a\n"))
        with urllib.request.urlopen(metrics, timeout=hub.PATIENCE) as answer:
            ignored = re.search(r"^orzatty_datagrams_ignored_total (\d+)$", answer.read().decode(), re.MULTILINE)
        self.assertGreater(int(ignored.group(1)), 20_000)  # the rest found no room in its socket
        if b"__asan_init" not in pathlib.Path(hub.PROGRAM).read_bytes():  # which keeps what was freed
            self.assertLess(grown, 4 << 20)


class BadPlaces(hub.HubTest):
    def test_a_port_in_use_is_1_and_named(self):
        _, address = self.serve()
        result = self.run_program("serve", "--dev", "--state", self.folder / "other", "--listen", address)
        self.assert_fails(result, 1, address)

    def test_a_metrics_port_in_use_is_1(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            result = self.run_program("serve", "--dev", "--state", self.state, "--listen",
                                      "127.0.0.1:0", "--metrics", address)
        self.assert_fails(result, 1, f"metrics at {address}")

    def test_a_state_folder_that_cannot_be_made_is_1_and_named(self):
        path = self.file("a_file", b"") / "state"
        result = self.run_program("serve", "--dev", "--state", path, "--listen", "127.0.0.1:0")
        self.assert_fails(result, 1, str(path))

    def test_a_state_folder_that_others_can_enter_is_refused(self):
        self.state.mkdir(mode=0o755)
        self.state.chmod(0o755)
        result = self.run_program("serve", "--dev", "--state", self.state, "--listen", "127.0.0.1:0")
        self.assert_fails(result, 1, "chmod 700")

    def test_a_full_disk_in_the_state_folder_is_1(self):
        mounted = self.folder / "full"
        mounted.mkdir(mode=0o700)
        script = ('mount -t tmpfs -o size=4k,mode=700 none "$1" && '
                  '{ head -c 8192 /dev/zero >"$1/filler" 2>/dev/null; shift; exec "$@"; }')
        words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        if subprocess.run([*words[:-4], "sh", "-c", 'mount -t tmpfs none "$1"', "sh", mounted],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("no private mounts on this machine")
        done = subprocess.run([*words, mounted, hub.PROGRAM, "serve", "--dev", "--state", mounted,
                               "--listen", "127.0.0.1:0"], capture_output=True, check=False,
                              timeout=hub.PATIENCE, env=hub.environment())
        self.assert_fails((done.returncode, b"", done.stderr.decode()), 1, "No space left on device")


class BadConfiguration(hub.HubTest):
    def check(self, text):
        path = self.file("orzatty.toml", text.encode())
        return self.run_program("serve", "--dev", "--state", self.state, "--config", path, "--check")

    def test_an_unknown_key_is_2_with_its_line_and_the_nearest_one(self):
        self.assert_fails(self.check("\n[limits]\nmesage_size_max = 5\n"), 2,
                          r"orzatty\.toml:3: .*'mesage_size_max'.*did you mean 'message_size_max'")

    def test_limits_that_contradict_each_other_are_2(self):
        self.assert_fails(self.check("[limits]\nmessage_size_max = 9000000\n"), 2, "stream_window")

    def test_a_configuration_that_is_not_there_is_1(self):
        self.assert_fails(self.run_program("serve", "--config", "/nonexistent.toml"), 1, "nonexistent")

    def test_one_without_tokens_is_2(self):
        path = self.file("orzatty.toml", b"listen = '127.0.0.1:0'\n")
        self.assert_fails(self.run_program("serve", "--config", path), 2, "tokens")


if __name__ == "__main__":
    hub.run_tests()
