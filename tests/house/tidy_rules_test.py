"""Each rule of tools/tidy is broken once, in a small house of its own, and tidy must say so."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYERS = "base | pure | |\nwire | pure | base |\nnet | world | base | os\nquic | pure | base | ngtcp2/\n"
CMAKE = "orzatty_layer_if_present(base)\norzatty_layer_if_present(wire)\n"


class Tidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        self.write("cmake/layers.txt", LAYERS)
        self.write("CMakeLists.txt", CMAKE)

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def findings(self, root=None):
        run = subprocess.run([ROOT / "tools/tidy", "--root", root or self.root], capture_output=True, text=True)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        self.assertEqual(run.returncode == 1, bool(run.stdout), run.stdout)
        return run.stdout.splitlines()

    def assert_caught(self, path, text, rule, line=1):
        self.write(path, text)
        found = self.findings()
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{path}:{line}: {rule}: "), found[0])

    def assert_clean(self, path, text):
        self.write(path, text)
        self.assertEqual(self.findings(), [])

    def test_an_upward_include_in_a_copy_of_the_real_tree_is_caught(self):
        for folder in ("cmake", "include", "src", "apps", "tests", "tools"):
            if (ROOT / folder).exists():
                shutil.copytree(ROOT / folder, self.root / folder, dirs_exist_ok=True)
        shutil.copy(ROOT / "CMakeLists.txt", self.root)
        before = self.findings()

        self.write("src/base/upward.h", '#include "wire/reader.h"\n')

        new = [line for line in self.findings() if line not in before]
        self.assertEqual(len(new), 1, new)
        self.assertTrue(new[0].startswith("src/base/upward.h:1: layer: base may not include wire"), new[0])

    def test_an_include_downwards_or_of_its_own_layer_is_let_through(self):
        self.assert_clean("src/wire/a.h", '#include <vector>\n#include "base/log.h"\n#include "wire/b.h"\n'
                                          '#include "orzatty/ids.h"\n')

    def test_an_include_in_a_comment_or_a_string_is_no_include(self):
        self.assert_clean("src/base/a.h", '// #include "wire/b.h"\n/*\n#include "wire/b.h"\n*/\n'
                                          'const char* kText = R"(\n#include "wire/b.h"\n)";\n')

    def test_a_test_is_bound_to_the_layers_of_its_code(self):
        self.assert_caught("src/base/a_test.cpp", '#include <gtest/gtest.h>\n#include "wire/b.h"\n', "layer", 2)

    def test_an_include_that_names_no_layer_is_caught(self):
        self.assert_caught("src/base/a.cpp", '#include "a.h"\n', "layer")

    def test_a_folder_that_is_no_layer_is_caught(self):
        self.assert_caught("src/attic/a.cpp", "int a();\n", "layer")

    def test_a_layer_that_uses_one_below_its_row_is_caught(self):
        self.write("cmake/layers.txt", "base | pure | wire |\nwire | pure | base |\n")
        self.assertIn("cmake/layers.txt:1: table: base uses wire", self.findings()[0])

    def test_a_third_party_header_outside_its_layer_is_caught(self):
        self.assert_clean("src/quic/a.cpp", "#include <ngtcp2/ngtcp2.h>\n")
        self.assert_caught("src/base/a.cpp", "#include <ngtcp2/ngtcp2.h>\n", "header")

    def test_a_header_of_the_system_outside_net_is_caught(self):
        self.assert_clean("src/net/a.cpp", "#include <sys/socket.h>\n#include <unistd.h>\n")
        self.assert_caught("src/base/a.cpp", "#include <sys/socket.h>\n", "header")

    def test_googletest_in_code_that_is_no_test_is_caught(self):
        self.assert_caught("src/base/a.cpp", "#include <gtest/gtest.h>\n", "header")

    def test_a_public_header_may_include_only_std_and_public_ones(self):
        self.assert_caught("include/orzatty/a.h", '#include "base/log.h"\n', "layer")
        self.assert_caught("include/orzatty/a.h", "#include <ngtcp2/ngtcp2.h>\n", "header")
        self.assert_clean("include/orzatty/a.h", '#include <span>\n#include "orzatty/ids.h"\n')

    def test_an_optional_header_may_include_its_library_and_no_other_one(self):
        self.assert_caught("include/orzatty/typed.h", "#include <ngtcp2/ngtcp2.h>\n", "header")
        self.assert_clean("include/orzatty/typed.h", "#include <flatbuffers/flatbuffers.h>\n")
        self.assert_caught("include/orzatty/message.h", "#include <flatbuffers/flatbuffers.h>\n", "header")

    def test_an_example_may_include_only_what_a_user_may(self):
        self.assert_caught("examples/echo/main.cpp", '#include "base/log.h"\n', "layer")

    def test_the_world_in_a_pure_layer_is_caught(self):
        for header in ("iostream", "thread", "mutex", "fstream", "filesystem", "random", "ctime"):
            self.assert_caught("src/base/a.cpp", f"#include <{header}>\n", "purity")
        for call in ("std::cerr << 1;", 'getenv("HOME");', "std::rand();", "time(nullptr);", 'printf("a");',
                     "std::chrono::steady_clock::now();", "std::random_device device;", "std::abort();"):
            self.assert_caught("src/base/a.cpp", f"void a() {{\n  {call}\n}}\n", "call", 2)
        self.assert_clean("src/base/a.cpp", "#include <chrono>\nvoid a() { b.time(0); }  // std::cerr\n")

    def test_a_clock_outside_net_is_caught_even_in_a_layer_that_touches_the_world(self):
        self.write("cmake/layers.txt", LAYERS + "runtime | world | net base | os\n")
        clock = "auto a = std::chrono::system_clock::now();\n"
        self.assert_clean("src/net/a.cpp", clock)
        self.assert_caught("src/runtime/a.cpp", clock, "call")

    def test_a_function_of_70_lines_passes_and_one_of_71_is_caught(self):
        body = "".join(f"  use({line}, '{{', \"}}\");  // }}\n" for line in range(68))
        self.assert_clean("src/base/a.cpp", f"void Log::a() {{\n{body}}}\n")
        self.assert_caught("src/base/a.cpp", f"int before();\n\nvoid Log::a() {{\n{body}\n}}\n", "function-length", 3)

    def test_long_functions_are_found_whatever_they_look_like(self):
        body = "".join(f"  use({line});\n" for line in range(80))
        for head in ("A::A(int b) : b_{b}, c_(1) {", "template <class T>\nauto a(T b) -> std::vector<T> {",
                     "class A {\n public:\n  bool operator==(const A& other) const {",
                     "const auto a = [](int b) {", "TEST(A, B) {", "struct A {\n  int b = 1;\n  A() noexcept {"):
            self.write("src/base/a.cpp", f"namespace x {{\n{head}\n{body}}}\n")
            self.assertEqual([line.split(": ")[1] for line in self.findings()], ["function-length"], head)

    def test_a_long_class_of_short_functions_passes(self):
        self.assert_clean("src/base/a.h", "class A {\n" + "  int b() { return 1; }\n" * 90 + "};\n"
                          "const int kTable[] = {\n" + "  1,\n" * 90 + "};\n")

    def test_a_file_of_800_lines_passes_and_one_of_801_is_caught(self):
        self.assert_clean("src/base/a.cpp", "int a();\n" * 800)
        self.assert_caught("src/base/a.cpp", "int a();\n" * 801, "file-length", 801)

    def test_a_test_may_have_1500_lines(self):
        self.assert_clean("src/base/a_test.cpp", "int a();\n" * 1500)
        self.assert_caught("src/base/a_test.cpp", "int a();\n" * 1501, "file-length", 1501)

    def test_an_unfinished_mark_is_caught_in_code_and_scripts(self):
        self.assert_caught("src/base/a.cpp", "// FIX" + "ME later\n", "unfinished")
        (self.root / "src/base/a.cpp").unlink()
        self.assert_caught("tests/a.py", "# FIX" + "ME later\n", "unfinished")

    def test_a_long_function_of_a_script_is_caught(self):
        self.assert_caught("tools/a", "#!/usr/bin/env python3\ndef a():\n" + "    b()\n" * 70, "function-length", 2)

    def test_raw_memory_is_caught(self):
        self.assert_caught("src/base/a.cpp", "auto* a = new Segment(1);\n", "memory")
        self.assert_caught("src/base/a.cpp", "void b() { delete a; }\n", "memory")
        self.assert_clean("src/base/a.cpp", "struct A {\n  A(const A&) = delete;  // no new copies\n};\n"
                                          "void operator delete(void* at);\n"
                                            "auto a() { return std::unique_ptr<A>(\n    new A(1)); }\n")

    def test_names_that_say_nothing_are_caught(self):
        for name in ("class SessionManager", "struct TimeUtil", "class LogImpl", "class BufferHelper"):
            self.assert_caught("src/base/a.h", f"{name} {{}};\n", "name")
        (self.root / "src/base/a.h").unlink()
        self.assert_caught("src/base/string_util.h", "int a();\n", "name")

    def test_a_third_macro_is_caught(self):
        self.assert_caught("src/base/a.h", "#define ORZATTY_LOG(text) log(text)\n", "macro")

    def test_a_sleep_in_a_test_is_caught(self):
        self.assert_caught("src/base/a_test.cpp", "void a() { std::this_thread::sleep_for(1s); }\n", "sleep")

    def test_a_test_in_no_target_is_caught(self):
        self.assert_caught("src/base/deep/a_test.cpp", "int a();\n", "target")
        (self.root / "src/base/deep/a_test.cpp").unlink()
        self.assert_caught("tests/a_test.cpp", "int a();\n", "target")
        self.write("tests/CMakeLists.txt", "orzatty_test(a_test SOURCES a_test.cpp)\n")
        self.assertEqual(self.findings(), [])

    def test_the_house_can_be_listed(self):
        self.write("src/base/a.cpp", "int a() {\n  return 1;\n}\n")
        run = subprocess.run([ROOT / "tools/tidy", "--root", self.root, "--list"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("3 lines  src/base/a.cpp:1 a", run.stdout)
        self.assertIn("wire     pure   <- base", run.stdout)


if __name__ == "__main__":
    unittest.main()
