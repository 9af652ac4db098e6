"""What is published arrives, byte for byte and in order."""

import hashlib
import json
import os
import random

import hub


def digest(content):
    return hashlib.sha256(content).hexdigest()


class RoundTrip(hub.HubTest):
    def test_a_file_of_10_mb_by_line_arrives_whole(self):
        self.serve()
        chance = random.Random(1)
        lines = [("line %d %s äöü" % (i, "x" * chance.randrange(80))).encode() for i in range(160_000)]
        source = self.file("in", b"\n".join(lines))  # the last line without a newline
        self.assertGreater(source.stat().st_size, 10_000_000 * 0.9)
        out = open(self.folder / "out", "wb")
        with out:
            subscriber = self.subscribe("a.lines", "--count", len(lines), "--format", "raw", stdout=out)
            self.assert_done(self.run_client("pub", "a.lines", "--file", source))
            code, _, err = subscriber.finish()
        self.assertEqual(code, 0, err)
        self.assertEqual(digest((self.folder / "out").read_bytes()), digest(b"".join(lines)))

    def test_10_mb_of_any_bytes_by_chunk_arrive_whole(self):
        self.serve()
        content = random.Random(2).randbytes(10_000_001)
        source = self.file("in", content)
        with open(self.folder / "out", "wb") as out:
            subscriber = self.subscribe("a.chunks", "--count", 9766, "--format", "raw", stdout=out)
            self.assert_done(self.run_client("pub", "a.chunks", "--file", source, "--chunk", 1024))
            code, _, err = subscriber.finish()
        self.assertEqual(code, 0, err)
        self.assertEqual(digest((self.folder / "out").read_bytes()), digest(content))

    def test_the_largest_message_arrives(self):
        self.serve()
        content = random.Random(3).randbytes(1024 * 1024)
        source = self.file("in", content)
        subscriber = self.subscribe("big", "--count", 1, "--format", "raw")
        self.assert_done(self.run_client("pub", "big", "--file", source, "--chunk", 1024 * 1024))
        self.assertEqual(digest(subscriber.finish()[1]), digest(content))

    def test_standard_input_is_published_and_empty_lines_are_messages(self):
        self.serve()
        subscriber = self.subscribe("a", "--count", 3)
        self.assert_done(self.run_client("pub", "a", "--file", "-", stdin=b"one\n\ntwo\n"))
        self.assertEqual(subscriber.finish()[1], b"one\n\ntwo\n")

    def test_a_line_of_a_pipe_is_sent_while_the_pipe_stays_open(self):
        self.serve()
        subscriber = self.subscribe("a", "--count", 1)
        reader, writer = os.pipe()
        publisher = self.start("pub", "--state", self.state, "a", "--file", "-", stdin=reader)
        os.close(reader)
        os.write(writer, b"now\n")
        self.assertEqual(subscriber.finish()[1], b"now\n")
        os.close(writer)
        self.assertEqual(publisher.finish()[0], 0)

    def test_an_empty_text_is_a_message(self):
        self.serve()
        subscriber = self.subscribe("a", "--count", 1, "--format", "json")
        self.publish("a", "")
        self.assertEqual(json.loads(subscriber.finish()[1])["text"], "")

    def test_a_wildcard_shows_every_channel_that_matches(self):
        self.serve()
        subscriber = self.subscribe("news.*", "--count", 2)
        self.publish("sports.today", "no")
        self.publish("news.today", "yes")
        self.publish("news.tomorrow", "maybe")
        lines = subscriber.finish()[1].splitlines()
        self.assertEqual(sorted(lines), [b"news.today\tyes", b"news.tomorrow\tmaybe"])

    def test_json_names_channel_offset_and_publisher_and_keeps_any_bytes(self):
        self.serve()
        subscriber = self.subscribe("a.b", "--count", 2, "--format", "json")
        self.publish("a.b", "hi")
        self.assert_done(self.run_client("pub", "a.b", "--file", self.file("x", b"\xff"), "--chunk", 9))
        first, second = map(json.loads, subscriber.finish()[1].splitlines())
        self.assertEqual(first, {"channel": "a.b", "offset": 0, "publisher": "dev", "text": "hi"})
        self.assertEqual((second["offset"], second["base64"]), (1, "/w=="))

    def test_pub_tells_its_account_as_json(self):
        self.serve()
        code, out, err = self.run_client("pub", "a", "hello", "--count", 1000, "--json")
        self.assertEqual((code, err), (0, ""))
        account = json.loads(out)
        self.assertEqual((account["sent"], account["accepted"], account["bytes"]), (1000, 1000, 5000))
        self.assertGreater(account["messages_per_second"], 0)

    def test_three_publishers_at_once_keep_their_orders(self):
        self.serve()
        count = 20_000
        subscriber = self.subscribe("a", "--count", 3 * count)
        publishers = []
        for name in "xyz":
            source = self.file(name, b"".join(b"%s %d\n" % (name.encode(), i) for i in range(count)))
            publishers.append(self.start("pub", "--state", self.state, "a", "--file", source))
        for publisher in publishers:
            self.assertEqual(publisher.finish()[0], 0)
        code, out, err = subscriber.finish()
        self.assertEqual(code, 0, err)
        for name in "xyz":
            mine = [line for line in out.splitlines() if line.startswith(name.encode())]
            self.assertEqual(mine, [b"%s %d" % (name.encode(), i) for i in range(count)])


if __name__ == "__main__":
    hub.run_tests()
