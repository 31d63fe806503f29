#!/usr/bin/env python3
"""The demo and its checker tell the same story: every confirmation and reversal of the generated month, and refused raw rows."""
import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter

import expected_real

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "ops", "lib", "demo_data.py")
CHECKER = os.path.join(ROOT, "tests", "settlement", "expected_real.py")

TRANSACTIONS = """household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp
1,7,100,1,1,3.86,0,0,0,1,2017-01-02T14:06:53
1,7,100,2,2,1,0,0,0,1,2017-01-02T14:06:53
1,7,100,3,0,9.99,0,0,0,1,2017-01-02T14:06:53
2,8,101,1,0,4.440892e-16,0,0,0,1,2017-01-02T15:00:00
2,8,4.0128e+10,1,1,2.00,0,0,0,1,2017-01-02T15:00:00
2,8,102,1,1,4.440892e-16,0,0,0,1,2017-01-02T15:00:00
2,8,103,1,1,0,0,0,0,1,2017-01-02T15:00:00
2,8,104,1,1,2.5,0,0,0,1,2018-01-02T15:00:00
2,8,105,1,1,2.5,0,0,0,1,2017-02-30T15:00:00
2,8,106,1,1,2.5,0,0
"""
CARDS = """User,CARD INDEX,Card Brand,Card Type,Card Number,Expires,CVV,Has Chip,Cards Issued,Credit Limit,Acct Open Date,Year PIN last Changed,Card on Dark Web
0,0,Visa,Debit,4111111111111111,12/2022,623,YES,2,$5000,09/2002,2008,No
0,1,Visa,Debit,4111111111111112,12/2022,623,YES,2,$250,09/2002,2008,No
1,0,Visa,Debit,4111,12/2022,623,YES,2,$250,09/2002,2008,No
2,0,Visa,Debit,4111111111111113,12/2022,623,YES,2,-$250,09/2002,2008,No
3,0,Visa,Debit,41111111
"""


def run(*command):
    return subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True).stdout


def told_by_steps(folder):
    """{(bank, merchant, month): [confirmed, points, reversed, points]} of the redemption files."""
    totals = Counter()
    for day in sorted(os.listdir(os.path.join(folder, "days"))):
        with open(os.path.join(folder, "days", day, "redemptions.csv"), newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["action"] in ("confirm", "reverse"):
                    key = row["member_bank"], row["merchant"], day[:7], row["action"]
                    totals[(*key, "count")] += 1
                    totals[(*key, "points")] += int(row["points"])
    return dict(totals)


def told_by_checker(programme, raw):
    totals = {}
    for row in csv.DictReader(io.StringIO(run(CHECKER, programme, raw))):
        for action, name in (("confirm", "confirmed"), ("reverse", "reversed")):
            for what in ("count", "points"):
                if int(row[f"{name}_{what}"]):
                    totals[row["bank"], row["merchant"], row["month"], action, what] = int(row[f"{name}_{what}"])
    return totals


def files_of(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                found[os.path.relpath(os.path.join(place, name), folder)] = file.read()
    return found


def write_statement(folder, kind, bank, merchant, figures):
    """One statement as alliance-settle writes it: a CSV and a JSON that tells its hash."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{kind}-{bank}-{merchant}")
    amounts = ["%s%d.%02d" % ("-" if f < 0 else "", abs(f) // 100, abs(f) % 100) for f in figures[4:]]
    rows = "bank_id,gross,commission,net\r\n" + "".join(f"{name},{','.join(amounts)}\r\n" for name in ("x", "TOTAL"))
    names = ("confirmedCount", "confirmedPoints", "reversedCount", "reversedPoints", "grossMinor", "commissionMinor", "netMinor")
    statement = {"statementId": f"demo/2026-01/{kind}/{bank}/{merchant}", "type": f"STATEMENT_TYPE_{kind}", "bankId": bank,
                 "merchantId": merchant, "period": "2026-01", "totals": dict(zip(names, map(str, figures))),
                 "contentSha256": hashlib.sha256(rows.encode()).hexdigest()}
    with open(path + ".csv", "w", newline="", encoding="utf-8") as file:
        file.write(rows)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump({"statement": statement}, file)


class Checker(unittest.TestCase):
    """It must be able to say no."""
    expected = {("harbour", "shop-01", "2026-01"): [3, 300, 1, 50, 1250, 62, 1188]}

    def checked(self, spoil=lambda folder: None, figures=(3, 300, 1, 50, 1250, 62, 1188)):
        with tempfile.TemporaryDirectory() as top:
            folder = os.path.join(top, "demo", "2026-01")
            for kind, bank, merchant in (("PAIR", "harbour", "shop-01"), ("BANK", "harbour", ""), ("MERCHANT", "", "shop-01"),
                                         ("OPERATOR", "", "")):
                write_statement(folder, kind, bank, merchant, figures if kind == "PAIR" else self.expected["harbour", "shop-01", "2026-01"])
            spoil(folder)
            with contextlib.redirect_stdout(io.StringIO()) as said:
                wrong = expected_real.compare(self.expected, top, "demo", "9999-99")
        return wrong, said.getvalue()

    def test_what_is_right_passes(self):
        self.assertEqual(self.checked(), (0, "4 statements checked, 0 differ\n"))

    def test_one_minor_unit_is_seen(self):
        wrong, said = self.checked(figures=(3, 300, 1, 50, 1251, 62, 1189))
        self.assertEqual(wrong, 1)
        self.assertIn("demo/2026-01/PAIR/harbour/shop-01", said)

    def test_a_missing_statement_is_seen(self):
        wrong, said = self.checked(lambda folder: os.remove(os.path.join(folder, "OPERATOR--.json")))
        self.assertEqual(wrong, 1)
        self.assertIn("missing: OPERATOR 2026-01", said)

    def test_a_changed_file_is_seen(self):
        def spoil(folder):
            with open(os.path.join(folder, "BANK-harbour-.csv"), "a", encoding="utf-8") as file:
                file.write("TOTAL,12.50,0.62,11.87\r\n")
        wrong, said = self.checked(spoil)
        self.assertEqual(wrong, 1)
        self.assertIn("contentSha256", said)

    def test_a_statement_too_many_is_seen(self):
        self.assertEqual(self.checked(lambda folder: write_statement(folder, "PAIR", "harbour", "shop-02", [1, 1, 0, 0, 1, 0, 1]))[0], 1)

    def test_nothing_is_not_right(self):
        wrong, said = self.checked(shutil.rmtree)
        self.assertGreater(wrong, 0)
        self.assertIn("0 statements checked", said)


class DemoRule(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")

    def test_generated_month_is_told_twice_alike(self):
        run(DATA, "generate", self.out)
        steps = told_by_steps(self.out)
        self.assertGreater(len(steps), 40)
        self.assertEqual(steps, told_by_checker("demo", os.path.join(self.out, "raw")))

    def test_generated_twice_are_the_same_bytes(self):
        run(DATA, "generate", self.out)
        run(DATA, "generate", self.out + "2")
        self.assertEqual(files_of(self.out), files_of(self.out + "2"))

    def test_real_year_is_told_twice_alike(self):
        source = os.path.join(os.path.dirname(ROOT), "shared", "data")
        if not os.path.isdir(os.path.join(source, "completejourney")):
            self.skipTest("no real data beside the clone")
        run(DATA, "from-real", source, self.out)
        steps = told_by_steps(self.out)
        self.assertGreater(len(steps), 4000)
        self.assertEqual(steps, told_by_checker("real", source))

    def write_source(self):
        source = os.path.join(self.folder.name, "source")
        for part, name, text in (("completejourney", "transactions_sample.csv", TRANSACTIONS),
                                 ("ibm-cards", "sd254_cards.csv", CARDS)):
            os.makedirs(os.path.join(source, part))
            with open(os.path.join(source, part, name), "w", encoding="utf-8") as file:
                file.write(text)
        return source

    def read(self, *parts):
        with open(os.path.join(self.out, *parts), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_dirty_rows_are_refused_one_by_one(self):
        run(DATA, "from-real", self.write_source(), self.out)
        refused = [(row["file"], int(row["line"]), row["reason"]) for row in self.read("refused.csv")]
        transactions = [(line, reason) for file, line, reason in refused if file == "transactions_sample.csv"]
        self.assertEqual(sorted(line for line, _ in transactions), [4, 5, 6, 7, 8, 9, 10, 11])
        reasons = dict(transactions)
        self.assertIn("quantity '0'", reasons[4])
        self.assertIn("'4.0128e+10' is not a number", reasons[6])
        self.assertIn("4.440892e-16", reasons[7])
        self.assertIn("comes to nothing", reasons[8])
        self.assertIn("8 fields instead of 11: is the line cut?", reasons[11])
        self.assertEqual([line for file, line, _ in refused if file == "sd254_cards.csv"], [4, 5, 6])
        # What is good goes on: one basket of two good rows, one member with both limits.
        pushed = self.read("days", "2017-01-02", "accruals.csv")
        self.assertEqual([(row["transaction_ref"], row["amount"]) for row in pushed], [("100", "4.86")])
        self.assertEqual([(row["member_ref"], row["credit_limit"]) for row in self.read("members", "ibm.csv")],
                         [("user-0", "5250")])

    def test_both_programmes_fit_in_one_installation(self):
        run(DATA, "generate", self.out + "2")
        run(DATA, "from-real", self.write_source(), self.out)
        for name, key in (("carrier.json", "carrierId"), ("programme.json", "programmeId")):
            ids = []
            for folder in (self.out, self.out + "2"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    ids.append(json.load(file)[key])
            self.assertNotEqual(*ids)

    def test_no_card_number_is_written(self):
        run(DATA, "from-real", self.write_source(), self.out)
        for name, content in files_of(self.out).items():
            self.assertNotIn(b"4111111111", content, name)


if __name__ == "__main__":
    unittest.main()
