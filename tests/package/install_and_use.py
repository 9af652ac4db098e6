"""Installs into a new prefix, builds a consumer against it with find_package, and runs it.

Usage: install_and_use.py BUILD_FOLDER COMPILER COMPILER_FLAGS SANITIZERS
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD, COMPILER, FLAGS, SANITIZERS = sys.argv[1:5]
HERE = Path(__file__).resolve().parent


def run(*command):
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.prefix = Path(cls.folder.name) / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    def test_a_project_that_finds_the_package_builds_and_runs(self):
        build = Path(self.folder.name) / "consumer"
        flags = f"{FLAGS} -fsanitize={SANITIZERS}" if SANITIZERS else FLAGS
        run("cmake", "-G", "Ninja", "-S", HERE / "consumer", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={COMPILER}", f"-DCMAKE_CXX_FLAGS={flags}")
        run("cmake", "--build", build)
        programs = sorted(path.name for path in build.glob("use_*"))
        self.assertIn("use_core", programs)
        for program in programs:
            self.assertEqual(run(build / program).splitlines()[-1], "orzatty 0.2.0", program)

    def test_each_installed_header_compiles_alone(self):
        headers = sorted((self.prefix / "include/orzatty").rglob("*.h"))
        self.assertGreater(len(headers), 0)
        for header in headers:
            run(COMPILER, "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{self.prefix}/include",
                "-include", header, "-x", "c++", "/dev/null")

    def test_only_public_headers_are_installed(self):
        folders = {path.name for path in (self.prefix / "include").iterdir()}
        self.assertEqual(folders, {"orzatty"})

    def test_nothing_installed_points_back_to_the_source_or_build(self):
        source = str(HERE.parents[1])
        for path in self.prefix.rglob("*.cmake"):
            self.assertNotIn(source, path.read_text(), path)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
