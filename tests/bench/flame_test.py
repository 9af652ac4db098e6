#!/usr/bin/env python3
"""bench/flame: what becomes of perf's samples. Nothing is recorded.

Usage: flame_test.py
"""

import importlib.machinery
import importlib.util
import subprocess
import sys
import unittest
import xml.dom.minidom
from pathlib import Path

sys.dont_write_bytecode = True

PROGRAM = Path(__file__).resolve().parent.parent.parent / "bench" / "flame"
LOADER = importlib.machinery.SourceFileLoader("flame", str(PROGRAM))
flame = importlib.util.module_from_spec(importlib.util.spec_from_loader("flame", LOADER))
LOADER.exec_module(flame)

CHAINS = """\
 7
\t  13ab49 orzatty::ServerRuntime::call_handler(int) (/usr/bin/orzatty)
\t  13ab40 orzatty::ServerRuntime::turn (/usr/bin/orzatty)
\tffffffffffffffff [unknown] ([unknown])

 7
\t  781638 aes<int> (/usr/lib/libIPSec_MB.so.1)

 8
\t   20e22 [unknown] (/usr/lib/libngtcp2.so.16)
\t  13ab50 orzatty::ClientRuntime::send (/usr/bin/orzatty)
"""
INNERMOST = """\
 7 13ab49 orzatty::ServerRuntime::call_handler(int) (/usr/bin/orzatty)
 7 781638 aes<int> (/usr/lib/libIPSec_MB.so.1)
 8 5ab49 __memmove_avx (/usr/lib/libc.so.6)
"""


class Flame(unittest.TestCase):
    def test_a_sample_that_could_not_be_unwound_is_of_its_threads_end(self):
        stacks = flame.stacks_of(CHAINS, INNERMOST)
        self.assertEqual(stacks[(("server", ""), ("aes", "libIPSec_MB.so.1"))], 1)

    def test_a_stack_goes_from_the_outermost_function_to_the_innermost(self):
        self.assertEqual(flame.stacks_of(CHAINS, INNERMOST)[
            (("server", ""), ("ServerRuntime::turn", "orzatty"), ("ServerRuntime::call_handler", "orzatty"))], 1)

    def test_an_innermost_function_that_the_chain_lacks_is_put_there_and_one_without_a_name_is_its_file(self):
        self.assertEqual(flame.stacks_of(CHAINS, INNERMOST)[
            (("client", ""), ("ClientRuntime::send", "orzatty"), ("libngtcp2.so.16", "libngtcp2.so.16"),
             ("__memmove_avx", "libc.so.6"))], 1)

    def test_the_picture_is_xml_and_names_what_is_wide_enough(self):
        picture = flame.svg_of(flame.stacks_of(CHAINS, INNERMOST), "bench <oneway>")
        xml.dom.minidom.parseString(picture)
        for words in ("bench &lt;oneway&gt;", "ServerRuntime::call_handler: 33.3 %", "client: 33.3 %"):
            self.assertIn(words, picture)

    def test_owners_are_told_by_file(self):
        owners = [flame.owner_of(file)[0] for file in
                  ("[kernel.kallsyms]", "libngtcp2.so.16", "libIPSec_MB.so.1", "libc.so.6", "orzatty")]
        self.assertEqual(owners, ["kernel", "ngtcp2", "cipher", "libc", "Orzatty"])

    def test_without_a_command_it_says_so(self):
        done = subprocess.run([PROGRAM], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("which command?", done.stderr)


if __name__ == "__main__":
    unittest.main()
