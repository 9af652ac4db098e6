"""Mode latest from outside: the newest value of each key is there for whoever comes."""

import json

import hub

CONFIG = b"""
[[channel]]
pattern = "quotes.>"
mode = "latest"
retention_count = 1
"""


class Latest(hub.HubTest):
    def setUp(self):
        super().setUp()
        self.serve("--config", self.file("orzatty.toml", CONFIG))

    def publish_value(self, key, text):
        self.assert_done(self.run_client("pub", "quotes.us", text, "--mode", "latest", "--key", key))

    def test_who_comes_late_gets_the_newest_of_each_key_though_the_log_keeps_one_message(self):
        for key, text in (("AAPL", "1"), ("MSFT", "2"), ("AAPL", "3"), ("IBM", "4"), ("IBM", "5")):
            self.publish_value(key, text)
        code, out, _ = self.run_client("sub", "quotes.us", "--from", "start", "--count", 3)
        self.assertEqual(out.split(), [b"2", b"3", b"5"])
        self.assertEqual(code, 4)  # it was told of the one between that was superseded

    def test_lines_that_were_superseded_are_told_and_the_last_one_arrives(self):
        subscriber = self.subscribe("quotes.us", "--from", "start")
        lines = b"".join(b"%d\n" % number for number in range(20_000))
        code, out, err = self.run_client("pub", "quotes.us", "-f", "-", "--mode", "latest", "--json",
                                         stdin=lines)
        self.assertEqual(code, 0, err)
        told = json.loads(out)
        self.assertEqual(told["accepted"] + told["superseded"], 20_000)
        self.assertEqual(told["unknown"], 0)
        subscriber.wait_for_line("stdout", "^19999$")

    def test_a_channel_in_another_mode_takes_no_values(self):
        self.assert_fails(self.run_client("pub", "news", "one", "--mode", "latest"), 1, "MODE_UNSUPPORTED")

    def test_check_says_what_such_a_channel_keeps(self):
        config = self.file("other.toml", CONFIG)
        code, out, err = self.run_program("serve", "--dev", "--state", self.state, "--config", config,
                                          "--check")
        self.assertEqual(code, 0, err)
        self.assertRegex(out.decode(), "quotes.>  latest, keeps 1 messages, .*the newest value of each key")
        self.assertRegex(out.decode(), "besides  ")


if __name__ == "__main__":
    hub.run_tests()
