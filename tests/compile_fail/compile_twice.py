"""Compiles a file as it stands, which must pass, and broken, which must fail for the reason it names.

Usage: compile_twice.py FILE COMPILER
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def compile_file(path, compiler, *options):
    return subprocess.run(
        [compiler, "-std=c++23", "-fsyntax-only", "-Wall", "-Wconversion", "-Wsign-conversion", "-Werror",
         f"-I{ROOT}/include", f"-I{ROOT}/src", *options, path],
        capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})


def main():
    path, compiler = Path(sys.argv[1]), sys.argv[2]
    expected = re.match(r"// fails: (.+)", path.read_text())
    if not expected:
        print(f"{path}:1: the first line must be `// fails: REGEX`")
        return 1
    sound = compile_file(path, compiler)
    if sound.returncode != 0:
        print(f"{path} does not compile even as it stands:\n{sound.stderr}")
        return 1
    broken = compile_file(path, compiler, "-DORZATTY_BROKEN")
    if broken.returncode == 0:
        print(f"{path} compiles although it is broken: a door is open")
        return 1
    if not re.search(expected.group(1), broken.stderr):
        print(f"{path} fails for another reason than `{expected.group(1)}`:\n{broken.stderr}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
