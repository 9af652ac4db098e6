"""A schema's name on the wire changes with what it says, and with nothing else."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop())

COMMON = "namespace a; enum Side : ubyte { Buy, Sell }"
SCHEMA = 'include "common.fbs";\nnamespace a;\n// A price.\ntable Quote { price:double; side:Side; }\n'


def header_of(schema=SCHEMA, common=COMMON, types="a::Quote"):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "common.fbs").write_text(common)
        (Path(folder) / "quote.fbs").write_text(schema)
        header = Path(folder) / "quote_typed.h"
        subprocess.run(
            ["cmake", "-D", f"SCHEMA={folder}/quote.fbs", "-D", f"TYPES={types}", "-D", f"HEADER={header}",
             "-P", ROOT / "cmake/OrzattyTypedHeader.cmake"],
            check=True,
        )
        return header.read_text()


def id_of(*schemas, types="a::Quote"):
    found = re.search(r"id = \{(.*)\};", header_of(*schemas, types=types))
    return found.group(1)


class SchemaTest(unittest.TestCase):
    def test_a_comment_or_a_space_changes_no_id(self):
        self.assertEqual(id_of(SCHEMA), id_of(SCHEMA.replace("// A price.", "   ").replace("; ", ";\n\n")))

    def test_another_field_changes_it(self):
        self.assertNotEqual(id_of(SCHEMA), id_of(SCHEMA.replace("price:double", "price:float")))

    def test_a_schema_that_it_includes_changes_it(self):
        self.assertNotEqual(id_of(SCHEMA, COMMON), id_of(SCHEMA, COMMON.replace("Sell", "Bid")))

    def test_each_type_of_a_schema_has_its_own(self):
        header = header_of(types="a::Quote;a::Other")
        ids = re.findall(r"SchemaOf<(a::\w+)> \{\n.*id = \{(.*)\};", header)
        self.assertEqual([name for name, _ in ids], ["a::Quote", "a::Other"])
        self.assertNotEqual(ids[0][1], ids[1][1])


if __name__ == "__main__":
    unittest.main()
