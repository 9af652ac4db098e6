"""Ctrl-C in the middle: what was accepted is told, and the other side is told too."""

import json
import os
import signal
import time

import hub


class Interrupted(hub.HubTest):
    def test_a_publisher_tells_what_was_accepted_and_exits_4(self):
        self.serve()
        subscriber = self.subscribe("a", "--count", 2)
        reader, writer = os.pipe()
        publisher = self.start("pub", "--state", self.state, "--json", "a", "--file", "-", stdin=reader)
        os.close(reader)
        os.write(writer, b"one\ntwo\n")
        self.assertEqual(subscriber.finish()[1], b"one\ntwo\n")
        publisher.send(signal.SIGINT)
        code, out, err = publisher.finish()
        os.close(writer)
        self.assertEqual(code, 4, err)
        self.assertRegex(err, r"\Aorzatty: interrupted: 2 of 2 messages were accepted[^\n]*\n\Z")
        self.assertEqual(json.loads(out)["accepted"], 2)

    def test_a_publisher_that_waits_for_its_turn_ends_at_once(self):
        self.serve()
        subscriber = self.subscribe("a", "--count", 1)
        publisher = self.start("pub", "--state", self.state, "a", "x", "--count", 10, "--rate", 0.001)
        self.assertEqual(subscriber.finish()[0], 0)
        publisher.send(signal.SIGTERM)
        self.assertEqual(publisher.finish()[0], 4)

    def test_a_subscriber_without_a_count_is_done(self):
        self.serve()
        subscriber = self.subscribe("a")
        subscriber.send(signal.SIGINT)
        self.assertEqual(subscriber.finish()[0], 0)

    def test_a_subscriber_that_misses_messages_of_its_count_exits_4(self):
        self.serve()
        subscriber = self.subscribe("a", "--count", 5)
        subscriber.send(signal.SIGINT)
        self.assertEqual(subscriber.finish()[0], 4)

    def test_a_server_stops_gracefully_while_peers_are_connected(self):
        server, _ = self.serve()
        subscriber = self.subscribe("a")
        server.send(signal.SIGTERM)
        code, _, err = server.finish()
        self.assertEqual(code, 0, err)
        subscriber.wait_for_line("stderr", "going away|lost")

    def test_a_server_stops_in_time_though_a_subscriber_is_stuck_and_tells_whom_it_left_behind(self):
        config = self.file("orzatty.toml", b'[limits]\ndrain_timeout = "500ms"\n')
        server, _ = self.serve("--config", config)
        subscriber = self.subscribe("a")
        subscriber.send(signal.SIGSTOP)
        self.publish("a", "never read")
        began = time.monotonic()
        server.send(signal.SIGTERM)
        code, _, err = server.finish()
        self.assertEqual(code, 4, err)
        self.assertRegex(err, r"\norzatty: stopped before 1 peer had all [^\n]*drain_timeout[^\n]*\n\Z")
        self.assertLess(time.monotonic() - began, 5)  # the subscriber would be taken for dead after 10
        self.assertRegex(err, "level=warn event=peer_left_behind identity=dev")

    def test_a_server_without_peers_stops_at_once(self):
        server, _ = self.serve()
        server.send(signal.SIGINT)
        self.assertEqual(server.finish()[0], 0)


if __name__ == "__main__":
    hub.run_tests()
