"""tools/spec_coverage finds rules without code or test, and citations without a rule."""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CITE = "// spec" + ": "  # in two halves, as this file is searched for citations too


class SpecCoverage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("spec/protocol.md", "Text.\n\n- **LOG-1** It MUST be so,\n  and MUST be kept.\n- **LOG-2** It MUST.\n")
        self.write("src/base/a.cpp", f"{CITE}LOG-1, LOG-2\n")
        self.write("src/base/a_test.cpp", f"{CITE}LOG-1,\n//   LOG-2\n")

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_check(self):
        run = subprocess.run([ROOT / "tools/spec_coverage", "--root", self.root], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    def assert_refused(self, what):
        code, output = self.run_check()
        self.assertEqual(code, 1, output)
        self.assertIn(what, output)

    def test_a_spec_whose_rules_all_have_code_and_test_passes(self):
        code, output = self.run_check()
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"all +2 +2 +2")

    def test_a_rule_without_a_test_is_refused(self):
        self.write("src/base/a_test.cpp", f"{CITE}LOG-1\n")
        self.assert_refused("spec/protocol.md:5: LOG-2 is cited by no test")

    def test_a_rule_without_code_is_refused_and_a_citation_in_tests_is_no_code(self):
        self.write("src/base/a.cpp", f"{CITE}LOG-2\n")
        self.write("tests/end_to_end/b.py", f"#{CITE[2:]}LOG-1\n")
        self.assert_refused("spec/protocol.md:3: LOG-1 is cited by no code")

    def test_a_citation_of_a_rule_that_is_not_there_is_refused(self):
        self.write("src/base/b.cpp", f"\n{CITE}LOG-3\n")
        self.assert_refused("src/base/b.cpp:2: LOG-3 is cited, but the spec has no such rule")

    def test_a_must_without_a_number_is_refused(self):
        self.write("spec/protocol.md", "- **LOG-1** It MUST.\n- **LOG-2** It MUST.\n\nAnd this MUST be.\n")
        self.assert_refused("spec/protocol.md:4: a MUST without a number")

    def test_a_number_that_is_there_twice_is_refused(self):
        self.write("spec/protocol.md", "- **LOG-1** It MUST.\n- **LOG-2** It MUST.\n- **LOG-2** Or MUST it?\n")
        self.assert_refused("spec/protocol.md:3: LOG-2 is there twice")

    def test_a_missing_spec_is_refused(self):
        (self.root / "spec/protocol.md").unlink()
        self.assert_refused("is missing")


if __name__ == "__main__":
    unittest.main()
