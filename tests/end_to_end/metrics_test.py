"""The port for metrics and probes: what it says, to whom, and what it does to those who misuse it."""

import http.client
import re
import signal
import socket
import time

import hub


class Metrics(hub.HubTest):
    def serve_metrics(self, *words):
        server, _ = self.serve("--metrics", "127.0.0.1:0", *words)
        self.port = int(server.wait_for_line("stdout", r"http://127\.0\.0\.1:(\d+)/metrics").group(1))
        return server

    def ask(self, path, method="GET", host=None, **headers):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=hub.PATIENCE)
        try:
            connection.request(method, path, headers={"Host": host or "127.0.0.1", **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def text_with(self, pattern):
        """The metrics, once they hold that: they may lag behind."""
        until = time.monotonic() + hub.PATIENCE
        while True:
            text = self.ask("/metrics")[2]
            if re.search(pattern, text, re.MULTILINE):
                return text
            self.assertLess(time.monotonic(), until, text)


class Pages(Metrics):
    def test_counters_are_served_in_the_format_of_prometheus(self):
        self.serve_metrics()
        self.publish("a", "one", "two")
        text = self.text_with(r"^orzatty_received_messages_total 2$")
        self.assertIn("\norzatty_channels 1\n", text)
        self.assertEqual(self.ask("/metrics")[1]["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_the_server_is_healthy_and_ready_while_it_serves(self):
        self.serve_metrics()
        self.assertEqual(self.ask("/healthz")[::2], (200, "ok\n"))
        until = time.monotonic() + hub.PATIENCE
        while self.ask("/readyz")[0] != 200:  # it says where it listens a moment before it serves
            self.assertLess(time.monotonic(), until)
        self.assertEqual(self.ask("/readyz")[2], "ready\n")

    def test_other_paths_and_methods_are_told_what_there_is(self):
        self.serve_metrics()
        self.assertEqual(self.ask("/")[0], 404)
        self.assertIn("/metrics", self.ask("/other")[2])
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, headers, _ = self.ask("/metrics", method)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), method)
        status, headers, body = self.ask("/metrics", "HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 100)


class Strangers(Metrics):
    def test_a_web_page_under_a_name_that_was_made_to_point_here_learns_nothing(self):
        self.serve_metrics("--metrics-host", "hub.example")
        for host in ("localhost:1", "127.0.0.1", "[::1]:80", "hub.example", "Hub.Example:9464"):
            self.assertEqual(self.ask("/metrics", host=host)[0], 200, host)
        for host in ("evil.example", "127.0.0.1.evil.example", "192.0.2.1"):
            status, _, body = self.ask("/metrics", host=host)
            self.assertEqual(status, 421, host)
            self.assertNotIn("orzatty_", body)

    def test_no_page_of_another_origin_is_let_in(self):
        self.serve_metrics()
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
        status, headers, _ = self.ask("/metrics", "OPTIONS", **asked)
        self.assertEqual(status, 405)
        _, more, _ = self.ask("/metrics", Origin="http://evil.example")
        for header in (*headers, *more):
            self.assertFalse(header.lower().startswith("access-control"), header)

    def test_a_request_that_is_too_long_is_refused(self):
        self.serve_metrics()
        self.assertEqual(self.ask("/metrics", Long="a" * 9000)[0], 400)
        self.assertEqual(self.ask("/metrics", Long="a" * 7000)[0], 200)

    def test_who_says_nothing_or_half_a_request_is_not_waited_for(self):
        self.serve_metrics()
        slow = [socket.create_connection(("127.0.0.1", self.port), timeout=hub.PATIENCE) for _ in range(8)]
        for connection in slow[::2]:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHo")
        self.assertEqual(self.ask("/healthz")[0], 200)  # after two turns of four threads
        for connection in slow:
            while connection.recv(65536):
                pass
            connection.close()


class Ends(Metrics):
    def test_a_server_that_stops_is_alive_but_not_ready_until_it_is_gone(self):
        config = self.file("slow.toml", b'[limits]\ndrain_timeout = "60s"\n')
        server = self.serve_metrics("--config", config)
        # It does not read, so that the server has something to wait for.
        subscriber = self.subscribe("a")
        subscriber.send(signal.SIGSTOP)
        lines = self.file("lines", (b"x" * 1000 + b"\n") * 500)
        self.assert_done(self.run_client("pub", "a", "--file", lines))
        server.send(signal.SIGTERM)
        until = time.monotonic() + hub.PATIENCE
        while self.ask("/readyz")[::2] != (503, "draining\n"):
            self.assertLess(time.monotonic(), until)
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.assertEqual(self.ask("/metrics")[0], 200)
        subscriber.send(signal.SIGCONT)
        self.assertEqual(server.finish()[0], 0)
        with self.assertRaises(ConnectionRefusedError):
            self.ask("/healthz")


if __name__ == "__main__":
    hub.run_tests()
