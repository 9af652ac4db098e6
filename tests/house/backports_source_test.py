"""The source of backports is the machine's own source of Debian with another suite."""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BackportsSource(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "sources.list.d").mkdir()

    def source(self):
        run = subprocess.run([ROOT / "tools/backports_source", "bookworm", self.folder], capture_output=True, text=True)
        return run.returncode, run.stdout

    def test_a_stanza_is_copied_with_the_suite_of_backports(self):
        (self.folder / "sources.list.d/debian.sources").write_text(
            "Types: deb\nURIs: http://security.example/\nSuites: bookworm-security\nComponents: main\n\n"
            "# a comment\nTypes: deb deb-src\nURIs: http://mirror.example/debian\n"
            "Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /key.gpg\n")
        self.assertEqual(self.source(), (0, "orzatty-backports.sources\nTypes: deb\nURIs: http://mirror.example/debian\n"
                                            "Suites: bookworm-backports\nComponents: main contrib\nSigned-By: /key.gpg\n"))

    def test_a_stanza_that_is_switched_off_is_passed_over(self):
        (self.folder / "sources.list.d/debian.sources").write_text(
            "Enabled: no\nTypes: deb\nURIs: http://old.example\nSuites: bookworm\nComponents: main\n\n"
            "Types: deb\nURIs: http://new.example\nSuites: bookworm\nComponents: main\n")
        self.assertIn("URIs: http://new.example\n", self.source()[1])

    def test_a_source_of_one_line_is_copied_with_its_options(self):
        (self.folder / "sources.list").write_text(
            "# deb http://off.example bookworm main\ndeb http://mirror.example bookworm-updates main\n"
            "deb [ signed-by=/key.gpg arch=amd64 ] http://mirror.example/debian bookworm main contrib\n")
        self.assertEqual(self.source(), (0, "orzatty-backports.list\ndeb [ signed-by=/key.gpg arch=amd64 ] "
                                            "http://mirror.example/debian bookworm-backports main contrib\n"))

    def test_sources_of_others_are_not_taken_for_debian(self):
        (self.folder / "sources.list.d/other.list").write_text("deb http://other.example bookworm-tools main\n")
        self.assertEqual(self.source(), (1, ""))

    def test_a_machine_without_sources_is_told_apart(self):
        self.assertEqual(self.source(), (1, ""))


if __name__ == "__main__":
    unittest.main()
