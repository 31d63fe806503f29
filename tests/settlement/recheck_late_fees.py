#!/usr/bin/env python3
"""recheck_late_fees.py CONNINFO AS_OF: what paying late costs, counted day by day; shares nothing with alliance-settle.

Reads statements, contracts, receipts and disputes through psql and compares every late fee with the corrections of that
kind that were proposed. Prints each difference; exit status 1 when there is one.
"""
import datetime
import subprocess
import sys
from collections import defaultdict
from fractions import Fraction


def ask(conninfo, sql):
    run = subprocess.run(["psql", conninfo, "-X", "-q", "-A", "-F,", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True,
                         capture_output=True, text=True)
    return [line.split(",") for line in run.stdout.splitlines()]


def day(text):
    return datetime.date.fromisoformat(text)


def facts(conninfo):
    contracts = defaultdict(list)
    for bank, currency, begins, bp in ask(conninfo, "SELECT party_no, currency, effective_from, late_fee_bp FROM settlement_contract WHERE "
                                                    "party = 1 ORDER BY version"):
        contracts[bank, currency].append((day(begins), int(bp)))
    receipts = defaultdict(list)
    for number, currency, amount, booked in ask(conninfo, "SELECT end_to_end_id, currency, amount_minor, booked FROM payment_notice WHERE "
                                                          "outcome = 'RECEIPT'"):
        receipts[number, currency].append((day(booked), int(amount)))
    disputes = defaultdict(list)
    for bank, period, currency, state, opened, ended, amount, agreed in ask(
            conninfo, "SELECT opener_no, period, currency, state, opened_on, ended_on, amount_minor, agreed_minor FROM dispute WHERE opener = 1"):
        disputes[bank, period, currency].append((int(state), day(opened), day(ended), int(amount), int(agreed)))
    return contracts, receipts, disputes


def fees(conninfo, as_of):
    """(what it refers to) -> (bank, currency, amount)"""
    contracts, receipts, disputes = facts(conninfo)
    found = {}
    for name, party, number, bank, period, currency, due, payable, last in ask(
            conninfo, """SELECT s.statement_id, n.party, n.number, s.bank_no, s.period, s.currency, due_on, payable_minor, p.last_day
            FROM statement s JOIN statement_position USING (statement_no) JOIN statement_number n USING (statement_id) JOIN
            settlement_period p ON p.period = s.period WHERE s.type = 2 AND p.state = 3 AND n.state = 1 AND payable_minor < 0"""):
        owed, total, late = -int(payable), 0, 0
        rate = [bp for begins, bp in contracts[bank, currency] if begins <= day(last)][-1:]
        today = day(due)
        while rate and today < as_of:
            today += datetime.timedelta(1)
            late += 1
            if late % 30 != 1:
                continue
            paid = sum(amount for booked, amount in receipts[f"{party}-{int(number):06}", currency] if booked < today)
            contested = 0
            for state, opened, ended, amount, agreed in disputes[bank, period, currency]:
                contested += amount if opened <= today <= ended else agreed if state == 3 else 0
            fee = min(round(Fraction(max(owed - paid - contested, 0) * rate[0], 10000)), owed - total)
            total += fee
            if fee:
                found[f"{name} days {late}-{late + 29}"] = (bank, currency, fee)
    return found


def main():
    conninfo, as_of = sys.argv[1], day(sys.argv[2])
    proposed = {row[0]: (row[1], row[2], int(row[3])) for row in ask(
        conninfo, "SELECT refers_to, from_no, currency, amount_minor FROM settlement_correction WHERE kind = 8 AND (from_party, to_party, "
                  "to_no) = (1, 4, 0)")}
    expected = fees(conninfo, as_of)
    for what in sorted(proposed.keys() | expected.keys()):
        if proposed.get(what) != expected.get(what):
            print(f"{what}: proposed {proposed.get(what)}, expected {expected.get(what)}")
    print(f"{len(expected)} late fees")
    return proposed != expected


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main())
