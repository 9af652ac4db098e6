"""The checker of histories finds what is planted into one."""

import unittest

import history


def record(fates, offsets, heard):
    """A fleet of one, which hears itself."""
    return [{"member": 0, "neighbour": 0, "fates": fates, "offsets": offsets, "heard": heard}]


class History(unittest.TestCase):
    def assert_found(self, records, text):
        self.assertIn(text, " ".join(history.violations(records)))

    def assert_true_to_itself(self, records):
        self.assertEqual(list(history.violations(records)), [])

    def test_of_a_server_that_lived_on_is_true(self):
        self.assert_true_to_itself(record("aaa", [0, 1, 2], [[0, 0], [1, 1], [2, 2]]))

    def test_may_lose_what_was_accepted_last_when_the_server_dies(self):
        self.assert_true_to_itself(record("aaa", [0, 1, 0], [[0, 0], "reset", [0, 2]]))

    def test_may_hold_what_was_stored_twice_as_its_receipt_died_with_the_server(self):
        self.assert_true_to_itself(record("aaa", [0, 0, 1], [[0, 0], [1, 1], "reset", [0, 1], [1, 2]]))

    def test_may_hold_what_was_stored_again_by_a_server_that_died_unheard(self):
        self.assert_true_to_itself(record("aaa", [0, 0, 0], [[0, 0], [1, 1], "reset", [0, 2]]))

    def test_may_not_lose_what_was_accepted_while_the_server_lives(self):
        self.assert_found(record("aaa", [0, 1, 2], [[0, 0], [1, 1]]), "number 2 was accepted and not heard")
        self.assert_found(record("aaa", [0, 1, 0], [[0, 1], "reset", [0, 2]]), "number 0 was accepted and not heard")

    def test_may_not_lose_what_the_server_that_lived_on_has_accepted(self):
        self.assert_found(record("aaaa", [0, 0, 1, 1], [[0, 0], "reset", [0, 1], [1, 3]]), "number 2 was accepted and not")

    def test_may_not_say_a_message_twice_in_one_life(self):
        self.assert_found(record("aa", [0, 1], [[0, 0], [1, 0], [2, 1]]), "number 0 follows 0")

    def test_may_not_leave_out_an_offset(self):
        self.assert_found(record("aa", [0, 2], [[0, 0], [2, 1]]), "offset 2 follows 0")
        self.assert_true_to_itself(record("aa", [0, 2], [[0, 0], {"gap": [1, 2]}, [2, 1]]))

    def test_may_not_hold_what_was_refused(self):
        self.assert_found(record("ar", [0, None], [[0, 0], [1, 1]]), "number 1 was refused")

    def test_may_not_leave_a_number_without_a_fate(self):
        self.assert_found(record("a-", [0, None], [[0, 0]]), "number 1 has no fate")

    def test_may_not_tell_another_offset_than_the_true_one(self):
        self.assert_found(record("aa", [0, 7], [[0, 0], [1, 1]]), "accepted at 7")


if __name__ == "__main__":
    unittest.main()
