#!/usr/bin/env python3
"""What must every statement of the demo say? Worked out from the raw files and ops/decisions/0002-demo-rule.md alone.

  expected_real.py real SOURCE [STATEMENTS]      SOURCE holds ibm-cards/ and completejourney/
  expected_real.py demo RAW [STATEMENTS]         RAW is the raw/ folder of the generated data set

Shares no code with the demo: it goes member by member where the demo goes day by day, and reckons in fractions. With
STATEMENTS (the folder alliance-settle wrote) it prints each difference and "N statements checked, 0 differ"; without,
the expected totals as CSV. --through YYYY-MM leaves later months out.
"""
import argparse
import csv
import glob
import hashlib
import heapq
import json
import math
import os
import re
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction as F

ONE = timedelta(1)
# bank: (from, accrual, conversion, settlement, minimum, months, grace days), newest first
RULES = {
    "harbour": [("2026-01-16", F(3, 50), F(21, 10), F(9, 20), 30, 12, 30), ("", F(1, 20), F(2), F(1, 2), 20, 12, 30)],
    "cj": [("2017-07-01", F(3, 25), F(3), F(7, 20), 25, 4, 20), ("", F(1, 10), F(10, 3), F(31, 100), 20, 6, 30)],
    "ibm": [("2017-07-01", F(1, 100), F(10, 9), F(19, 20), 1, 24, 0), ("", F(1, 100), F(1), F(1), 1, 24, 0)],
}
FRAME = {  # first day, last day, change of terms, bank and day and price of the good
    "demo": ("2026-01-01", "2026-01-31", "2026-01-11", "harbour", "2026-01-20", 4900),
    "real": ("2017-01-01", "2017-12-31", "2017-06-15", "ibm", "2017-03-15", 2500),
}


def h(text):
    return int(hashlib.sha256(text.encode("ascii")).hexdigest()[:16], 16)


def rules_on(bank, day):
    return next(row[1:] for row in RULES[bank] if row[0] <= day.isoformat())


def basis_points(merchant, day, change):
    t = h("terms:" + merchant)
    if day.isoformat() >= change and t // 2**16 % 4 == 0:
        return 250 + 50 * (t // 2**24 % 14)
    return 200 + 50 * (t % 15)


def lasts_until(day, months):
    """The first day on which points earned on `day` are gone."""
    for _ in range(months + 1):
        day = day.replace(day=1) + 31 * ONE
    return day.replace(day=1)


class Totals:
    """(bank, merchant, month) -> the seven figures of a pair statement."""
    names = ("confirmed_count", "confirmed_points", "reversed_count", "reversed_points", "gross_minor",
             "commission_minor", "net_minor")

    def __init__(self):
        self.of = defaultdict(lambda: [0] * 7)

    def add(self, bank, merchant, day, sign, points, gross, commission):
        row = self.of[bank, merchant, day.isoformat()[:7]]
        row[0 if sign > 0 else 2] += 1
        row[1 if sign > 0 else 3] += points
        for place, amount in ((4, gross), (5, commission), (6, gross - commission)):
            row[place] += sign * amount


class Redemption:
    """Confirmed; remembers what it was worth and what has been taken back."""

    def __init__(self, member, merchant, day, points, change):
        self.member, self.merchant, self.points, self.back = member, merchant, points, 0
        self.gross = round(points * rules_on(member.bank, day)[2])  # of a Fraction: half to even
        self.commission = round(F(self.gross * basis_points(merchant, day, change), 10000))
        member.totals.add(member.bank, merchant, day, 1, points, self.gross, self.commission)

    def reverse(self, day, points):
        def moved(amount):
            return amount * (self.back + points) // self.points - amount * self.back // self.points
        self.member.totals.add(self.member.bank, self.merchant, day, -1, points, moved(self.gross), moved(self.commission))
        self.back += points


class Member:
    """One member's life, told to its end by live()."""

    def __init__(self, bank, limit, frame, totals):
        self.bank, self.limit, self.frame, self.totals = bank, limit, frame, totals
        self.owed = 0           # credit used
        self.lots = []          # [first day gone, points], sorted
        self.spent = []         # baskets: (order, amount, b or None, merchant)
        self.visits = []        # the credit bank's: (day, order, b, merchant, points)
        self.later = []         # heap of (day, number, what to do)
        self.counter = 0
        self.bought = False     # the good

    def free(self, day):
        self.lots = [lot for lot in self.lots if lot[0] > day and lot[1] > 0]
        return sum(points for _, points in self.lots) + max(self.limit - self.owed, 0)

    def gain(self, points, until):
        paid = min(points, self.owed)
        self.owed -= paid
        if points > paid:
            self.lots.append([until, points - paid])
            self.lots.sort()

    def draw(self, day, points):
        """A list of single points' origins would do; runs of them are shorter: [until or None, points]."""
        drawn = []
        for lot in self.lots:
            if lot[0] > day and points:
                part = min(points, lot[1])
                lot[1] -= part
                points -= part
                drawn += [[lot[0], part]] if part else []
        if points:
            drawn.append([None, points])
            self.owed += points
        return merge(drawn)

    def undo(self, day, drawn, points):
        months, grace = rules_on(self.bank, day)[4:]
        for run in reversed(drawn):
            part = min(points, run[1])
            run[1] -= part
            points -= part
            if run[0] is None:
                self.gain(part, lasts_until(day, months))
            elif run[0] > day or grace:
                self.lots.append([run[0] if run[0] > day else day + grace * ONE, part])
        self.lots.sort()

    def at(self, day, what):
        self.counter += 1
        heapq.heappush(self.later, (day, self.counter, what))

    def live(self, last, good=None):
        """good: (day, merchant, points) of the order of the good; who can pay on that evening makes it."""
        today = defaultdict(lambda: ([], []))
        for basket in sorted(self.spent, key=lambda basket: basket[0]):
            today[basket[0][0].date()][0].append(basket)
        for visit in sorted(self.visits, key=lambda visit: visit[:2]):
            today[visit[0]][1].append(visit)
        if good:
            today.setdefault(good[0], ([], []))
        for day in sorted(today):
            if day > last:
                break
            self.catch_up(day - ONE)
            self.live_day(day, *today[day])
            if good and day == good[0] and self.free(day) >= good[2]:
                self.draw(day, good[2])
                Redemption(self, good[1], day, good[2], self.frame[2])
                self.bought = True
        self.catch_up(last)

    def catch_up(self, day):
        while self.later and self.later[0][0] <= day:
            due, _, what = heapq.heappop(self.later)
            what(due)

    def live_day(self, day, baskets, visits):
        self.free(day)
        accrual, months = rules_on(self.bank, day)[0], rules_on(self.bank, day)[4]
        for basket in baskets:
            self.gain(math.floor(basket[1] * accrual), lasts_until(day, months))
        self.catch_up(day)  # reversals; what lapses today is not held yet
        for _, _, b, merchant in baskets:
            if b % 8 == 0:
                self.visit(day, b, merchant, None)
        for _, _, b, merchant, points in visits:
            self.visit(day, b, merchant, points)

    def visit(self, day, b, merchant, points):
        free, k = self.free(day), b // 2**16 % 20
        if points is None:
            points = free + 1 if k == 0 else max(free * (20 + b // 2**8 % 81) // 100, 1)
        if rules_on(self.bank, day)[3] <= points <= free:
            self.granted(day, k, merchant, points, self.draw(day, points))

    def granted(self, day, k, merchant, points, drawn):
        def reversal_of(redemption, amount):
            def reversal(due):
                self.free(due)
                self.undo(due, drawn, amount)
                redemption.reverse(due, amount)
            return reversal

        def lapse(_):
            self.undo(day, drawn, points)

        if k == 8 and (day + ONE).month == day.month and all(until != day + ONE for until, _ in drawn):
            self.at(day, lapse)  # when the day is over
            return
        if k in (1, 2, 8):
            self.undo(day, drawn, points)
            return
        keep = math.ceil(F(points, 2)) if k == 3 else points
        if keep < points:
            self.undo(day, drawn, points - keep)
        redemption = Redemption(self, merchant, day, keep, self.frame[2])
        third = math.ceil(F(points, 3))
        if k == 4:
            reversal_of(redemption, points)(day)
        for k_of, after, amount in ((5, 45, points), (6, 3, third), (7, 3, third), (6, 20, points - third)):
            if k == k_of and amount:
                self.at(day + after * ONE, reversal_of(redemption, amount))


def merge(runs):
    """Neighbouring runs of one day are one lot."""
    merged = []
    for until, points in runs:
        if merged and merged[-1][0] == until:
            merged[-1][1] += points
        else:
            merged.append([until, points])
    return merged


class Alliance:
    """All members of a data set and the stores in their order."""

    def __init__(self, name):
        self.frame = FRAME[name]
        self.first, self.last = (date.fromisoformat(text) for text in self.frame[:2])
        self.totals = Totals()
        self.members = {bank: {} for bank in RULES}
        self.merchants = []

    def member(self, bank, ref, limit=0):
        return self.members[bank].setdefault(ref, Member(bank, limit, self.frame, self.totals))

    def spend(self, bank, ref, basket, merchant, amount, time):
        self.member(bank, ref).spent.append(((time, int(basket)), amount, h("redeem:" + basket), merchant))

    def settle(self):
        _, _, _, bank, day, price = self.frame
        day = date.fromisoformat(day)
        cost = math.ceil(price * rules_on(bank, day)[1])
        good = (day, self.merchants[0], cost)
        for every in RULES:
            for member in self.members[every].values():
                member.live(self.last, good if every == bank else None)
                good = None if member.bought else good
        return self.totals.of


def good_row(row, alliance):
    """The basket's facts, or None; marks household and store as known when their ids and the basket's are numbers."""
    if len(row) != 11 or not all(re.fullmatch("[0-9]{1,19}", row[i]) for i in (0, 1, 2)):
        return None
    alliance.member("cj", "h" + row[0])
    alliance.merchants.append(int(row[1]))
    if not re.fullmatch("0*[1-9][0-9]*", row[4]) or not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", row[5]):
        return None
    try:
        time = datetime.strptime(row[10], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    return (row[0], row[1], row[2], int(F(row[5]) * 100), time) if alliance.first <= time.date() <= alliance.last else None


def load_real(source):
    alliance = Alliance("real")
    baskets = {}
    with open(os.path.join(source, "completejourney", "transactions_sample.csv"), newline="", encoding="utf-8") as file:
        for row in list(csv.reader(file))[1:]:
            facts = good_row(row, alliance)
            if facts:
                baskets.setdefault(facts[2], []).append(facts)
    alliance.merchants = [f"store-{number}" for number in sorted(set(alliance.merchants))]
    for basket, parts in baskets.items():
        household, store, _, _, time = parts[0]
        amount = sum(part[3] for part in parts)
        if amount:
            alliance.spend("cj", "h" + household, basket, "store-" + store, amount, time)
    load_cards(alliance, os.path.join(source, "ibm-cards", "sd254_cards.csv"))
    return alliance


def load_cards(alliance, path):
    limits = defaultdict(int)
    with open(path, newline="", encoding="utf-8") as file:
        for row in list(csv.reader(file))[1:]:
            if len(row) == 13 and re.fullmatch("[0-9]+", row[0]) and re.fullmatch("[0-9]{12,19}", row[4]) and \
                    re.fullmatch(r"\$[0-9]{1,9}", row[9]):
                limits[int(row[0])] += int(row[9][1:])
    for user in sorted(limits):
        member = alliance.member("ibm", f"user-{user}", limits[user])
        for n in range(1, 3 if h(f"ibm:{user}:1") % 3 == 0 else 2):
            b = h(f"ibm:{user}:{n}")
            points = max(limits[user] * (5 + b // 2**40 % 100) // 100, 1)
            merchant = alliance.merchants[b // 2**24 % len(alliance.merchants)]
            # As 9 for k = 0: an ordinary confirmation.
            member.visits.append((date(2017, 1, 1) + b // 2**8 % 365 * ONE, n, b, merchant, points))


def load_demo(raw):
    alliance = Alliance("demo")

    def table(name):
        with open(os.path.join(raw, name), newline="", encoding="utf-8") as file:
            return list(csv.reader(file))[1:]

    for ref, limit in table("members.csv"):
        alliance.member("harbour", ref, int(limit))
    alliance.merchants = list(dict.fromkeys(row[0] for row in table("merchants.csv")))
    for basket, ref, merchant, _, amount, time in table("baskets.csv"):
        alliance.spend("harbour", ref, basket, merchant, int(F(amount) * 100), datetime.fromisoformat(time))
    return alliance


def read_statements(folder, programme):
    """Every statement's JSON: (statement, lines, path)."""
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), programme, "[0-9]*-[0-9]*", "*.json"))):
        if os.path.basename(path) != "manifest.json":
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            yield content["statement"], content.get("lines", []), path


def figures(statement):
    totals = statement["totals"]
    return [int(totals[re.sub("_(.)", lambda match: match[1].upper(), name)]) for name in Totals.names]


def cents(text):
    return int(F(text or 0) * 100)


def file_differences(statement, lines, path):
    """The JSON's lines and the CSV beside it must add up to the statement's totals."""
    found = figures(statement)
    sums = [0] * 7
    for line in lines:
        back = line["kind"] == "REVERSE"
        sums[2 if back else 0] += 1
        sums[3 if back else 1] += abs(int(line["points"]))
        for place, name in ((4, "grossMinor"), (5, "commissionMinor"), (6, "netMinor")):
            sums[place] += int(line[name])
    with open(path[:-4] + "csv", "rb") as file:
        raw = file.read()
    rows = list(csv.DictReader(raw.decode("utf-8").splitlines()))
    last = rows[-1]
    if hashlib.sha256(raw).hexdigest() != statement["contentSha256"]:
        yield f"{path}: contentSha256 is not that of the CSV file"
    if [cents(last[name]) for name in ("gross", "commission", "net")] != found[4:]:
        yield f"{path}: the CSV's total row says otherwise than the JSON"
    if lines and (sums != found or len(rows) - 1 != len(lines)):
        yield f"{path}: lines sum to {sums}, totals say {found}"
    if any(cents(last[name]) != sum(cents(row[name]) for row in rows[:-1]) for name in ("gross", "commission", "net")):
        yield f"{path}: the CSV's rows do not sum to its total row"
    if any(cents(last.get(name)) != sum(cents(row.get(name)) for row in rows[:-1]) for name in ("amount", "kept")):
        yield f"{path}: the CSV's movements do not sum to its closing position"


def roll_ups(expected):
    """The totals every roll-up must have, from the pairs: (type, bank, merchant, month) -> figures."""
    sums = defaultdict(lambda: [0] * 7)
    for (bank, merchant, month), row in expected.items():
        for key in (("PAIR", bank, merchant, month), ("BANK", bank, "", month), ("MERCHANT", "", merchant, month),
                    ("OPERATOR", "", "", month)):
            sums[key] = [a + b for a, b in zip(sums[key], row)]
    return dict(sums)


def compare(expected, folder, programme, through):
    """Prints each difference; returns how many statements differ."""
    wanted = roll_ups(expected)
    checked, wrong = 0, 0
    for statement, lines, path in read_statements(folder, programme):
        key = (statement["type"].removeprefix("STATEMENT_TYPE_"), statement["bankId"], statement["merchantId"],
               statement["period"])
        if key[3] > through:
            continue
        checked += 1
        differences = list(file_differences(statement, lines, path))
        row = wanted.pop(key, [0] * 7)  # a statement nobody expects must be of nothing
        if figures(statement) != row:
            differences.append(f"{statement['statementId']}: {dict(zip(Totals.names, figures(statement)))}, expected {row}")
        wrong += bool(differences)
        for difference in differences:
            print(difference)
    for key in sorted(wanted):
        print("missing:", " ".join(filter(None, key)), wanted[key])
    print(f"{checked} statements checked, {wrong + len(wanted)} differ")
    return wrong + len(wanted) if checked else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programme", choices=("demo", "real"))
    parser.add_argument("raw")
    parser.add_argument("statements", nargs="?")
    parser.add_argument("--through", default="9999-99", metavar="YYYY-MM")
    asked = parser.parse_args()
    alliance = (load_real if asked.programme == "real" else load_demo)(asked.raw)
    expected = {key: row for key, row in alliance.settle().items() if key[2] <= asked.through}
    if asked.statements:
        return compare(expected, asked.statements, asked.programme, asked.through) > 0
    print("bank,merchant,month," + ",".join(Totals.names))
    for key in sorted(expected):
        print(",".join(map(str, (*key, *expected[key]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
