"""A producer that outlives its process, and what became of its messages."""

import json
import os
import signal

import hub


class Fates(hub.HubTest):
    def fates(self, *words):
        code, out, err = self.run_client("fate", *words, "--json")
        self.assertEqual(code, 0, err)
        return [json.loads(line) for line in out.splitlines()]

    def test_a_publisher_that_was_killed_goes_on_exactly_once(self):
        self.serve()
        lines = [b"line %d" % i for i in range(1000)]
        subscriber = self.subscribe("log", "--count", len(lines))
        reader, writer = os.pipe()
        first = self.start("pub", "--state", self.state, "log", "--file", "-", "--producer", "import",
                           stdin=reader)
        os.close(reader)
        os.write(writer, b"\n".join(lines[:400]) + b"\n")
        subscriber.wait_for_line("stdout", "line 399$")
        first.send(signal.SIGKILL)
        first.finish()
        os.close(writer)

        source = self.file("log", b"\n".join(lines))
        again = self.run_client("pub", "log", "--file", source, "--producer", "import", "--json")

        self.assert_done(again)
        self.assertEqual(json.loads(again[1])["accepted"], len(lines))
        self.assertEqual(json.loads(again[1])["next_sequence"], len(lines))
        self.assertEqual(subscriber.finish()[1].splitlines(), lines)

    def test_a_sequence_is_where_the_next_run_begins(self):
        self.serve()
        self.assert_done(self.run_client("pub", "log", "zero", "--producer", "p"))
        self.assert_done(self.run_client("pub", "log", "again", "--producer", "p"))
        self.assert_done(self.run_client("pub", "log", "one", "--producer", "p", "--next-sequence", 1))
        subscriber = self.subscribe("log", "--from", "start", "--count", 2)
        self.assertEqual(subscriber.finish()[1], b"zero\none\n")

    def test_fates_are_told_by_runs_and_to_their_own_identity(self):
        self.serve()
        self.assert_done(self.run_client("pub", "log", "x", "--count", 5, "--producer", "p"))

        self.assertEqual(self.fates("p", "log"),
                         [{"from": 0, "to": 5, "fate": "accepted", "first_offset": 0},
                          {"from": 5, "to": None, "fate": "unknown"}])
        self.assertEqual(self.fates("p", "log", "--from", 1, "--to", 3),
                         [{"from": 1, "to": 3, "fate": "accepted", "first_offset": 1}])
        self.assertEqual(self.fates("other", "log"), [{"from": 0, "to": None, "fate": "unknown"}])
        self.assertEqual(self.fates("p", "elsewhere", "--to", 1),
                         [{"from": 0, "to": 1, "fate": "unknown"}])
        self.assertEqual(self.run_client("fate", "p", "log")[1],
                         b"0 to 4: accepted, from offset 0 on\n5 and later: unknown\n")

    def test_a_newer_epoch_begins_anew_and_shuts_the_older_out(self):
        self.serve()
        self.assert_done(self.run_client("pub", "log", "old", "--producer", "p"))
        self.assert_done(self.run_client("pub", "log", "new", "--producer", "p", "--epoch", 1))
        self.assert_fails(self.run_client("pub", "log", "late", "--producer", "p"), 4, "FENCED")
        subscriber = self.subscribe("log", "--from", "start", "--count", 2)
        self.assertEqual(subscriber.finish()[1], b"old\nnew\n")

    def test_wrong_usage_is_2(self):
        for words in (["fate"], ["fate", "p"], ["fate", "p", "a.*"],
                      ["fate", "p", "a", "--from", 5, "--to", 5],
                      ["pub", "a", "x", "--epoch", 1], ["pub", "a", "x", "--next-sequence", 1]):
            self.assert_fails(self.run_program(*words), 2, r"\w")


if __name__ == "__main__":
    hub.run_tests()
