"""Every way to fail has its documented exit code, and one line that says what to do."""

import hub


class Usage(hub.HubTest):
    def test_help_and_version_are_done(self):
        for words in (["--help"], ["help"], ["help", "pub"], ["--version"], ["serve", "--help"],
                      ["pub", "--help"], ["sub", "--help"], ["req", "--help"],
                      ["reply", "--help"], ["fate", "--help"], ["ping", "--help"], ["cert", "--help"],
                      ["cert", "make", "--help"], ["token", "--help"], ["context", "--help"]):
            code, out, err = self.run_program(*words)
            self.assertEqual((code, err), (0, ""), words)
            self.assertTrue(out.strip(), words)

    def test_every_command_has_examples(self):
        for command in ("serve", "pub", "sub", "req", "reply", "fate", "ping", "cert", "token", "context"):
            self.assertIn(b"Example", self.run_program(command, "--help")[1], command)

    def test_wrong_usage_is_2(self):
        for words in ([], ["frobnicate"], ["pub"], ["pub", "--nonsense"], ["pub", "a"], ["sub"],
                      ["pub", "a b", "x"], ["pub", "a.*", "x"], ["pub", "a", "x", "--file", "f"],
                      ["pub", "a", "x", "--chunk", "5"], ["pub", "a", "--file", "f", "--chunk", "0"],
                      ["sub", "a..b"], ["sub", "a", "--from", "yesterday"], ["cert"],
                      ["sub", "a", "--format", "xml"], ["sub", "a", "--count", "-1"], ["serve"],
                      ["ping", "--server", "a:1", "--pin", "12"], ["ping", "--state", self.state],
                      ["ping", "--server", "nonsense", "--insecure"], ["token"],
                      ["ping", "--server", "a:1", "--context", "missing", "--state", self.state]):
            result = self.run_program(*words)
            if words[1:2] == ["--server"] and "--insecure" in words:
                self.assertEqual(result[0], 2, result)  # the warning is a line of its own
            else:
                self.assert_fails(result, 2, r"\w")

    def test_an_unknown_command_is_told_the_nearest(self):
        self.assert_fails(self.run_program("plub"), 2, "did you mean 'pub'")


class Refused(hub.HubTest):
    def test_nobody_there_is_3(self):
        result = self.run_program("pub", "--server", "127.0.0.1:1", "--pin", "ab" * 32, "--token",
                                  "t", "--connect-timeout", 5, "a", "x")
        self.assert_fails(result, 3, "127.0.0.1:1")

    def test_a_wrong_token_is_3(self):
        self.serve()
        self.assert_fails(self.run_client("pub", "--token", "wrong", "a", "x"), 3, "token")

    def test_a_wrong_pin_is_3(self):
        self.serve()
        self.assert_fails(self.run_client("pub", "--pin", "ab" * 32, "a", "x"), 3, "certificate|pin")

    def test_a_certificate_of_nobody_known_is_3(self):
        _, address = self.serve()
        result = self.run_program("pub", "--server", address, "--token", "t", "a", "x",
                                  env=hub.environment(XDG_STATE_HOME=str(self.folder / "other")))
        self.assert_fails(result, 3, "certificate")

    def test_insecure_is_told_loudly_and_works(self):
        self.serve()
        code, _, err = self.run_client("pub", "--insecure", "a", "x")
        self.assertEqual(code, 0, err)
        self.assertIn("WARNING", err)

    def test_the_servers_own_certificate_as_authority_works(self):
        _, address = self.serve()
        result = self.run_program("ping", "--server", address, "--ca", self.state / "certificate.pem",
                                  "--token-file", self.state / "token", "--count", 1)
        self.assert_done(result)

    def test_the_environment_names_server_token_and_pin(self):
        _, address = self.serve()
        pin = self.run_program("cert", "pin", "--state", self.state)[1].decode().strip()
        env = hub.environment(ORZATTY_SERVER=address, ORZATTY_PIN=pin,
                              ORZATTY_TOKEN_FILE=str(self.state / "token"),
                              ORZATTY_STATE=str(self.folder / "other"))
        self.assert_done(self.run_program("ping", "--count", 1, env=env))

    def test_a_saved_context_is_used_by_its_name(self):
        _, address = self.serve()
        pin = self.run_program("cert", "pin", "--state", self.state)[1].decode().strip()
        other = self.folder / "other"
        self.assert_done(self.run_program("context", "save", "office", "--state", other, "--server",
                                          address, "--pin", pin, "--token-file", self.state / "token"))
        self.assertEqual(self.run_program("context", "list", "--state", other)[1].decode(),
                         f"office\t{address}\n")
        self.assert_done(self.run_program("ping", "--state", other, "--context", "office", "--count", 1))
        self.assert_done(self.run_program("context", "remove", "office", "--state", other))
        self.assert_fails(self.run_program("ping", "--state", other, "--context", "office"), 2, "office")


class Incomplete(hub.HubTest):
    def test_a_count_that_is_not_reached_in_time_is_4(self):
        self.serve()
        result = self.run_client("sub", "a", "--count", 1, "--timeout", 0.2)
        self.assert_fails(result, 4, "0 of 1 messages")

    def test_a_timeout_without_a_count_is_done(self):
        self.serve()
        self.assert_done(self.run_client("sub", "a", "--timeout", 0.2))


if __name__ == "__main__":
    hub.run_tests()
