"""Where a subscription starts: sub --from."""

import hub


class StartPosition(hub.HubTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.publish("a", "one", "two", "three")

    def received(self, start, count):
        code, out, err = self.run_client("sub", "a", "--from", start, "--count", count)
        self.assertEqual(code, 0, err)
        return out.split()

    def test_start_is_all_that_is_kept(self):
        self.assertEqual(self.received("start", 3), [b"one", b"two", b"three"])

    def test_last_is_so_many_of_the_newest(self):
        self.assertEqual(self.received("last:2", 2), [b"two", b"three"])

    def test_last_of_more_than_there_are_is_all(self):
        self.assertEqual(self.received("last:100", 3), [b"one", b"two", b"three"])

    def test_latest_is_the_newest_one(self):
        self.assertEqual(self.received("latest", 1), [b"three"])

    def test_offset_is_that_position(self):
        self.assertEqual(self.received("offset:1", 2), [b"two", b"three"])

    def test_live_is_only_what_comes(self):
        subscriber = self.subscribe("a", "--from", "live", "--count", 1)
        self.publish("a", "four")
        self.assertEqual(subscriber.finish()[1], b"four\n")

    def test_start_goes_on_with_what_comes(self):
        subscriber = self.subscribe("a", "--from", "start", "--count", 4)
        self.publish("a", "four")
        self.assertEqual(subscriber.finish()[1].split(), [b"one", b"two", b"three", b"four"])


class Retention(hub.HubTest):
    def test_what_is_no_longer_kept_is_told_as_a_gap_and_exit_code_4(self):
        config = self.file("orzatty.toml", b"[channel_default]\nretention_count = 2\n")
        self.serve("--config", config)
        self.publish("a", "one", "two", "three", "four")
        code, out, err = self.run_client("sub", "a", "--from", "offset:0", "--count", 2)
        self.assertEqual(out.split(), [b"three", b"four"])
        self.assertIn("missed 2 messages of a", err)
        self.assertEqual(code, 4)


if __name__ == "__main__":
    hub.run_tests()
