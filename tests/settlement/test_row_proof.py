#!/usr/bin/env python3
"""alliance statement prove and verify, against the definition of settlement_service.proto and RFC 9162, 2.1, written here a second time.

test_row_proof.py ALLIANCE: the command line to test."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest

ALLIANCE = sys.argv.pop() if len(sys.argv) > 1 else "build/release/bin/alliance"
HEADER, TOTALS = b"line_number,points\r\n", b"TOTAL,7\r\n"


def leaf(row):
    return hashlib.sha256(b"\0" + row).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(count):
    return 1 << (count - 1).bit_length() - 1


def root(rows):
    if len(rows) < 2:
        return leaf(rows[0]) if rows else hashlib.sha256().digest()
    return node(root(rows[:split(len(rows))]), root(rows[split(len(rows)):]))


def rows_root(rows):
    return hashlib.sha256(b"\2" + len(rows).to_bytes(8, "big") + root(rows)).digest()


def path(place, rows):
    """2.1.3.1"""
    if len(rows) < 2:
        return []
    k = split(len(rows))
    return path(place, rows[:k]) + [root(rows[k:])] if place < k else path(place - k, rows[k:]) + [root(rows[:k])]


class RowProof(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, content):
        where = os.path.join(self.folder.name, name)
        with open(where, "wb") as file:
            file.write(content)
        return where

    def sheet(self, rows, header=HEADER, totals=TOTALS):
        return self.write("sheet.csv", header + b"".join(row + b"\r\n" for row in rows) + totals)

    def run_cli(self, *words):
        return subprocess.run([ALLIANCE, "statement", *words], capture_output=True, check=False, text=True)

    def proof(self, sheet, number):
        done = self.run_cli("prove", sheet, str(number))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def verify(self, proof, of):
        return self.run_cli("verify", self.write("proof.json", json.dumps(proof).encode()), of.hex())

    def test_each_row_of_each_length(self):
        for count in (1, 2, 3, 4, 5, 7, 8, 9, 33):
            rows = [b"%d,%d" % (i + 1, i * i) for i in range(count)]
            sheet = self.sheet(rows)
            for number in sorted({1, 2, count // 2, count - 1, count} & set(range(1, count + 1))):
                proof = self.proof(sheet, number)
                self.assertEqual(proof["row"], rows[number - 1].decode())
                self.assertEqual((proof["rowNumber"], proof["rowCount"]), (str(number), str(count)))
                self.assertEqual([base64.b64decode(part) for part in proof["path"]], path(number - 1, rows))
                said = self.verify(proof, rows_root(rows))
                self.assertEqual(said.returncode, 0, said.stderr)
                self.assertIn(rows[number - 1].decode(), said.stdout)

    def test_what_was_changed_is_not_proved(self):
        rows = [b"%d,%d" % (i + 1, 7) for i in range(11)]
        proof = self.proof(self.sheet(rows), 6)
        flipped = base64.b64encode(bytes([base64.b64decode(proof["path"][1])[0] ^ 1]) + base64.b64decode(proof["path"][1])[1:]).decode()
        changes = {"row": "6,8", "rowNumber": "7", "rowCount": "10", "path": proof["path"][:-1]}
        stories = [{**proof, name: value} for name, value in changes.items()]
        stories += [{**proof, "path": [proof["path"][0], flipped, *proof["path"][2:]]}, {**proof, "path": proof["path"] * 30},
                    {**proof, "path": ["AAAA"] + proof["path"][1:]}, {**proof, "rowNumber": "-1"}, {**proof, "rowCount": "9223372036854775807"}, {}]
        for story in stories:
            said = self.verify(story, rows_root(rows))
            self.assertEqual(said.returncode, 1, story)
            self.assertIn("does not lead to this root", said.stderr)
        self.assertEqual(self.verify(proof, rows_root(rows[:10])).returncode, 1)

    def test_files_that_are_no_statements_are_refused(self):
        rows = [b"1,2", b"2,5"]
        stories = {
            "cut": (self.write("a", HEADER + b"1,2\r\n2,"), "does not end with CR LF"),
            "cut at a line's end": (self.write("b", HEADER + b"1,2\r\n"), "no totals row"),
            "edited by an editor that changes line ends": (self.write("c", (HEADER + b"1,2\r\n" + TOTALS).replace(b"\r", b"")), "CR LF"),
            "two in one": (self.write("d", HEADER + b"1,2\r\n" + TOTALS + HEADER), "goes on after its totals"),
            "empty": (self.write("e", b""), "is empty"),
            "a line without end": (self.write("f", HEADER + b"1" * 100000 + b"\r\n" + TOTALS), "too long"),
            "nowhere": (os.path.join(self.folder.name, "none"), "cannot read"),
        }
        for story, (where, word) in stories.items():
            said = self.run_cli("prove", where, "1")
            self.assertEqual(said.returncode, 1, story)
            self.assertIn(word, said.stderr, story)
        for number in ("0", "3", "-1", "one", "99999999999999999999"):
            self.assertEqual(self.run_cli("prove", self.sheet(rows), number).returncode, 2, number)
        self.assertEqual(self.run_cli("verify", self.write("p", b"{}"), "abc").returncode, 2)
        self.assertEqual(self.run_cli("verify", self.write("p", b"not json"), "00" * 32).returncode, 1)


if __name__ == "__main__":
    unittest.main()
