"""What the documents name exists: files that they link to or mention, and tests that stand for claims."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md")),
             *sorted((ROOT / "src").rglob("README.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TOP = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."))
PATH = re.compile(rf"`((?:{TOP})/[\w./-]*\w)`")
TEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
CITED = re.compile(r"`([A-Z]\w+)\.([A-Z]\w{12,})`")
CITED_PYTHON = re.compile(r"`(\w+_test)\.(test_\w+)`")
NOT_MADE_YET = ("build", "browser", "sim", "bench", "fuzz")  # made by a build, or to come


class Links(unittest.TestCase):
    def test_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in LINK.findall(document.read_text()):
                if "://" not in target:
                    with self.subTest(document=document.name, target=target):
                        self.assertTrue((document.parent / target).exists())

    def test_and_paths_in_code_marks_are_there(self):
        for document in DOCUMENTS:
            for path in PATH.findall(document.read_text()):
                if path.split("/")[0] in NOT_MADE_YET:
                    continue
                with self.subTest(document=document.name, path=path):
                    self.assertTrue((ROOT / path).exists() or list(ROOT.glob(path + ".*")))


class Claims(unittest.TestCase):
    def test_stand_on_tests_that_exist(self):
        tests = {(suite, name) for folder in ("src", "tests", "apps")
                 for path in (ROOT / folder).rglob("*_test.cpp") for suite, name in TEST.findall(path.read_text())}
        guarantees = (ROOT / "docs" / "guarantees.md").read_text()
        cited = CITED.findall(guarantees)
        self.assertGreater(len(cited), 10)
        for suite, name in cited:
            with self.subTest(test=f"{suite}.{name}"):
                self.assertIn((suite, name), tests)
        for file, name in CITED_PYTHON.findall(guarantees):
            with self.subTest(test=f"{file}.{name}"):
                found = [path.read_text() for path in (ROOT / "tests").rglob(file + ".py")]
                self.assertIn(f"def {name}(", "".join(found))


class Architecture(unittest.TestCase):
    def test_names_every_layer_of_the_table(self):
        table = (ROOT / "cmake" / "layers.txt").read_text()
        layers = re.findall(r"^(\w+) +\|", table, re.MULTILINE)
        text = (ROOT / "ARCHITECTURE.md").read_text()
        for layer in layers:
            with self.subTest(layer=layer):
                self.assertRegex(text, rf"(?m)^\| `(?:src/)?{layer}/`")

    def test_decisions_are_short(self):
        for path in (ROOT / "docs" / "design").glob("*.md"):
            with self.subTest(path=path.name):
                text = path.read_text()
                self.assertLessEqual(text.count("\n"), 50)
                for heading in ("## Context", "## Decision", "## Price"):
                    self.assertIn(heading, text)


if __name__ == "__main__":
    unittest.main()
