"""Delivery modes, from the command line and a configuration file."""

import json

import hub


class Modes(hub.HubTest):
    def configure(self, mode):
        return self.file("hub.toml", f'[[channel]]\npattern = "game.>"\nmode = "{mode}"\n'.encode())

    def test_datagrams_arrive_and_are_told_to_be_handed_to_the_network(self):
        self.serve("--config", self.configure("datagram"))
        subscriber = self.subscribe("game.moves", "--count", 1)
        code, out, err = self.run_client("pub", "game.moves", "left", "--mode", "datagram", "--json")
        self.assertEqual(code, 0, err)
        told = json.loads(out.splitlines()[-1])
        self.assertEqual((told["handed_to_network"], told["accepted"], told["unknown"]), (1, 0, 0))
        self.assertEqual(subscriber.finish()[:2], (0, b"left\n"))

    def test_a_message_too_large_for_a_datagram_names_the_limit(self):
        self.serve("--config", self.configure("datagram"))
        self.assert_fails(self.run_client("pub", "game.moves", "x" * 1101, "--mode", "datagram"), 1,
                          "1100 of mode datagram")

    def test_datagrams_to_a_channel_of_another_mode_are_rejected(self):
        self.serve("--config", self.configure("datagram"))
        self.assert_fails(self.run_client("pub", "chat", "hello", "--mode", "datagram"), 1,
                          "MODE_UNSUPPORTED")


if __name__ == "__main__":
    hub.run_tests()
