"""What is for one kind of processor has a portable path beside it, so that the code builds on arm64 as well.

Looks for intrinsics, builtins and inline assembly of a processor, and for options of the compiler that choose one.
They may stand in a group of #if that asks for the processor and has an #else or #elif.
"""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("src", "include", "apps", "examples", "bench", "fuzz", "sim", "tests")
PROCESSOR = re.compile(
    r"\w*intrin\.h\b|\barm_(neon|acle|sve)\.h\b|\bcpuid\.h\b|\b_mm\d*_\w+|\b__m(64|128|256|512)\w*\b|\b__rdtscp?\b"
    r"|\b__builtin_(ia32|arm|aarch64|neon|cpu)_\w+|\basm\s*(volatile|goto)?\s*\(|\b__asm(__)?\b"
    r"|\btarget(_clones)?\s*\(\s*\"")
GUARD = re.compile(r"__(x86_64|i386|aarch64|arm|SSE\w*|AVX\w*|AES|ARM_\w+)_*\b")
OPTION = re.compile(r"-m(arch|tune|cpu|fpu|sse|avx|aes|bmi|popcnt|cx16|no-)|\b(x86_64|amd64)\b")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def unguarded(text):
    """Lines (from 1) that need one kind of processor although nothing stands beside them for others."""
    groups, found = [], []  # of open #if: [asks for a processor, lines that need one, has another path]
    blank = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for number, line in enumerate(blank.split("\n"), 1):
        directive = re.match(r"\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b", line)
        kind = directive.group(1) if directive else ""
        if kind.startswith("if"):
            groups.append([bool(GUARD.search(line)), [], False])
        elif kind == "endif" and groups:
            asks, lines, has_other = groups.pop()
            if not (asks and has_other):
                (groups[-1][1] if groups else found).extend(lines)
        elif kind in ("elif", "else") and groups:
            groups[-1][2] = True
        elif PROCESSOR.search(line):
            (groups[-1][1] if groups else found).append(number)
    return sorted(found)


class Portability(unittest.TestCase):
    def test_no_source_needs_one_kind_of_processor(self):
        sources = [path for folder in SOURCES for path in (ROOT / folder).rglob("*")
                   if path.suffix in (".cpp", ".h")]
        self.assertGreater(len(sources), 300)
        found = [f"{path.relative_to(ROOT)}:{line}" for path in sources for line in unguarded(path.read_text())]
        self.assertEqual(found, [])

    def test_no_option_of_the_build_chooses_one(self):
        files = [ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", *(ROOT / "cmake").rglob("*.cmake"),
                 *(path for folder in SOURCES for path in (ROOT / folder).rglob("CMakeLists.txt"))]
        self.assertEqual([str(path) for path in files if OPTION.search(path.read_text())], [])

    def test_each_way_to_need_one_is_caught(self):
        for way in ("#include <immintrin.h>", "#include <x86intrin.h>", "#include <arm_neon.h>", "_mm_pause();",
                    "__builtin_ia32_pause();", 'asm volatile("pause");', '__asm__("nop");', "auto t = __rdtsc();",
                    "__m256i wide;", '__attribute__((target("avx2")))', "__builtin_cpu_supports(\"avx2\")"):
            self.assertEqual(unguarded("int a;\n" + way + "\n"), [2], way)
        for option in ("-march=native", "-mavx2", "-mcx16", "x86_64"):
            self.assertRegex(option, OPTION)

    def test_a_guard_counts_only_with_another_path_beside_it(self):
        guarded = "#if defined(__x86_64__)\n_mm_pause();\n"
        self.assertEqual(unguarded(guarded + "#else\nyield();\n#endif\n"), [])
        self.assertEqual(unguarded(guarded + "#endif\n"), [2])
        self.assertEqual(unguarded("#ifdef DEBUG\n_mm_pause();\n#else\nyield();\n#endif\n"), [2])

    def test_words_in_comments_are_none(self):
        self.assertEqual(unguarded("// asm(\"nop\") was slower\n/* _mm_pause()\n */\n"), [])


if __name__ == "__main__":
    unittest.main()
