"""Requests and their replies, from the command line."""

import json
import signal

import hub


class Requests(hub.HubTest):
    def answer(self, *words):
        responder = self.start("reply", "--state", self.state, "--verbose", *words)
        responder.wait_for_line("stderr", "answering on")
        return responder

    def test_a_request_is_answered_with_a_text(self):
        self.serve()
        self.answer("ping.*", "pong")
        code, out, err = self.run_client("req", "ping.me", "are you there?")
        self.assertEqual((code, out, err), (0, b"pong\n", ""))

    def test_a_reply_as_json_names_who_gave_it(self):
        self.serve()
        responder = self.answer("echo", "--echo", "--json", "--count", 2)
        code, out, err = self.run_client("req", "echo", "hello", "--json")
        self.assertEqual(code, 0, err)
        reply = json.loads(out)
        self.assertEqual((reply["channel"], reply["text"]), ("echo", "hello"))
        self.assertTrue(reply["responder"])
        self.assertLess(reply["seconds"], hub.PATIENCE)
        self.assertEqual(json.loads(self.run_client("req", "echo", "--json")[1])["text"], "")

        code, out, err = responder.finish()
        self.assertEqual(code, 0, err)
        told = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([(one["channel"], one["request"], one["reply"]) for one in told],
                         [("echo", "hello", "hello"), ("echo", "", "")])

    def test_a_command_gets_the_request_and_gives_the_reply(self):
        self.serve()
        self.answer("upper", "--command", "tr a-z A-Z")
        self.assertEqual(self.run_client("req", "upper", "$(exit) hello")[1], b"$(EXIT) HELLO\n")

    def test_a_command_that_fails_gives_no_reply_and_the_next_request_is_answered(self):
        self.serve()
        responder = self.answer("moody", "--command", "grep -v bad")
        self.assert_fails(self.run_client("req", "moody", "bad", "--timeout", 0.3), 1, "in time")
        responder.wait_for_line("stderr", "exit code 1")
        self.assertEqual(self.run_client("req", "moody", "good")[1], b"good\n\n")

    def test_a_request_that_nobody_could_answer_fails_at_once(self):
        self.serve()
        self.assert_fails(self.run_client("req", "nobody", "hello?", "--timeout", 3600), 1,
                          "NO_RESPONDER: nobody is subscribed")

    def test_a_request_that_nobody_answers_fails_in_time(self):
        self.serve()
        self.subscribe("mute")
        self.assert_fails(self.run_client("req", "mute", "hello?", "--timeout", 0.3), 1, "in time")

    def test_a_request_is_seen_by_subscribers_as_a_message(self):
        self.serve()
        watching = self.subscribe("watched", "--count", 1)
        self.answer("watched", "seen")
        self.assertEqual(self.run_client("req", "watched", "question")[1], b"seen\n")
        self.assertEqual(watching.finish()[1], b"question\n")

    def test_a_reply_of_3_mib_needs_the_limit_of_all_who_handle_it(self):
        config = self.file("orzatty.toml", b"[limits]\nmessage_size_max = 4194304\n"
                                           b"stream_window = 4194304\noutbox_size_max = 4194304\n")
        self.serve("--config", config)
        raised = ("--message-size-max", 4 << 20)
        long = ("--command", "head -c 3145728 /dev/zero")
        self.answer("large", *long, *raised)
        self.assert_fails(self.run_client("req", "large", "x"), 1, "FRAME_TOO_LARGE.*--message-size-max")
        code, out, err = self.run_client("req", "large", "x", *raised)
        self.assertEqual((code, len(out), err), (0, (3 << 20) + 1, ""))

    def test_a_responder_whose_reply_is_above_its_limit_is_told_what_to_do(self):
        self.serve()
        responder = self.answer("large", "x" * 100, "--message-size-max", 50)
        self.assert_fails(self.run_client("req", "large", "x", "--timeout", 0.3), 1, "in time")
        responder.wait_for_line("stderr", "a reply was not sent: .*--message-size-max")

    def test_both_end_in_order_when_they_are_interrupted(self):
        self.serve()
        responder = self.answer("mute", "--command", "cat >/dev/null; exit 1")
        asking = self.start("req", "--state", self.state, "mute", "x", "--timeout", 3600)
        responder.wait_for_line("stderr", "exit code 1")
        asking.send(signal.SIGINT)
        self.assertEqual(asking.finish()[0], 4)
        responder.send(signal.SIGINT)
        self.assertEqual(responder.finish()[0], 0)

    def test_what_is_to_be_replied_is_said_in_one_way(self):
        for words in (["reply"], ["reply", "a"], ["reply", "a", "b", "--echo"], ["reply", "a..b", "c"],
                      ["reply", "a", "--echo", "--command", "cat"], ["req"], ["req", "a.*", "x"],
                      ["req", "a", "x", "--timeout", 3601], ["req", "a", "x", "--timeout", 0]):
            self.assert_fails(self.run_program(*words), 2, r"\w")


if __name__ == "__main__":
    hub.run_tests()
