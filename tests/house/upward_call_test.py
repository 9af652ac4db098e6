"""A call to a layer that the table does not grant does not link in the test binary of a layer.

Takes the libraries that CMake really links into each layer's test from the build's own commands, so a
door opened by hand in a CMakeLists.txt is found too. The callee is a symbol of the upper library itself.

Usage: upward_call_test.py BUILD_FOLDER COMPILER
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD, COMPILER = Path(sys.argv[1]), sys.argv[2]


def output_of(*command):
    return subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=True).stdout


def read_table():
    """layer -> the layers it may use."""
    rows = (line.split("|") for line in (ROOT / "cmake/layers.txt").read_text().splitlines() if line[:1].isalpha())
    return {row[0].strip(): row[2].split() for row in rows}


def built_layers():
    libraries = {layer: BUILD / f"liborzatty_{layer}.a" for layer in read_table()}
    return {layer: library for layer, library in libraries.items() if library.exists()}


def libraries_of_test(layer):
    """What CMake links into the test binary of a layer; None when it has no test yet."""
    if not (BUILD / "tests" / f"orzatty_{layer}_test").exists():
        return None
    link = output_of("ninja", "-t", "commands", f"tests/orzatty_{layer}_test").splitlines()[-1]
    return dict.fromkeys(re.findall(r"liborzatty_(\w+)\.a", link))


def function_of(layer, library):
    """The mangled name of some function that only this layer defines."""
    for line in output_of("nm", "--defined-only", library).splitlines():
        match = re.search(rf" T (_ZNK?7orzatty{len(layer)}{layer}\w+)$", line)
        if match:
            return match.group(1)
    return None


class UpwardCall(unittest.TestCase):
    def undefined_in(self, symbol, layers):
        """Whether a program that calls `symbol` lacks it when linked with the libraries of `layers`."""
        libraries = [f"liborzatty_{layer}.a" for layer in layers]
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "call.cpp"
            source.write_text(f'extern "C" void callee() __asm__("{symbol}");\nint main() {{ callee(); }}\n')
            run = subprocess.run([COMPILER, source, "-Wl,--no-demangle", *libraries, *libraries, "-o", f"{folder}/call"],
                                 cwd=BUILD, capture_output=True, text=True)
        return f"undefined reference to `{symbol}'" in run.stderr

    def test_cmake_links_each_layers_test_to_what_the_table_grants_and_nothing_else(self):
        built, checked = built_layers(), 0
        for layer, uses in read_table().items():
            linked = libraries_of_test(layer) if layer in built else None
            if linked is not None:
                self.assertEqual(set(linked), {layer, *uses} & set(built), layer)
                checked += 1
        self.assertGreater(checked, 0, "no layer has a test: build first")

    def test_a_call_to_a_layer_that_is_not_granted_does_not_link(self):
        built, refused = built_layers(), 0
        for lower, uses in read_table().items():
            linked = libraries_of_test(lower) if lower in built else None
            if linked is None:
                continue
            for upper in built.keys() - {lower, *uses}:
                symbol = function_of(upper, built[upper])
                if symbol:
                    self.assertTrue(self.undefined_in(symbol, linked), f"{lower} could call {symbol} of {upper}")
                    refused += 1
        self.assertGreater(refused, 0, "no pair of layers to try: build first")

    def test_a_call_within_the_layer_is_found_by_the_same_link(self):
        for layer, library in built_layers().items():
            symbol = function_of(layer, library)
            linked = libraries_of_test(layer)
            if symbol and linked is not None:
                self.assertFalse(self.undefined_in(symbol, linked), f"{symbol} of {layer}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
