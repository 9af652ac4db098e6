"""No library of a pure layer calls for a clock, entropy, environment, file, socket, thread or output.

tidy reads what is written; this reads what the linker would have to find, so it also sees what came in
through an inline function of somebody's header. (The WASM build will prove the same once more.)

Usage: purity_test.py BUILD_FOLDER COMPILER
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD, COMPILER = Path(sys.argv[1]), sys.argv[2]
WORLD = re.compile(
    r"(clock_gettime|gettimeofday|time|clock|getrandom|getentropy|random|srandom|s?rand|(secure_)?getenv"
    r"|(f?open(at)?|creat)(64)?|read|write|pread|pwrite|socket|bind|connect|send(to|m?msg)?|recv(from|m?msg)?"
    r"|e?poll(_\w+)?|select|ioctl|pthread_(create|mutex_lock|cond_\w*wait)|nanosleep|usleep|sleep|sched_yield"
    r"|printf|vprintf|puts|putchar|exit|_exit"
    r"|std::chrono::_V2::\w+_clock::now\(\)|std::random_device::.*|std::thread::.*|std::condition_variable::.*"
    r"|std::(cout|cerr|clog|cin)|std::filesystem::.*|std::basic_[io]?f(ile)?(stream|buf).*)(@.*)?")


def pure_libraries():
    for line in (ROOT / "cmake/layers.txt").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        library = BUILD / f"liborzatty_{cells[0]}.a"
        if len(cells) > 2 and cells[1] == "pure" and library.exists():
            yield library


def calls_for_the_world(path):
    """Symbols of the world that this library or object needs and does not define itself."""
    symbols = subprocess.run(["nm", "--demangle", "--undefined-only", path], capture_output=True, text=True, check=True)
    needed = {line.split(" U ", 1)[1].strip() for line in symbols.stdout.splitlines() if " U " in line}
    return sorted(symbol for symbol in needed if WORLD.fullmatch(symbol))


class Purity(unittest.TestCase):
    def test_pure_layers_need_nothing_of_the_world(self):
        libraries = list(pure_libraries())
        self.assertGreater(len(libraries), 0, "no library of a pure layer: build first")
        for library in libraries:
            self.assertEqual(calls_for_the_world(library), [], library.name)

    def test_each_way_into_the_world_is_caught(self):
        ways = {"chrono": "auto a() { return std::chrono::steady_clock::now(); }",
                "random": "auto a() { return std::random_device()(); }",
                "cstdlib": 'auto a() { return std::getenv("HOME"); }',
                "iostream": "void a() { std::cerr << 1; }",
                "fstream": 'void a() { std::ifstream("b"); }',
                "mutex": "std::mutex b; void a() { b.lock(); }",
                "sys/socket.h": "int a() { return socket(1, 2, 0); }"}
        for header, code in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                source, target = Path(folder) / "a.cpp", Path(folder) / "a.o"
                source.write_text(f"#include <{header}>\n{code}\n")
                subprocess.run([COMPILER, "-std=c++23", "-c", source, "-o", target], check=True)
                self.assertNotEqual(calls_for_the_world(target), [], code)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
