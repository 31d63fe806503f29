#!/usr/bin/env python3
"""A counterparty's month, and what differs in it, found once more: reads the journal through psql, shares nothing with us.

recheck_recon.py write CONNINFO PARTY PERIOD KEY SEED FILE   the party's file, one line of three wrong; SEED 0: none
recheck_recon.py check CONNINFO PARTY PERIOD FILE TOLERANCE DAYS   compares the stored run and breaks; status 1: they differ

PARTY is bank:NUMBER or merchant:NUMBER, KEY redemption or request.
"""
import csv
import datetime
import random
import subprocess
import sys
import uuid
from collections import Counter, defaultdict

NAMES = {1: "MATCHED", 2: "ROUNDING", 3: "LATE", 4: "AMOUNT", 5: "STATE", 6: "DUPLICATE", 7: "MISSING_HERE", 8: "MISSING_THERE"}
FIELDS = ("key", "date", "amount_minor", "currency", "points", "state")


def ask(conninfo, sql):
    run = subprocess.run(["psql", conninfo, "-X", "-q", "-A", "-F,", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True,
                         capture_output=True, text=True)
    return [line.split(",") for line in run.stdout.splitlines()]


def journal(conninfo, party, period):
    kind, number = party.split(":")
    rows = ask(conninfo, f"""SELECT redemption_id || '.' || left(member_id::text, 4), ref, business_date, kind, gross_minor, currency, points
        FROM journal WHERE kind IN (4, 8) AND {kind}_no = {int(number)} AND to_char(business_date, 'YYYY-MM') = '{period}'
        ORDER BY member_id, seq""")
    return [{"redemption": row[0], "request": row[1], "date": row[2], "state": "CONFIRM" if row[3] == "4" else "REVERSE",
             "amount_minor": abs(int(row[4])), "currency": row[5], "points": int(row[6])} for row in rows]


def other_day(rng, line):
    days = rng.choice((-3, -2, -1, 1, 2, 3))
    return {**line, "date": str(datetime.date.fromisoformat(line["date"]) + datetime.timedelta(days))}


def in_parts(rng, line):
    """Several lines that add up to one, which is nothing wrong."""
    cuts = sorted(rng.randint(0, line["amount_minor"]) for _ in range(rng.randint(1, 3)))
    amounts = [end - start for start, end in zip([0, *cuts], [*cuts, line["amount_minor"]]) if end > start]
    return [{**line, "amount_minor": amount, "points": line["points"] if at == 0 else 0} for at, amount in enumerate(amounts)] or [line]


MUTATIONS = (
    lambda rng, line: [],
    lambda rng, line: [line, line],
    lambda rng, line: [{**line, "amount_minor": max(0, line["amount_minor"] + rng.choice((-1, 1)))}],
    lambda rng, line: [{**line, "amount_minor": line["amount_minor"] + rng.randint(2, 500)}],
    lambda rng, line: [other_day(rng, line)],
    lambda rng, line: [{**line, "state": "REVERSE" if line["state"] == "CONFIRM" else "CONFIRM"}],
    lambda rng, line: [{**line, "points": line["points"] + 1}],
    lambda rng, line: [{**line, "currency": "EUR"}],
    lambda rng, line: in_parts(rng, line),
    lambda rng, line: [line, {**line, "key": f"{uuid.UUID(int=rng.getrandbits(128))}" + line["key"][36:]}],
)


def write(conninfo, party, period, key, seed, path):
    rng, spoilt, lines = random.Random(int(seed)), set(), []
    for entry in journal(conninfo, party, period):
        line = {**{name: entry[name] for name in FIELDS if name != "key"}, "key": entry[key]}
        wrong = int(seed) and entry["redemption"] not in spoilt and rng.randrange(3) == 0
        if wrong:
            spoilt.add(entry["redemption"])
        lines += rng.choice(MUTATIONS)(rng, line) if wrong else [line]
    rng.shuffle(lines)
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, FIELDS)
        writer.writeheader()
        writer.writerows(lines)
    print(f"{len(lines)} lines, {len(spoilt)} wrong")


def content(line):
    return (line["date"], line["state"], int(line["amount_minor"]), line["currency"], int(line["points"]))


def class_of(ours, theirs, tolerance, days):
    apart = abs((datetime.date.fromisoformat(ours[0]) - datetime.date.fromisoformat(theirs[0])).days)
    if ours[1] != theirs[1]:
        return "STATE"
    if ours[3:] != theirs[3:] or abs(ours[2] - theirs[2]) > tolerance:
        return "AMOUNT"
    if apart > days:
        return "LATE"
    return "MATCHED" if ours[2] == theirs[2] else "ROUNDING"


def compare(ours, theirs, tolerance, days):
    """Answers (class, ours or None, theirs or None) of one key: what is alike goes first, and what is left is one thing."""
    alike = Counter(ours) & Counter(theirs)
    left, right = list((Counter(ours) - alike).elements()), list((Counter(theirs) - alike).elements())
    answers = [("MATCHED", one, one) for one in alike.elements()]
    if len(left) == 1 and len(right) > 1 and {left[0][:2] + left[0][3:4]} == {one[:2] + one[3:4] for one in right} and all(
            left[0][at] == sum(one[at] for one in right) for at in (2, 4)):
        return answers + [("MATCHED", None if at else left[0], part) for at, part in enumerate(right)]
    if len(left) > 1 or len(right) > 1:
        raise SystemExit(f"more than one thing is wrong: {left} {right}")
    if left and right:
        return answers + [(class_of(left[0], right[0], tolerance, days), left[0], right[0])]
    if left:
        return answers + [("MISSING_THERE", left[0], None)]
    if right:
        again = any(one[1] == right[0][1] for one in alike)
        return answers + [("DUPLICATE" if again else "MISSING_HERE", None, right[0])]
    return answers


def classify(conninfo, party, period, path, tolerance, days):
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    key = "redemption" if lines and "." in lines[0]["key"] else "request"
    sides = defaultdict(lambda: ([], []))
    for entry in journal(conninfo, party, period):
        sides[entry[key]][0].append(content(entry))
    for line in lines:
        sides[line["key"]][1].append(content(line))
    return [answer for ours, theirs in sides.values() for answer in compare(ours, theirs, tolerance, days)]


def side(row):
    """A stored side as content(), None when it lacks."""
    return (row[0], {"1": "CONFIRM", "2": "REVERSE"}[row[1]], int(row[2]), row[3], int(row[4])) if row[1] != "0" else None


def check(conninfo, party, period, path, tolerance, days):
    answers = classify(conninfo, party, period, path, int(tolerance), int(days))
    expected = Counter(answer for answer in answers if answer[0] != "MATCHED")
    party_type, number = {"bank": 1, "merchant": 2}[party.split(":")[0]], int(party.split(":")[1])
    where = f"party_type = {party_type} AND party_no = {number} AND period = '{period}'"
    stored = Counter((NAMES[int(row[0])], side(row[1:6]), side(row[6:11])) for row in ask(conninfo, f"""SELECT class, our_date, our_state,
        our_minor, our_currency, our_points, their_date, their_state, their_minor, their_currency, their_points FROM recon_break
        WHERE {where} AND last_run_no = (SELECT max(run_no) FROM recon_run WHERE {where})"""))
    counts = ask(conninfo, f"""SELECT array_to_string(our_counts, ','), array_to_string(their_counts, ',') FROM recon_run WHERE {where}
        ORDER BY run_no DESC LIMIT 1""")[0]
    for number, name in NAMES.items():
        ours = sum(answer[0] == name and answer[1] is not None for answer in answers)
        theirs = sum(answer[0] == name and answer[2] is not None for answer in answers)
        if (int(counts[number]), int(counts[number + 9])) != (ours, theirs):
            raise SystemExit(f"{name}: stored {counts[number]} and {counts[number + 9]}, here {ours} and {theirs}")
    for name, difference in (("stored only", stored - expected), ("here only", expected - stored)):
        for answer in list(difference)[:3]:
            print(name, answer)
    if stored != expected:
        raise SystemExit("the breaks differ")
    print(f"{len(answers)} records and pairs, {sum(expected.values())} breaks, all alike:",
          ", ".join(f"{name} {sum(answer[0] == name for answer in answers)}" for name in NAMES.values()))


if __name__ == "__main__":
    actions = {"write": (write, 6), "check": (check, 6)}
    if len(sys.argv) < 2 or sys.argv[1] not in actions or len(sys.argv) - 2 != actions[sys.argv[1]][1]:
        sys.exit(__doc__)
    actions[sys.argv[1]][0](*sys.argv[2:])
