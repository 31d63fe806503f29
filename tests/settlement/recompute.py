#!/usr/bin/env python3
"""recompute.py CONNINFO DIR PROGRAMME PERIOD: a month's statements once more, from the journal alone.

Reads the journal through psql and shares nothing with alliance-settle. Compares every total, line and file of
DIR/PROGRAMME/PERIOD, and every stored statement and line. Prints each difference; exit status 1 when there is one.
"""
import csv
import datetime
import hashlib
import io
import json
import pathlib
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal

DIGITS = defaultdict(lambda: 2, JPY=0, KRW=0, VND=0, XXX=0, KWD=3, BHD=3)
FIGURES = ("confirmedCount", "confirmedPoints", "reversedCount", "reversedPoints", "grossMinor", "commissionMinor", "netMinor")
CONFIRM, REVERSE = 4, 8


def ask(conninfo, sql):
    run = subprocess.run(["psql", conninfo, "-X", "-q", "-A", "-F,", "-t", "-v", "ON_ERROR_STOP=1", "-c", "SET timezone TO 'UTC'",
                          "-c", sql], check=True, capture_output=True, text=True)
    return [line.split(",") for line in run.stdout.splitlines()]


def names(conninfo, table):
    # hexadecimal, so that no comma in a name can disturb the reading
    return {no: bytes.fromhex(name).decode() for no, name in
            ask(conninfo, f"SELECT {table}_no, encode(convert_to({table}_id, 'UTF8'), 'hex') FROM {table}")}


def rfc3339(text):
    time = datetime.datetime.fromisoformat(text)
    fraction = f".{time.microsecond:06d}" if time.microsecond % 1000 else f".{time.microsecond // 1000:03d}"
    return time.strftime("%Y-%m-%dT%H:%M:%S") + (fraction if time.microsecond else "") + "Z"


def read_pairs(conninfo, programme, period):
    """(bank, merchant, currency) -> lines in order, each with its key in the journal."""
    banks, merchants, stores = (names(conninfo, table) for table in ("bank", "merchant", "store"))
    pairs = defaultdict(list)
    for row in ask(conninfo, f"""SELECT j.business_date, to_char(j.at, 'YYYY-MM-DD HH24:MI:SS.US'), j.bucket, j.member_id, j.seq,
            j.kind, j.points, j.gross_minor, j.commission_minor, j.currency, j.ref, j.redemption_id, j.bank_no, j.merchant_no,
            j.store_no, j.rules_version, j.terms_version FROM journal j JOIN programme p USING (programme_no)
            WHERE p.programme_id = '{programme}' AND to_char(j.business_date, 'YYYY-MM') = '{period}'"""):
        kind, points, gross, commission = map(int, row[5:9])
        if kind not in (CONFIRM, REVERSE):
            continue
        key = (row[0], row[1], int(row[2]), row[3], int(row[4]))
        line = {"businessDate": row[0], "time": rfc3339(row[1]), "kind": "CONFIRM" if kind == CONFIRM else "REVERSE",
                "redemptionId": f"{row[11]}.{row[3][:4]}", "requestId": row[10], "storeId": stores.get(row[14], ""),
                "points": str(points if kind == CONFIRM else -points), "grossMinor": str(gross),
                "commissionMinor": str(commission), "netMinor": str(gross - commission), "rulesVersion": int(row[15]),
                "termsVersion": int(row[16])}
        pairs[banks[row[12]], merchants[row[13]], row[9]].append((key, line))
    for lines in pairs.values():
        lines.sort(key=lambda entry: entry[0])
    return pairs


def sum_up(lines):
    sums = dict.fromkeys(FIGURES, 0)
    for _, line in lines:
        word = "confirmed" if line["kind"] == "CONFIRM" else "reversed"
        sums[word + "Count"] += 1
        sums[word + "Points"] += abs(int(line["points"]))
        for name in FIGURES[4:]:
            sums[name] += int(line[name])
    return sums


def statements_of(pairs):
    """(type, bank, merchant, currency) -> (totals, number of lines or pairs)."""
    parts = defaultdict(list)
    for (bank, merchant, currency), lines in pairs.items():
        for key in (("PAIR", bank, merchant), ("BANK", bank, ""), ("MERCHANT", "", merchant), ("OPERATOR", "", "")):
            parts[key + (currency,)].append(lines)
    if not pairs:
        parts["OPERATOR", "", "", "XXX"] = []
    return {key: (sum_up(line for lines in several for line in lines),
                  len(several[0]) if key[0] == "PAIR" else len(several)) for key, several in parts.items()}


def money(minor, currency):
    return str(Decimal(int(minor)).scaleb(-DIGITS[currency]).quantize(Decimal(1).scaleb(-DIGITS[currency])))


def harmless(text):
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def csv_bytes(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def tree_root(rows):
    """RFC 9162, 2.1.1, as it is written there."""
    if len(rows) < 2:
        return hashlib.sha256(b"\0" + rows[0] if rows else b"").digest()
    left = 1 << (len(rows) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_root(rows[:left]) + tree_root(rows[left:])).digest()


def rows_root(rows):
    return hashlib.sha256(b"\2" + len(rows).to_bytes(8, "big") + tree_root(rows)).hexdigest()


def pair_csv(currency, lines, totals):
    rows = ["line_number business_date time kind redemption_id request_id store_id points currency gross commission net "
            "rules_version terms_version".split()]
    for number, (_, line) in enumerate(lines, 1):
        rows.append([number, line["businessDate"], line["time"], line["kind"], line["redemptionId"], line["requestId"],
                     harmless(line["storeId"]), line["points"], currency,
                     *(money(line[name], currency) for name in FIGURES[4:]), line["rulesVersion"], line["termsVersion"]])
    rows.append(["TOTAL", *[""] * 6, totals["confirmedPoints"] - totals["reversedPoints"], currency,
                 *(money(totals[name], currency) for name in FIGURES[4:]), "", ""])
    return csv_bytes(rows)


def roll_up_csv(key, totals, pairs):
    def row(bank, merchant, sums):
        return [harmless(bank), harmless(merchant), *(sums[name] for name in FIGURES[:4]), key[3],
                *(money(sums[name], key[3]) for name in FIGURES[4:])]

    rows = ["bank_id merchant_id confirmed_count confirmed_points reversed_count reversed_points currency gross commission "
            "net".split()]
    for bank, merchant, currency in sorted(pairs):
        if currency == key[3] and key[1] in ("", bank) and key[2] in ("", merchant):
            rows.append(row(bank, merchant, sum_up(pairs[bank, merchant, currency])))
    rows.append(row("TOTAL", "", totals))
    return csv_bytes(rows)


class Month:
    def __init__(self, conninfo, folder, programme, period):
        self.conninfo, self.programme, self.period = conninfo, programme, period
        self.folder = pathlib.Path(folder) / programme / period
        self.pairs = read_pairs(conninfo, programme, period)
        self.statements = statements_of(self.pairs)
        self.differences = 0

    def expect(self, what, found, expected):
        if found != expected:
            self.differences += 1
            print(f"{what}: found {found!r:.300}, expected {expected!r:.300}")

    def name(self, key):
        kind, bank, merchant, currency = key
        party = self.programme if kind == "OPERATOR" else "_".join(filter(None, (bank, merchant)))
        return f"{kind.lower()}_{party}_{self.period}_{currency}"

    def statement_id(self, key):
        kind, bank, merchant, currency = key
        return "/".join(filter(None, (self.programme, self.period, kind, bank, merchant, currency)))

    def csv_of(self, key, totals):
        if key[0] == "PAIR":
            return pair_csv(key[3], self.pairs[key[1:]], totals)
        return roll_up_csv(key, totals, self.pairs)

    def check_files(self):
        for key, (totals, count) in self.statements.items():
            name = self.name(key)
            raw = (self.folder / (name + ".csv")).read_bytes()
            self.expect(name + ".csv", raw, self.csv_of(key, totals))
            content = json.loads((self.folder / (name + ".json")).read_text())
            self.expect(name + ".json", content["statement"], {
                "statementId": self.statement_id(key), "programmeId": self.programme, "period": self.period,
                "type": "STATEMENT_TYPE_" + key[0], "bankId": key[1], "merchantId": key[2], "currencyCode": key[3],
                "state": "STATEMENT_STATE_CALCULATED", "totals": {name: str(totals[name]) for name in FIGURES},
                "lineCount": str(count), "contentSha256": hashlib.sha256(raw).hexdigest(),
                "rowsRoot": rows_root(raw.split(b"\r\n")[1:-2])})
            if key[0] == "PAIR":
                self.expect(name + " lines", content["lines"], [{"lineNumber": str(number), **line} for number, (_, line)
                                                                in enumerate(self.pairs[key[1:]], 1)])

    def check_manifest(self):
        manifest = json.loads((self.folder / "manifest.json").read_text())
        listed = {entry["name"]: (int(entry["size"]), entry["sha256"]) for entry in manifest["files"]}
        there = {path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
                 for path in self.folder.iterdir() if path.name != "manifest.json"}
        self.expect("manifest", listed, there)
        self.expect("files", set(there), {self.name(key) + end for key in self.statements for end in (".csv", ".json")})

    def check_stored(self):
        stored = {row[0]: list(map(int, row[1:])) for row in ask(self.conninfo, f"""SELECT statement_id, confirmed_count,
            confirmed_points, reversed_count, reversed_points, gross_minor, commission_minor, net_minor, line_count, octet_length(rows_root) FROM statement
            JOIN programme USING (programme_no) WHERE programme_id = '{self.programme}' AND period = '{self.period}'""")}
        self.expect("stored", stored, {self.statement_id(key): [*(totals[name] for name in FIGURES), count, 32]
                                       for key, (totals, count) in self.statements.items()})
        lines = defaultdict(list)
        for row in ask(self.conninfo, f"""SELECT statement_id, line_number, bucket, member_id, seq FROM statement_line JOIN statement
                USING (statement_no) WHERE period = '{self.period}' ORDER BY 1, 2"""):
            lines[row[0]].append((int(row[1]), int(row[2]), row[3], int(row[4])))
        self.expect("stored lines", dict(lines), {
            self.statement_id(("PAIR", *pair)): [(number, *key[2:]) for number, (key, _) in enumerate(entries, 1)]
            for pair, entries in self.pairs.items()})


def main():
    month = Month(*sys.argv[1:])
    month.check_files()
    month.check_manifest()
    month.check_stored()
    lines = sum(map(len, month.pairs.values()))
    print(f"{len(month.statements)} statements, {lines} lines, {month.differences} differ")
    return month.differences > 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main())
