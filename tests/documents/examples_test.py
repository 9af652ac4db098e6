"""The examples do what they say."""

import programs


class Examples(programs.DocumentTest):
    def test_quick_start_prints_its_echo(self):
        self.assertEqual(self.run_to_its_end(programs.EXAMPLES / "quick_start"), (0, "Hello Orzatty\n"))

    def test_client_says_hello_to_server_with_the_words_that_the_server_prints(self):
        server = self.start(programs.EXAMPLES / "server", "127.0.0.1:0")
        client, *words = server.line().split()
        self.assertEqual(self.run_to_its_end(programs.EXAMPLES / client, *words), (0, "Hello Orzatty\n"))

    def test_client_and_server_say_what_is_wrong(self):
        pin = "00" * 32
        code, said = self.run_to_its_end(programs.EXAMPLES / "client", pin, "127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"\A[^\n]*127\.0\.0\.1:1[^\n]*\n\Z")
        code, said = self.run_to_its_end(programs.EXAMPLES / "server", "nowhere")
        self.assertEqual((code, said.count("\n")), (1, 1))

    def test_players_of_the_poll_loop_see_each_other_to_the_last_step(self):
        code, said = self.run_to_its_end(programs.EXAMPLES / "poll_loop", 60)
        self.assertEqual(code, 0)
        for player in ("ann", "ben"):
            self.assertRegex(said, rf"(?m)^{player} made 60 steps and saw \d+ states of the other, "
                                   r"the last of step 60$")


class Chat(programs.DocumentTest):
    def setUp(self):
        super().setUp()
        host = self.start(programs.EXAMPLES / "chat", "host", "127.0.0.1:0", "alice=apple", "bob=pear")
        _, _, self.address, self.pin, _, _ = host.line().split()

    def join(self, token, room):
        return self.start(programs.EXAMPLES / "chat", "join", self.address, self.pin, token, room)

    def test_what_is_said_in_a_room_is_seen_there_and_by_who_listens_to_all(self):
        alice = self.join("apple", "kitchen")
        alice.say("who is there?")
        self.assertEqual(alice.line(), "[kitchen] alice: who is there?")
        bob = self.join("pear", "kitchen")
        self.assertEqual(bob.line(), "[kitchen] alice: who is there?")  # said before he came
        bob.say("me")
        self.assertEqual(bob.line(), "[kitchen] bob: me")
        self.assertEqual(alice.line(), "[kitchen] bob: me")

        everywhere = self.join("pear", "*")
        self.assertEqual([everywhere.line(), everywhere.line()],
                         ["[kitchen] alice: who is there?", "[kitchen] bob: me"])
        self.join("apple", "cellar").say("dark here")
        self.assertEqual(everywhere.line(), "[cellar] alice: dark here")

    def test_nobody_joins_without_a_token(self):
        code, said = self.run_to_its_end(programs.EXAMPLES / "chat", "join", self.address, self.pin,
                                         "cherry", "kitchen")
        self.assertEqual(code, 1)
        self.assertIn("AUTHENTICATION_FAILED", said)


if __name__ == "__main__":
    programs.run_tests()
