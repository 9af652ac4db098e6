"""Programs that are killed and go on: once for each message, as the application stored how far it came."""

import json
import random
import signal

import hub

COUNT = 3000


class Killed(hub.HubTest):
    def setUp(self):
        super().setUp()
        self.serve()
        self.source = self.file("in", b"".join(b"%d\n" % number for number in range(COUNT)))
        self.random = random.Random(7)

    def lines_of(self, process, count):
        """So many lines of its output, as the application reads them one by one."""
        stream = process.process.stdout
        return [line for line in (stream.readline() for _ in range(count)) if line.endswith(b"\n")]

    def test_a_subscriber_goes_on_at_its_stored_offset_and_has_each_message_once(self):
        publisher = self.start("pub", "--state", self.state, "a", "--file", self.source, "--rate", 3000)
        stored, texts = 0, []
        while stored < COUNT:
            subscriber = self.start("sub", "--state", self.state, "a", "--from", f"offset:{stored}", "--format", "json")
            # Killed at any place, with messages on their way to it and in its pipe.
            for line in self.lines_of(subscriber, min(self.random.randrange(1, 600), COUNT - stored)):
                message = json.loads(line)
                self.assertEqual(message["offset"], stored)
                stored = message["offset"] + 1
                texts.append(int(message["text"]))
            subscriber.send(signal.SIGKILL)
            subscriber.end()
        self.assertEqual(texts, list(range(COUNT)))
        self.assertEqual(publisher.finish()[0], 0)

    def test_a_named_publisher_begins_its_file_again_and_the_channel_has_each_message_once(self):
        subscriber = self.subscribe("b", "--from", "start", "--count", COUNT, "--format", "json")
        seen = 0
        while seen < COUNT:
            publisher = self.start("pub", "--state", self.state, "b", "--file", self.source, "--rate", 3000,
                                   "--producer", "import")
            wanted = min(self.random.randrange(1, 900), COUNT - seen)
            for line in self.lines_of(subscriber, wanted):
                self.assertEqual(int(json.loads(line)["text"]), seen)
                seen += 1
            publisher.send(signal.SIGKILL)
            publisher.end()
        self.assertEqual(subscriber.finish()[0], 0)
        self.assert_done(self.run_client("pub", "b", "--file", self.source, "--producer", "import"))
        code, out, _ = self.run_client("sub", "b", "--from", "start", "--count", COUNT + 1, "--timeout", 1)
        self.assertEqual((code, len(out.split())), (4, COUNT))


if __name__ == "__main__":
    hub.run_tests()
