"""The hub's own surroundings: state folder, start, log, --check."""

import json
import signal
import stat

import hub


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class State(hub.HubTest):
    def test_the_folder_and_its_secrets_are_for_the_owner_alone(self):
        self.serve()
        self.assertEqual(mode(self.state), 0o700)
        for name in ("key.pem", "token", "context.json"):
            self.assertEqual(mode(self.state / name), 0o600, name)

    def test_a_second_start_has_the_same_certificate_and_token(self):
        first, _ = self.serve()
        before = [(self.state / name).read_bytes() for name in ("certificate.pem", "token")]
        first.end()
        self.serve()
        after = [(self.state / name).read_bytes() for name in ("certificate.pem", "token")]
        self.assertEqual(before, after)

    def test_a_server_that_was_killed_and_started_again_tells_its_clients_at_once(self):
        killed, address = self.serve()
        subscriber = self.subscribe("news")
        killed.send(signal.SIGKILL)
        killed.finish()
        server = self.start("serve", "--dev", "--state", self.state, "--listen", address)
        server.wait_for_line("stdout", "^listening on ")
        # By a stateless reset: its heartbeat would have told it too, but later and of silence.
        subscriber.wait_for_line("stderr", "the peer has forgotten this connection")
        server.wait_for_line("stderr", "event=peer_joined")

    def test_the_token_is_printed_only_when_asked_for(self):
        server, _ = self.serve()
        token = (self.state / "token").read_bytes().strip()
        self.assertNotIn(token, server.seen["stdout"])
        server.end()
        server, _ = self.serve("--show-token")
        self.assertIn(token, server.seen["stdout"])

    def test_the_printed_pin_is_that_of_the_certificate(self):
        server, _ = self.serve()
        pin = self.run_program("cert", "pin", "--state", self.state)[1].strip()
        self.assertIn(pin, server.seen["stdout"])
        shown = json.loads(self.run_program("cert", "show", "--json", "--state", self.state)[1])
        self.assertEqual(shown["pin"], pin.decode())
        self.assertIn("localhost", shown["names"])

    def test_a_certificate_is_made_once_unless_forced(self):
        make = ("cert", "make", "--state", self.state)
        self.assert_done(self.run_program(*make))
        self.assert_fails(self.run_program(*make), 1, "--force")
        before = self.run_program("cert", "pin", "--state", self.state)[1]
        self.assert_done(self.run_program(*make, "--force"))
        self.assertNotEqual(self.run_program("cert", "pin", "--state", self.state)[1], before)

    def test_tokens_are_long_and_never_the_same(self):
        first, second = (self.run_program("token", "make")[1].strip() for _ in range(2))
        self.assertRegex(first, rb"^[0-9a-f]{64}$")
        self.assertNotEqual(first, second)
        self.assert_done(self.run_program("token", "make", "--file", self.folder / "t"))
        self.assertEqual(mode(self.folder / "t"), 0o600)


class Log(hub.HubTest):
    def test_who_joins_leaves_and_is_refused_is_logged_without_secrets(self):
        server, _ = self.serve()
        self.assert_done(self.run_client("ping", "--count", 1))
        server.wait_for_line("stderr", "event=peer_joined identity=dev")
        server.wait_for_line("stderr", "event=peer_left identity=dev")
        self.assertEqual(self.run_client("ping", "--token", "super-wrong")[0], 3)
        server.wait_for_line("stderr", "level=warn event=peer_refused")
        self.assertNotIn(b"super-wrong", server.seen["stderr"])


class Configured(hub.HubTest):
    def test_check_says_what_would_be_used_and_starts_nothing(self):
        config = self.file("orzatty.toml", b"""
listen = "127.0.0.1:1"
[limits]
connection_count_max = 3000
[[channel]]
pattern = "quotes.>"
retention_count = 1
slow_policy = "latest"
""")
        code, out, err = self.run_program("serve", "--dev", "--state", self.state, "--config", config,
                                          "--check")
        self.assertEqual((code, err), (0, ""))
        for part in (b"127.0.0.1:1", b"quotes.>", b"3000", b"latest", b"memory"):
            self.assertIn(part, out)

    def test_a_server_is_made_from_a_file_alone_with_its_own_identities(self):
        self.assert_done(self.run_program("cert", "make", "--state", self.folder / "keys"))
        self.folder.joinpath("keys").chmod(0o700)
        self.assert_done(self.run_program("token", "make", "--file", self.folder / "alice.token"))
        config = self.file("orzatty.toml", b"""
listen = "127.0.0.1:0"
certificate = "keys/certificate.pem"
key = "keys/key.pem"
tokens = [{identity = "alice", token_file = "alice.token"}]
""")
        server = self.start("serve", "--config", config)
        address = server.wait_for_line("stdout", r"^listening on (\S+)$").group(1)
        pin = self.run_program("cert", "pin", self.folder / "keys" / "certificate.pem")[1].decode().strip()
        connection = ("--server", address, "--pin", pin, "--token-file", self.folder / "alice.token")
        self.assert_done(self.run_program("pub", *connection, "a", "hi"))
        received = self.run_program("sub", *connection, "a", "--from", "start", "--count", 1, "--json")
        self.assertEqual(json.loads(received[1])["publisher"], "alice")

    def test_both_families_of_localhost_are_served(self):
        server = self.start("serve", "--dev", "--state", self.state, "--listen", "localhost:0")
        addresses = server.wait_for_line("stdout", r"^listening on (.+)$").group(1).split(", ")
        self.assertEqual(len(addresses), 2)
        for address in addresses:
            self.assert_done(self.run_program(
                "ping", "--server", address, "--ca", self.state / "certificate.pem", "--token-file",
                self.state / "token", "--count", 1))


if __name__ == "__main__":
    hub.run_tests()
