#!/usr/bin/env python3
"""test_member_files.py [PROGRAM]: files of members as banks make them, as they break, and what is said. Nothing is sent.

A good file is mutated in every way that files go wrong, and each must be refused with its line, its column and what to
do, or, where only the bank can know, because it does not add up to what the bank says. What is good must add up to what
totals.py reckons from the raw file. The real sets are tried where ../shared/data is there.
"""

import base64
import csv
import gzip
import hashlib
import hmac
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(os.path.dirname(ROOT), "shared", "data")
MAPPINGS = os.path.join(ROOT, "ops", "mappings")
PROGRAM = os.path.join(ROOT, "build", "release", "bin", "alliance")
KEY = "5e" * 32
DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3

with open(os.path.join(HERE, "members.csv"), "rb") as good_file:
    GOOD = good_file.read()


class Run:
    """What one run of the command line ended with and said."""

    def __init__(self, *words):
        done = subprocess.run([PROGRAM, *words], capture_output=True, check=False, text=True, timeout=120)
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr


def totals(*words):
    """What the independent reckoning says."""
    done = subprocess.run([sys.executable, os.path.join(HERE, "totals.py"), *words], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def lines():
    """The good file's lines with their ends."""
    return GOOD.splitlines(keepends=True)


def with_line(number, line):
    """The good file with another line there."""
    return b"".join(lines()[:number - 1] + [line] + lines()[number:])


def swapped(text, one, other):
    """Two columns change places, the header stays."""
    rows = [line.split(b",") for line in text.rstrip(b"\n").split(b"\n")]
    for row in rows[1:]:
        row[one], row[other] = row[other], row[one]
    return b"\n".join(b",".join(row) for row in rows) + b"\n"


def bomb(megabytes):
    """A short gzip file that holds so much."""
    return gzip.compress(lines()[0] + b"m-1,5,ACTIVE,\n" * (megabytes * 1024 * 1024 // 14), 9, mtime=0)


SQUEEZED = gzip.compress(b"member_ref,credit_limit\n" + b"".join(
    b"m-%d,%d\n" % (n, random.Random(n).randrange(10 ** 9)) for n in range(20000)), mtime=0)

# story, the file's bytes, more of the command line, exit status, what is said ("F" is the file's name)
BROKEN = [
    ("nothing in it", b"", [], "F:1: there is nothing to read"),
    ("a header and a blank line before it", b"\n" + GOOD, [], "F:1: the first line is blank; it must name the columns"),
    ("no header", b"".join(lines()[1:]), [], "F:1: the header has no column member_ref"),
    ("a misspelt header", GOOD.replace(b"credit_limit", b"creditlimit"), [], "F:1: the header has no column credit_limit"),
    ("a column too many", GOOD.replace(b"card_tokens", b"cvv"), [], "F:1: the header's column 4 is none of those there are"),
    ("semicolons", GOOD.replace(b",", b";"), [], "F:1: the header has no column member_ref"),
    ("a NUL", with_line(4, b"m-3,1\0,ACTIVE,\n"), [], "F:4: byte 6 of the line is a NUL; save the file as text"),
    ("a NUL in the header", GOOD[:5] + b"\0" + GOOD[5:], [], "F:1: byte 6 of the line is a NUL; save the file as text"),
    ("Latin-1", with_line(5, b"m-4,1,ACTIVE,tok_caf\xe9\n"), [],
     "F:5: byte 21 of the line (0xE9) is not UTF-8; save the file as UTF-8, or say --encoding GB18030 if it is that"),
    ("GB18030 unannounced", with_line(5, "m-4,1,正常,\n".encode("gb18030")), [],
     "F:5: byte 7 of the line (0xD5) is not UTF-8; save the file as UTF-8, or say --encoding GB18030 if it is that"),
    ("half a character of GB18030", with_line(5, b"m-4,1,\xd5,\n"), ["--encoding", "GB18030"],
     "F:5: byte 7 of the line (0xD5) is not GB18030; say --encoding UTF-8 if the file is that"),
    ("UTF-16", GOOD.decode().encode("utf-16"), [], "F:1: byte 1 of the line (0xFF) is not UTF-8"),
    ("a surrogate", with_line(3, b"m-2,1,\xed\xa0\x80,\n"), [], "F:3: byte 7 of the line (0xED) is not UTF-8"),
    ("cut within a field", GOOD[:-4], [], "F:13: the last line has no end: the file may have been cut"),
    ("cut after a whole number", GOOD[:GOOD.rindex(b",ACTIVE")], [], "F:13: the file ends within this line: 2 of 4 columns"),
    ("cut within quotes", GOOD + b'm-13,1,ACTIVE,"tok_', [], "F:14: column 4: a quote is not closed on this line"),
    ("no end to the last line", GOOD[:-1], [], "F:13: the last line has no end: the file may have been cut; end it with a newline if it is whole"),
    ("a line too long", with_line(6, b"m-5,1,ACTIVE," + b"x" * 65536 + b"\n"), [], "F:6: the line is longer than 64 KiB"),
    ("a zip bomb", bomb(200), [], "the gzip file inflates to more than 200 times its size, which no list of rows does"),
    ("a bomb in pieces", bomb(2) * 100, [], "the gzip file inflates to more than 200 times its size"),
    ("too large", GOOD + b"".join(b"n-%d,1,ACTIVE,\n" % n for n in range(80000)), ["--max-mb", "1"],
     "the file holds more than 1 MB; send it in parts, or allow more with --max-mb"),
    ("too large when inflated", SQUEEZED * 8, ["--max-mb", "2"], "the file holds more than 2 MB"),
    ("a gzip file cut", SQUEEZED[:-9], [], "the gzip data ends too early: the file is cut; send it again"),
    ("a gzip file cut to its header", SQUEEZED[:8], [], "F:1: the gzip data ends too early: the file is cut; send it again"),
    ("a bit of a gzip file", SQUEEZED[:5000] + bytes([SQUEEZED[5000] ^ 16]) + SQUEEZED[5001:], [], "the gzip data is damaged here"),
    ("a bit of a gzip file's checksum", SQUEEZED[:-6] + bytes([SQUEEZED[-6] ^ 1]) + SQUEEZED[-5:], [], "the gzip data is damaged here"),
    ("more behind a gzip file", SQUEEZED + b"more", [], "the gzip data is damaged here"),
]

# story, the file's bytes, the line, what is said of it; all other rows are good
BAD_ROWS = [
    ("a word for a number", with_line(3, b"m-2,lots,ACTIVE,\n"), 3, "FIELD_INVALID: credit_limit (column 2) must be a whole number from 0 to 1000000000000"),
    ("a decimal", with_line(3, b"m-2,10.5,ACTIVE,\n"), 3, "FIELD_INVALID: credit_limit (column 2) must be a whole number"),
    ("more than a limit may be", with_line(3, b"m-2,1000000000001,ACTIVE,\n"), 3, "FIELD_INVALID: credit_limit (column 2) must be a whole number"),
    ("no name", with_line(3, b",1,ACTIVE,\n"), 3, "FIELD_INVALID: member_ref (column 1) must not be empty"),
    ("another word", with_line(3, b"m-2,1,GONE,\n"), 3, "FIELD_INVALID: status (column 3) must be "),
    ("a column too few", with_line(3, b"m-2,1,ACTIVE\n"), 3, "MESSAGE_MALFORMED: the line has 3 columns, the header 4"),
    ("a column too many", with_line(3, b"m-2,1,ACTIVE,,\n"), 3, "MESSAGE_MALFORMED: the line has 5 columns, the header 4"),
    ("an open quote", with_line(3, b'm-2,1,"ACTIVE,\n'), 3, "MESSAGE_MALFORMED: column 3: a quote is not closed on this line"),
    ("a quote inside", with_line(3, b'm-"2",1,ACTIVE,\n'), 3, "MESSAGE_MALFORMED: column 1: a quote is not closed on this line"),
    ("a carriage return inside", with_line(3, b"m-2\r,1,ACTIVE,\n"), 3, "MESSAGE_MALFORMED: a carriage return stands within the line (byte 4)"),
    ("a field too long", with_line(3, b"m-2,1,ACTIVE," + b"x" * 4097 + b"\n"), 3, "MESSAGE_MALFORMED: column 4 is longer than 4 KiB"),
    ("65 columns", with_line(3, b"," * 64 + b"\n"), 3, "MESSAGE_MALFORMED: the line has too many columns; there may be 64"),
    ("33 cards", with_line(3, b"m-2,1,ACTIVE," + b"|".join(b"token-%03d" % n for n in range(33)) + b"\n"), 3,
     "FIELD_INVALID: card_tokens (column 4) must be at most 32"),
    ("a card number for a name", with_line(3, b"4111111111111111,1,ACTIVE,\n"), 3, "CARD_NUMBER_REFUSED: member_ref (column 1) is a card number; send a token"),
    ("a card number", with_line(3, b"m-2,1,ACTIVE,4111111111111111\n"), 3, "CARD_NUMBER_REFUSED: card_tokens (column 4) hold a card number; send tokens"),
    ("a formula", with_line(3, b"=1+1,1,ACTIVE,\n"), 3, "FIELD_INVALID: member_ref (column 1) begins like a formula (= + - @), which a spreadsheet would run"),
    ("a command", with_line(3, b"m-2,1,ACTIVE,+cmd|' /C calc'!A0\n"), 3, "FIELD_INVALID: card_tokens (column 4) begins like a formula"),
    ("a link", with_line(3, b"m-2,1,ACTIVE,\"=HYPERLINK(\"\"http://x\"\")\"\n"), 3, "FIELD_INVALID: card_tokens (column 4) begins like a formula"),
    ("an @", with_line(3, b"@SUM(A1),1,ACTIVE,\n"), 3, "FIELD_INVALID: member_ref (column 1) begins like a formula"),
]


class Files(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = self.file("members.csv", GOOD)
        self.key = self.file("token.key", KEY.encode())
        os.chmod(self.key, 0o600)

    def file(self, name, content):
        """Writes it; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def check(self, path, *more):
        """alliance members check."""
        return Run("members", "check", path, *more)

    def reads_as(self, path, expected, *more):
        """It is good, and adds up to that."""
        run = self.check(path, "--json", *more)
        self.assertEqual((run.status, run.err), (DONE, ""))
        said = json.loads(run.out)
        self.assertEqual(said.pop("refused"), "0")
        self.assertEqual(said, expected)

    def spend_reads_as(self, path, expected, *more, status=DONE):
        """The same of card spend, where some rows may be refused."""
        run = Run("accruals", "check", path, "--json", *more)
        self.assertEqual(run.status, status, run.err)
        self.assertEqual(json.loads(run.out), expected)
        return run

    def lines_of(self, path):
        """What is in it, without its byte order mark."""
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read().split("\n")[:-1]


class Good(Files):
    """One list, written in all the ways that are read."""

    def test_as_it_is(self):
        self.reads_as(self.path, totals("plain", self.path))

    def test_written_otherwise(self):
        text = GOOD.decode()
        ways = {"bom.csv": b"\xef\xbb\xbf" + GOOD, "crlf.csv": GOOD.replace(b"\n", b"\r\n"), "plain.csv.gz": gzip.compress(GOOD),
                "named-otherwise": gzip.compress(GOOD), "two-members.gz": gzip.compress(GOOD[:100]) + gzip.compress(GOOD[100:]),
                "blank-lines.csv": GOOD.replace(b"\n", b"\n\n")}
        for name, content in ways.items():
            with self.subTest(name):
                self.reads_as(self.file(name, content), totals("plain", self.path))
        self.reads_as(self.file("gb.csv", text.encode("gb18030")), totals("plain", self.path), "--encoding", "gb18030")
        marked = ("\ufeff" + text).encode("gb18030")
        self.reads_as(self.file("marked.csv", marked), totals("plain", self.path), "--encoding", "GB18030")
        # A mark of UTF-8 says more than an option.
        self.reads_as(self.file("bom.csv", b"\xef\xbb\xbf" + GOOD), totals("plain", self.path), "--encoding", "GB18030")

    def test_columns_in_any_order(self):
        rows = list(csv.reader(GOOD.decode().splitlines()))
        turned = "".join(",".join(reversed(row)) + "\n" for row in rows).encode()
        self.reads_as(self.file("turned.csv", turned), totals("plain", self.path))

    def test_a_large_file(self):
        path = self.file("large.csv", gzip.decompress(SQUEEZED))
        self.reads_as(self.file("large.csv.gz", SQUEEZED), totals("plain", path))


    def test_all_that_is_known_of_a_member(self):
        head = b"member_ref,credit_limit,card_tokens,card_products,card_status,card_expiry,card_holders,name,phone,email,consents\n"
        whole = b"m-1,5,token-01|token-02,gold|,|BLOCKED,2027-12-31|,|Bob,\"Lee, Ann\",+86 (10) 1234-5678,a@b.example,sms|post\n"
        path = self.file("all.csv", head + whole + b"m-2,5,token-03|token-04,|,,,,,,,\nm-3,5,,,,,,,,c@d.example,\n")
        self.reads_as(path, totals("plain", path))
        limits = b"member_ref,credit_limit,status,tier,temporary_limit,temporary_first_date,temporary_last_date\n" \
            b"m-1,TIER,DECEASED,7,500,2026-01-01,2026-02-01\nm-2,5,,0,0,,2026-02-01\nm-3,5,,,,,\n"
        path = self.file("limits.csv", limits)
        self.reads_as(path, totals("plain", path))
        for wrong, right, says in ((b",7,", b",101,", "2: FIELD_INVALID: tier (column 4) must be a whole number from 0 to 100"),
                                   (b",,2026-02-01", b",2026-01-01,", "3: FIELD_INVALID: temporary_last_date (column 7) must be there"),
                                   (b",500,", b",,", "2: FIELD_INVALID: temporary_limit (column 5) must be a whole number"),
                                   (b"m-3,5", b"m-3,", "4: FIELD_INVALID: credit_limit (column 2) must be a whole number from 0 to 1000000000000, or TIER")):
            run = self.check(self.file("limits.csv", limits.replace(wrong, right)))
            self.assertEqual(run.status, REFUSED)
            self.assertIn("limits.csv:" + says, run.err)
        cases = [(b"gold|,", b"gold,", "card_products (column 4) must have as many parts, with \"|\" between, as card_tokens"),
                 (b"|BLOCKED", b"|LOST", "card_status (column 5) must be ACTIVE, BLOCKED, CLOSED or empty"),
                 (b"\"Lee, Ann\"", b"=cmd()", "name (column 8) begins like a formula (= + - @), which a spreadsheet would run"),
                 (b"+86 (10) 1234-5678", b"+cmd|x!A0", "phone (column 9) begins like a formula"),
                 (b"\"Lee, Ann\"", b"4111 1111 1111 1111", "name (column 8) is a card number; send a token")]
        for wrong, right, says in cases:
            with self.subTest(says):
                self.assertIn(wrong, whole)
                run = self.check(self.file("all.csv", head + whole.replace(wrong, right)))
                self.assertEqual(run.status, REFUSED)
                self.assertIn(says, run.err)


class Broken(Files):
    """What casts doubt on a whole file."""

    def test_each(self):
        for story, content, more, says in BROKEN:
            with self.subTest(story):
                path = self.file("broken.csv", content)
                run = self.check(path, *more)
                self.assertEqual((run.status, run.out), (FAILED, ""))
                self.assertIn(says.replace("F:", path + ":"), run.err)
                self.assertRegex(run.err, r"broken\.csv:\d+: ")
                # A push says the same before it looks for the server.
                push = Run("members", "push", path, *more, "--server", "localhost:1")
                self.assertEqual(push.status, FAILED)
                self.assertIn(says.replace("F:", path + ":"), push.err)
                self.assertNotIn("UNAVAILABLE", push.err)

    def test_a_line_of_two_gigabytes(self):
        path = self.file("line.csv", lines()[0])
        os.truncate(path, 2 * 1024 ** 3)
        self.assertIn(f"{path}:2: the line is longer than 64 KiB", self.check(path).err)

    def test_what_is_no_file(self):
        fifo = os.path.join(self.folder, "pipe")
        os.mkfifo(fifo)
        for path in (fifo, self.folder):
            self.assertIn("is read twice, so it must be a file, not a folder or a pipe", self.check(path).err)
        self.assertIn("none.csv cannot be read", self.check(os.path.join(self.folder, "none.csv")).err)

    def test_every_cut_of_a_gzip_file(self):
        whole = gzip.compress(GOOD, mtime=0)
        for size in range(2, len(whole), 13):
            run = self.check(self.file("cut.gz", whole[:size]))
            self.assertEqual(run.status, FAILED)
            self.assertIn("the gzip data ends too early: the file is cut; send it again", run.err)

    def test_every_cut_of_a_plain_file(self):
        for size in range(1, len(GOOD), 11):
            if GOOD[size - 1:size] != b"\n":
                self.assertEqual(self.check(self.file("cut.csv", GOOD[:size])).status, FAILED, size)


class BadRows(Files):
    """What is wrong with one row only."""

    def test_each(self):
        for story, content, line, says in BAD_ROWS:
            with self.subTest(story):
                path = self.file("rows.csv", content)
                run = self.check(path)
                self.assertEqual(run.status, REFUSED)
                self.assertIn(f"{path}:{line}: {says}", run.err)
                self.assertEqual(run.err.count("\n"), 1)
                self.assertIn("rows                11\nrefused             1\n", run.out)
                self.assertEqual(self.check(path, "--allow-refused").status, DONE)
                self.assertEqual(len(self.lines_of(path + ".refused.csv")), 2)

    def test_columns_swapped(self):
        for one, other, says in ((0, 1, "credit_limit (column 2) must be a whole number"), (1, 2, "credit_limit (column 2)"),
                                 (2, 3, "status (column 3) must be")):
            run = self.check(self.file("swapped.csv", swapped(GOOD, one, other)))
            self.assertEqual(run.status, REFUSED)
            self.assertIn(f"swapped.csv:2: FIELD_INVALID: {says}", run.err)

    def test_nothing_dangerous_is_written(self):
        """Not a card number, whole or in a spoilt line; and no formula that would run."""
        content = b"".join([lines()[0], b"m-1,1,ACTIVE,4111111111111111\n", b'm-2,1,"4111 1111 1111 1111,\n', b"=1+1,1,ACTIVE,\n",
                            b"m-4,1,ACTIVE,\"=HYPERLINK(\"\"http://x\"\")\"\n", b"m-5,-1,ACTIVE,\n"])
        path = self.file("danger.csv", content)
        self.assertEqual(self.check(path).status, REFUSED)
        written = self.lines_of(path + ".refused.csv")
        self.assertEqual(len(written), 6)
        self.assertNotIn("1111", "".join(written))
        self.assertTrue(written[3].startswith("'=1+1,1,ACTIVE,,FIELD_INVALID,"))
        self.assertIn("'=HYPERLINK", written[4])
        self.assertTrue(written[5].startswith("m-5,-1,ACTIVE,,FIELD_INVALID,"))


class Totals(Files):
    """Where only the bank can know that something is wrong."""

    def said(self):
        """The options with which the good file is good."""
        is_so = totals("plain", self.path)
        return {"--expect-rows": is_so["rows"], "--expect-limits": is_so["creditLimitTotal"], "--expect-hash": is_so["rowsSha256"]}

    def all_say(self):
        """The same as one command line."""
        return [word for pair in self.said().items() for word in pair]

    def test_the_good_file(self):
        self.assertEqual(self.check(self.path, *self.all_say()).status, DONE)

    def test_mutations(self):
        """story, the bytes, the options that notice."""
        order, rows, limits, digest = lines(), "--expect-rows", "--expect-limits", "--expect-hash"
        cases = [
            ("a row dropped", b"".join(order[:4] + order[5:]), {rows, limits, digest}),
            ("a row repeated", b"".join(order[:5] + order[4:]), {rows, limits, digest}),
            ("the file twice", GOOD + b"".join(order[1:]), {rows, limits, digest}),
            ("cut at a line's end", b"".join(order[:-1]), {rows, limits, digest}),
            ("two rows change places", b"".join(order[:3] + [order[4], order[3]] + order[5:]), {digest}),
            ("a bit of a number", GOOD.replace(b",1500,", b",1501,"), {limits, digest}),
            ("a bit of a name", GOOD.replace(b"m-05,", b"m-07,"), {digest}),
            ("two limits change places", GOOD.replace(b",1500,", b",x,").replace(b",250,", b",1500,").replace(b",x,", b",250,"), {digest}),
            ("a row refused", GOOD.replace(b",1500,", b",1500.5,"), {rows, limits, digest}),
        ]
        for story, content, notice in cases:
            self.assertNotEqual(content, GOOD, story)
            path = self.file("mutated.csv", content)
            for option, value in self.said().items():
                with self.subTest(story, option=option):
                    run = self.check(path, option, value, "--allow-refused")
                    self.assertEqual(run.status, FAILED if option in notice else DONE)
                    self.assertEqual(f"error: FIELD_INVALID: {option}: is" in run.err, option in notice)
            push = Run("members", "push", path, *self.all_say(), "--server", "localhost:1")
            self.assertEqual(push.status, FAILED)
            self.assertIn("\nnothing was sent\n", push.err)

    def test_every_bit(self):
        """Any one bit of the rows flipped: refused by what the line says, or by the totals."""
        dice, start = random.Random(7), len(lines()[0])
        for _ in range(60):
            at, bit = dice.randrange(start, len(GOOD)), 1 << dice.randrange(8)
            mutated = GOOD[:at] + bytes([GOOD[at] ^ bit]) + GOOD[at + 1:]
            run = self.check(self.file("bit.csv", mutated), *self.all_say())
            case_only = bit == 0x20 and b"A" <= GOOD[at:at + 1] <= b"Z"  # ACTIVE may be written in small letters
            self.assertNotEqual(run.status, DONE if not case_only else None, (at, bit))


SPEND = b"transaction_ref,member_ref,card_token,currency,amount,transaction_time,pending_until,fixed_points,merchant_category_code," \
    b"merchant_name,reversal_of\n" + b"".join(
        b"t-%d,%s,%s,%s,%d.%02d,2026-01-%02dT08:00:00+08:00,%s,%s,5411,\xe5\xb0\x8f\xe5\xba\x97,%s\n" % (
            n, b"" if n % 3 else b"m-%d" % n, b"tok-%04d" % n if n % 3 else b"", b"CNY" if n % 7 else b"USD", n * 37 + 1, n % 100,
            1 + n % 28, b"EVENT" if n % 11 == 0 else b"", b"25" if n % 13 == 0 else b"", b"t-%d" % (n - 1) if n % 17 == 0 else b"")
        for n in range(1, 200))


class Spend(Files):
    """Card spend, by member and by card."""

    def test_what_it_adds_up_to(self):
        path = self.file("spend.csv", SPEND)
        said = json.loads(self.spend_reads_as(path, totals("plain-spend", path)).out)
        self.assertEqual((said["rows"], said["byCard"], list(said["amountMinorTotal"])), ("199", "133", ["CNY", "USD"]))
        self.spend_reads_as(self.file("spend.csv.gz", gzip.compress(SPEND)), totals("plain-spend", path))

    def test_every_change_shows(self):
        path = self.file("spend.csv", SPEND)
        right, rows = totals("plain-spend", path), SPEND.splitlines(keepends=True)
        for story, mutated in (("a row dropped", rows[:9] + rows[10:]), ("a row repeated", rows[:10] + rows[9:]),
                               ("two rows swapped", rows[:9] + [rows[10], rows[9]] + rows[11:]),
                               ("another card", [rows[0], rows[1].replace(b"tok-0001", b"tok-0002")] + rows[2:]),
                               ("the card's member instead", [rows[0], rows[1].replace(b",,tok-0001", b",tok-0001,")] + rows[2:])):
            with self.subTest(story):
                run = Run("accruals", "check", self.file("other.csv", b"".join(mutated)), "--json")
                self.assertEqual(run.status, DONE)
                self.assertNotEqual(json.loads(run.out)["rowsSha256"], right["rowsSha256"])

    def test_bad_rows(self):
        head = b"transaction_ref,member_ref,card_token,currency,amount,transaction_time,merchant_name\n"
        end = b",CNY,1.00,2026-01-14T08:00:00Z,"
        for row, says in ((b"t-1,m-1,tok-0001" + end, "member_ref (column 2) must be empty where card_token is not"),
                          (b"t-1,," + end, "member_ref (column 2) must not be empty, unless card_token says who"),
                          (b",m-1," + end, "transaction_ref (column 1) must not be empty"),
                          (b"t-1,,4111111111111111" + end, "card_token (column 3) is a card number; send a token"),
                          (b"t-1,4111 1111 1111 1111," + end, "member_ref (column 2) is a card number; send a token"),
                          (b"4111111111111111,m-1," + end, "transaction_ref (column 1) is a card number; send a token"),
                          (b"t-1,m-1," + end + b"4111-1111-1111-1111", "merchant_name (column 7) is a card number; send a token")):
            with self.subTest(says):
                path = self.file("spend.csv", head + row + b"\nt-2,,tok-0002" + end + b"\n")
                run = Run("accruals", "check", path, "--json", "--refused", os.path.join(self.folder, "refused.csv"))
                self.assertEqual(run.status, REFUSED)
                self.assertIn("spend.csv:2: ", run.err)
                self.assertIn(says, run.err)
                self.assertEqual(json.loads(run.out)["rows"], "1")
                with open(os.path.join(self.folder, "refused.csv"), "rb") as file:
                    self.assertNotIn(b"4111", file.read().replace(b"-", b"").replace(b" ", b""))

    def test_card_numbers_become_tokens_at_the_door(self):
        numbers = ["4111111111111111", "5500000000000004", "340000000000009"]
        lines_of_it = ["Reference,Card Number,CVV,Amount,Time,MCC,Merchant,Refund Of"] + [
            f"c-{n},{numbers[n % 3]},123,{'x' if n == 7 else 1 + n}.50,2026-01-14T08:00:00Z,5411,Shop {n},{'c-4' if n == 5 else ''}"
            for n in range(9)]
        path = self.file("card_spend.csv", ("\n".join(lines_of_it) + "\n").encode())
        refused = os.path.join(self.folder, "refused.csv")
        options = ("--mapping", os.path.join(MAPPINGS, "card-spend.json"), "--key-file", self.key, "--refused", refused)
        run = self.spend_reads_as(path, totals("card-spend", self.folder, KEY), *options, status=REFUSED)
        self.assertIn("card_spend.csv:9: FIELD_INVALID: amount (column 4)", run.err)
        # Neither number nor CVV is written again: the token is, so that the row can be corrected and pushed again.
        self.assertEqual(self.lines_of(refused)[1].split(",")[:3], ["c-7", lines_token(numbers[1]), ""])
        self.assertNotEqual(Run("accruals", "check", path, *options[:2]).status, DONE)


def lines_token(digits):
    """What stands for a card number, reckoned here once more."""
    digest = hmac.new(bytes.fromhex(KEY), digits.encode(), hashlib.sha256).digest()
    return "tok_" + base64.b32encode(digest).decode().lower()[:26]


class RefusedRows(Files):
    """They come out as a file that can be corrected and sent again."""

    def corrected(self, path, wrong, right, *more, count=1):
        """Checks path, corrects the refused rows and checks these."""
        self.assertEqual(self.check(path, *more).status, REFUSED)
        with open(path + ".refused.csv", "rb") as file:
            refused = file.read()
        self.assertEqual(refused.count(wrong), count, refused)
        again = self.file("again.csv", refused.replace(wrong, right))
        run = self.check(again, "--json", *more)
        self.assertEqual((run.status, run.err), (DONE, ""))
        return json.loads(run.out)

    def test_round_trip(self):
        said = self.corrected(self.file("m.csv", GOOD.replace(b",1500,", b",1 500,")), b",1 500,", b",1500,")
        self.assertEqual((said["rows"], said["creditLimitTotal"]), ("1", "1500"))

    def test_where_one_says(self):
        path, to = self.file("m.csv", GOOD.replace(b",1500,", b",x,")), os.path.join(self.folder, "out.csv")
        self.assertEqual(self.check(path, "--refused", to).status, REFUSED)
        self.assertEqual(len(self.lines_of(to)), 2)
        self.assertFalse(os.path.exists(path + ".refused.csv"))
        self.assertIn("--refused: must be another file than the one that is read", self.check(path, "--refused", path).err)
        self.assertEqual(self.check(self.path, "--refused", to).status, DONE)
        self.assertFalse(os.path.exists(to))  # nothing is refused now

    def test_of_a_gzip_file(self):
        said = self.corrected(self.file("m.gz", gzip.compress(GOOD.replace(b",1500,", b",x,"))), b",x,", b",1500,")
        self.assertEqual((said["rows"], said["creditLimitTotal"]), ("1", "1500"))

    def test_of_many_cards(self):
        """All lines of a member come out, without CVVs, with tokens for numbers; and their member is the same again."""
        head = "User,CARD INDEX,Card Brand,Card Type,Card Number,Expires,CVV,Has Chip,Cards Issued,Credit Limit,Acct Open Date," \
            "Year PIN last Changed,Card on Dark Web\n"
        line = "{},{},Visa,Debit,{},12/2022,623,YES,2,{},09/2002,2008,No\n"
        cards = [("0", "4111111111111111", "$10"), ("0", "5500000000000004", "$20"), ("1", "340000000000009", "$1"), ("1", "6011000000000004", "$2")]
        self.file("sd254_users.csv", b"Person,Num Credit Cards\nA,2\nB,2\n")
        good = head + "".join(line.format(user, n, number, limit) for n, (user, number, limit) in enumerate(cards))
        path = self.file("sd254_cards.csv", good.encode())
        more = ["--mapping", os.path.join(MAPPINGS, "ibm-cards.json"), "--key-file", self.key]
        self.reads_as(path, totals("ibm-cards", self.folder, KEY), *more)
        path = self.file("bad.csv", good.replace("$20", "20 dollars").encode())
        self.corrected(path, b"20 dollars", b"$20", *more)
        refused = self.lines_of(path + ".refused.csv")
        self.assertEqual([row.split(",")[0] for row in refused], ["User", "0", "0"])
        self.assertEqual([row.split(",")[6] for row in refused], ["CVV", "", ""])
        self.assertRegex(refused[1], r",tok_[a-z2-7]{26},")
        alone = head + "".join(line.format(user, n, number, limit) for n, (user, number, limit) in enumerate(cards[:2]))
        self.file("sd254_cards.csv", alone.encode())
        said = self.corrected(path, b"20 dollars", b"$20", *more)
        said.pop("refused")
        self.assertEqual(said, totals("ibm-cards", self.folder, KEY))
        # A spoilt line leaves its neighbours in doubt: which member had that card?
        run = self.check(self.file("spoilt.csv", good.replace("$20", '"$20').encode()), *more)
        self.assertEqual(run.status, FAILED)
        self.assertIn("spoilt.csv:3: column 10: a quote is not closed on this line", run.err)


class Mapped(Files):
    """Files with columns of their own."""

    CHINESE = {"rows": "members", "encoding": "GB18030", "separator": "|", "columns": {
        "member_ref": {"from": "会员号", "prefix": "hz-"}, "credit_limit": {"from": "信用额度", "money": {"sign": "¥", "points": 100}},
        "status": {"from": "状态", "map": {"正常": "ACTIVE", "冻结": "FROZEN", "销户": "CLOSED"}}}, "ignore": ["姓名"]}
    LIST = "会员号|姓名|信用额度|状态\n0001|张三|¥1,200.50|正常\n0002|李四|0|冻结\n0003|𠮷野|¥9.99|正常\n"

    def mapping(self, changes=None):
        """The Chinese one with those changes."""
        return self.file("mapping.json", json.dumps({**self.CHINESE, **(changes or {})}).encode())

    def test_chinese(self):
        plain = self.file("plain.csv", b"member_ref,credit_limit,status\nhz-0001,120050,ACTIVE\nhz-0002,0,FROZEN\nhz-0003,999,ACTIVE\n")
        more = ["--mapping", self.mapping()]
        self.reads_as(self.file("list.csv", self.LIST.encode("gb18030")), totals("plain", plain), *more)
        self.reads_as(self.file("list.gz", gzip.compress(self.LIST.encode("gb18030"))), totals("plain", plain), *more)
        self.reads_as(self.file("utf8.csv", self.LIST.encode()), totals("plain", plain), *more, "--encoding", "utf-8")

    def test_chinese_refused_rows(self):
        """They come out in UTF-8 and say so, for the same mapping."""
        path = self.file("list.csv", self.LIST.replace("冻结", "挂失").encode("gb18030"))
        run = self.check(path, "--mapping", self.mapping())
        self.assertIn("list.csv:3: FIELD_INVALID: status (column 4) is none of the words that the mapping knows", run.err)
        with open(path + ".refused.csv", "rb") as file:
            refused = file.read()
        self.assertTrue(refused.startswith("\ufeff会员号|姓名|信用额度|状态|reason|detail\n0002|李四|0|挂失|FIELD_INVALID|".encode()))
        run = self.check(self.file("again.csv", refused.replace("挂失".encode(), "冻结".encode())), "--mapping", self.mapping())
        self.assertEqual(run.status, DONE, run.err)

    def test_values_that_do_not_fit(self):
        cases = [("¥1,200.50", "¥1,200.505", "2: FIELD_INVALID: credit_limit (column 3) is no whole number of points"),
                 ("¥1,200.50", "¥1.2e3", "2: FIELD_INVALID: credit_limit (column 3) must be an amount such as 24295.50"),
                 ("¥1,200.50", "-1", "2: FIELD_INVALID: credit_limit (column 3) must be an amount such as 24295.50"),
                 ("¥1,200.50", "¥99999999999999", "2: FIELD_INVALID: credit_limit (column 3) is too large"),
                 ("¥1,200.50", "¥10000000001", "2: FIELD_INVALID: credit_limit (column 3) must be a whole number from 0 to 1000000000000"),
                 ("0002|李四|0", "0002|李四|", "3: FIELD_INVALID: credit_limit (column 3) must be a whole number"),
                 ("0001|张", "|张", "2: FIELD_INVALID: member_ref (column 1) must not be empty")]
        for wrong, right, says in cases:
            with self.subTest(right):
                run = self.check(self.file("list.csv", self.LIST.replace(wrong, right).encode("gb18030")), "--mapping", self.mapping())
                self.assertEqual(run.status, REFUSED)
                self.assertIn("list.csv:" + says, run.err)

    def test_headers_that_do_not_fit(self):
        cases = [("状态", "状况", "list.csv:1: the header has no column 状态, which the mapping names"),
                 ("姓名", "姓氏", "list.csv:1: the mapping says nothing of the header's column 2; use it, ignore it, or say never")]
        for wrong, right, says in cases:
            run = self.check(self.file("list.csv", self.LIST.replace(wrong, right).encode("gb18030")), "--mapping", self.mapping())
            self.assertEqual(run.status, FAILED)
            self.assertIn(says, run.err)

    def test_mappings_that_are_wrong(self):
        columns = self.CHINESE["columns"]
        cases = [({"rows": "accruals"}, 'rows must be "members" for this command'), ({"seperator": ";"}, "holds a key that is not known"),
                 ({"separator": "\t"}, "separator must be one of , ; |"), ({"encoding": "Big5"}, "encoding must be UTF-8 or GB18030"),
                 ({"columns": {"member_ref": {"from": "会员号"}}}, "credit_limit must be among the columns"),
                 ({"columns": {**columns, "nickname": {"from": "姓名"}}}, "columns holds one that is none of ours"),
                 ({"columns": {**columns, "status": {"from": "状态", "constant": "ACTIVE"}}}, 'status needs either "from" or the text "constant"'),
                 ({"columns": {**columns, "status": {"from": "状态", "in": "x"}}}, "status names a lookup that is not there"),
                 ({"columns": {**columns, "status": {"from": "状态", "date": "today"}}}, "status date must be written with YY or YYYY"),
                 ({"columns": {**columns, "status": {"from": "状态", "map": {"a": 1}}}}, "status map must give text"),
                 ({"columns": {**columns, "credit_limit": {"from": "信用额度", "money": {"points": 0}}}}, "whole numbers from 1 to 1,000,000"),
                 ({"lookups": {"x": {"file": "../secret", "by": "会员号"}}}, "the name of a file in the same folder"),
                 ({"lines": "some"}, "lines holds a word that is not known"), ({"ignore": [3]}, "must be lists of columns' names")]
        path = self.file("list.csv", self.LIST.encode("gb18030"))
        for changes, says in cases:
            with self.subTest(says):
                run = self.check(path, "--mapping", self.mapping(changes))
                self.assertEqual(run.status, FAILED)
                self.assertIn(says, run.err)
        self.assertIn("bad.json:2: column ", self.check(path, "--mapping", self.file("bad.json", b'{\n"rows": }')).err)
        self.assertIn("is longer than 64 KiB", self.check(path, "--mapping", self.file("bad.json", b" " * 65536)).err)
        self.assertIn("none.json cannot be read", self.check(path, "--mapping", os.path.join(self.folder, "none.json")).err)
        tokens = self.mapping({"columns": {**columns, "card_tokens": {"from": "姓名", "tokenise": True}}})
        self.assertIn("name the token key with --key-file", self.check(path, "--mapping", tokens).err)

    def test_lookups_that_are_wrong(self):
        mapping = self.file("m.json", json.dumps({"rows": "members", "columns": {
            "member_ref": {"from": "id"}, "credit_limit": {"from": "limit", "in": "more"}},
            "lookups": {"more": {"file": "more.csv", "key": "id", "by": "id", "needed": True}}}).encode())
        path = self.file("list.csv", b"id\na\nb\n")
        cases = [(b"id,limit\na,1\nb,2\n", None), (b"id,limit\na,1\n", 'list.csv:3: FIELD_INVALID: id (column 1) is not in more.csv'),
                 (b"id,limit\na,1\na,2\n", "more.csv:3: the key stands on an earlier line too"),
                 (b"id,most\na,1\n", "more.csv:1: the header has no column limit"), (b"id,limit\na,1,2\n", "more.csv:2: the line has 3 columns"),
                 (gzip.compress(b"id,limit\na,1\nb,2\n"), None), (gzip.compress(b"id,limit\na,1\nb,2\n")[:-3], "more.csv:3: the gzip data ends too early")]
        for content, says in cases:
            with self.subTest(says):
                self.file("more.csv", content)
                run = self.check(path, "--mapping", mapping)
                self.assertEqual(run.status == DONE, says is None, run.err)
                self.assertIn(says or "", run.err)
        os.unlink(os.path.join(self.folder, "more.csv"))
        self.assertIn("more.csv cannot be read", self.check(path, "--mapping", mapping).err)


class Documented(Files):
    """What is written down is what is read."""

    def test_examples(self):
        with open(os.path.join(MAPPINGS, "README.md"), encoding="utf-8") as file:
            page = file.read()
        examples = re.findall(r"```(csv|json)\n(.*?)```", page, re.S)
        kinds = [kind for kind, _ in examples]
        self.assertEqual((kinds.count("csv"), kinds.count("json")), (3, 1))
        ours, spend, theirs = [text.encode() for kind, text in examples if kind == "csv"]
        self.spend_reads_as(self.file("spend.csv", spend), totals("plain-spend", self.file("spend.csv", spend)))
        mapping = next(text for kind, text in examples if kind == "json").encode()
        self.reads_as(self.file("ours.csv", ours), totals("plain", self.file("ours.csv", ours)))
        run = self.check(self.file("theirs.csv", theirs), "--mapping", self.file("m.json", mapping), "--key-file", self.key)
        self.assertEqual((run.status, run.err), (DONE, ""))
        self.assertIn("rows                2\nrefused             0\ncredit_limit_total  13000\n", run.out)

    def test_the_header_of_spend_in_help(self):
        help_text = Run("accruals", "push", "--help").out
        header = re.search(r"transaction_ref,[a-z_,\[\]]+", "".join(help_text.split("\n    "))).group().replace("[", "").replace("]", "")
        columns = header.split(",")
        row = ",".join({"transaction_ref": "t-1", "card_token": "tok-0001", "currency": "CNY", "amount": "1",
                        "transaction_time": "2026-01-14T08:00:00Z"}.get(name, "") for name in columns)
        self.assertEqual(Run("accruals", "check", self.file("help.csv", f"{header}\n{row}\n".encode())).status, DONE)
        with open(os.path.join(MAPPINGS, "README.md"), encoding="utf-8") as file:
            documented = re.findall(r"^\| `([a-z_]+)` \| (?:must be there|may be|this or .*?) \|", file.read(), re.M)
        self.assertEqual(documented, columns)

    def test_the_header_in_help(self):
        help_text = Run("members", "push", "--help").out
        header = re.search(r"member_ref,[a-z_,\[\]]+", help_text).group().replace("[", "").replace("]", "")
        columns = header.split(",")
        row = ",".join({"member_ref": "m-1", "credit_limit": "5"}.get(name, "") for name in columns)
        path = self.file("help.csv", f"{header}\n{row}\n".encode())
        self.assertEqual(self.check(path).status, DONE)
        with open(os.path.join(MAPPINGS, "README.md"), encoding="utf-8") as file:
            page = file.read().split("\n## Card spend\n")[0]
        documented = re.findall(r"^\| `([a-z_]+)` \| (?:always|if wanted) \|", page, re.M)
        self.assertEqual(documented, columns)


@unittest.skipUnless(os.path.isdir(DATA), "the real sets are not here")
class Real(Files):
    """The real sets, against a reckoning of their own."""

    def test_members(self):
        for name, folder, file in (("ibm-cards", "ibm-cards", "sd254_cards.csv"), ("berka", "berka", "disp.asc"),
                                   ("completejourney-members", "completejourney", "transactions_sample.csv")):
            with self.subTest(name):
                where = os.path.join(DATA, folder)
                self.reads_as(os.path.join(where, file), totals(name, where, KEY), "--mapping", os.path.join(MAPPINGS, name + ".json"),
                              "--key-file", self.key, "--refused", os.path.join(self.folder, "refused.csv"))

    def test_spend(self):
        where, refused = os.path.join(DATA, "completejourney"), os.path.join(self.folder, "refused.csv")
        run = Run("accruals", "check", os.path.join(where, "transactions_sample.csv"), "--json", "--refused", refused,
                  "--mapping", os.path.join(MAPPINGS, "completejourney-spend.json"))
        self.assertEqual(run.status, REFUSED)
        said = json.loads(run.out)
        self.assertEqual(said, totals("completejourney-spend", where))
        self.assertEqual(len(self.lines_of(refused)), 1 + int(said["refused"]))

    def test_spend_by_real_cards(self):
        with open(os.path.join(DATA, "ibm-cards", "sd254_cards.csv"), encoding="utf-8", newline="") as file:
            cards = list(csv.DictReader(file))
        text = "Reference,Card Number,CVV,Amount,Time,MCC,Merchant,Refund Of\n" + "".join(
            f"r-{n},{card['Card Number']},{card['CVV']},{1 + n % 500}.{n % 100:02d},2026-01-14T08:00:00Z,5411,,\n"
            for n, card in enumerate(cards))
        path = self.file("card_spend.csv", text.encode())
        run = self.spend_reads_as(path, totals("card-spend", self.folder, KEY), "--key-file", self.key, "--mapping",
                                  os.path.join(MAPPINGS, "card-spend.json"))
        self.assertEqual(json.loads(run.out)["byCard"], str(len(cards)))

    def test_a_real_cut_line(self):
        mapping = self.file("trans.json", json.dumps({"rows": "members", "separator": ";", "lines": "first", "columns": {
            "member_ref": {"from": "account_id"}, "credit_limit": {"constant": "0"}}, "ignore": [
                "trans_id", "date", "type", "operation", "amount", "balance", "k_symbol", "bank", "account"]}).encode())
        run = self.check(os.path.join(DATA, "berka", "trans.asc"), "--mapping", mapping, "--refused", os.path.join(self.folder, "r"))
        self.assertEqual(run.status, FAILED)
        self.assertIn("trans.asc:49104: ", run.err)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.access(sys.argv[1], os.X_OK):
        PROGRAM = sys.argv.pop(1)
    unittest.main()
