#!/usr/bin/env python3
"""recompute.py CONNINFO DIR PROGRAMME PERIOD: a period's statements once more, from the journal and the contracts alone.

Reads the journal, the settlement contracts, the approved corrections, the holds of others, and what the statements
before closed with through psql and shares nothing with alliance-settle. Compares every total, line and file of
DIR/PROGRAMME/PERIOD, and every stored statement and line. Prints each difference; exit status 1 when there is one.
"""
import csv
import datetime
import hashlib
import io
import json
import pathlib
import subprocess
import xml.etree.ElementTree
import sys
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import recompute_points

DIGITS = defaultdict(lambda: 2, JPY=0, KRW=0, VND=0, XXX=0, KWD=3, BHD=3)
FIGURES = ("confirmedCount", "confirmedPoints", "reversedCount", "reversedPoints", "grossMinor", "commissionMinor", "netMinor")
CONFIRM, REVERSE = 4, 8
PARTIES = {"BANK": 1, "MERCHANT": 2, "CARRIER": 3, "OPERATOR": 4, "TAX": 5}
KINDS = "? COMMISSION_TIER TAX TAX_ROUNDING PARTNER_FEE FREIGHT CAMPAIGN_SHARE ADJUSTMENT LATE_FEE".split()
ROUNDINGS = {1: floor, 2: ceil, 3: round}  # Python rounds a Fraction half to even


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


DAY, WEEK, MONTH, CUSTOM = 1, 2, 3, 4
ONE_DAY = datetime.timedelta(1)


def kind_of(period):
    return {7: MONTH, 8: WEEK, 10: DAY, 22: CUSTOM, 0: MONTH}[len(period)]


def days_of(period):
    """First and last day."""
    if kind_of(period) == WEEK:
        first = datetime.date.fromisocalendar(int(period[:4]), int(period[6:]), 1)
        return first, first + 6 * ONE_DAY
    if kind_of(period) == MONTH:
        year, month = map(int, period.split("-"))
        return datetime.date(year, month, 1), datetime.date(year + month // 12, month % 12 + 1, 1) - ONE_DAY
    return datetime.date.fromisoformat(period[:10]), datetime.date.fromisoformat(period[-10:])


class Cycles:
    """By which periods everybody is settled: the contract version in force on a day names the period the day is in."""

    def __init__(self, conninfo, programme):
        ids = {PARTIES[kind]: names(conninfo, kind.lower()) for kind in ("BANK", "MERCHANT", "CARRIER")}
        words = {number: kind for kind, number in PARTIES.items()}
        self.versions = defaultdict(list)  # (party, currency) -> [(from, kind, ends)]
        for party, no, currency, start, kind, ends in ask(conninfo, f"""SELECT party, party_no, currency, effective_from, period_kind,
                array_to_string(custom_ends, ' ') FROM settlement_contract JOIN programme USING (programme_no) WHERE
                programme_id = '{programme}' ORDER BY version"""):
            name = ids[int(party)][no] if int(party) in ids else ""
            self.versions[(words[int(party)], name), currency].append(
                (datetime.date.fromisoformat(start), int(kind), list(map(datetime.date.fromisoformat, ends.split()))))

    def name(self, version, day):
        start, kind, ends = version
        if kind == WEEK:
            return "{0}-W{1:02}".format(*day.isocalendar())
        end = next((end for end in ends if end >= day), None)
        if kind == CUSTOM and end:
            before = [one for one in ends if one < end]
            return f"{before[-1] + ONE_DAY if before else start}--{end}"
        return str(day) if kind == DAY else str(day)[:7]

    def period(self, party, currency, day):
        version = [one for one in self.versions.get((party, currency), []) if one[0] <= day]
        return self.name(version[-1], day) if version else str(day)[:7]

    def own(self, party, currency, period):
        """Which version has that very period: the last one; None when there is none."""
        first, last = days_of(period)
        found, versions = None, self.versions.get((party, currency), [])
        for place, version in enumerate(versions):
            until = versions[place + 1][0] - ONE_DAY if place + 1 < len(versions) else datetime.date.max
            if version[0] <= last and until >= first and self.name(version, last) == period:
                found = place
        return found

    def elsewhere(self, party, currency, period):
        """Is it settled by other custom periods?"""
        if kind_of(period) != CUSTOM or party[0] not in ("MERCHANT", "CARRIER"):
            return False
        versions, last = self.versions.get((party, currency), []), days_of(period)[1]
        if any(kind == CUSTOM and self.name((start, kind, ends), last) == period for start, kind, ends in versions if start <= last):
            return False
        return len(self.period(party, currency, last)) == 22


def read_pairs(conninfo, programme, period, cycles):
    """(bank, merchant, currency) -> lines in order, each with its key in the journal."""
    first, last = days_of(period)
    banks, merchants, stores = (names(conninfo, table) for table in ("bank", "merchant", "store"))
    pairs = defaultdict(list)
    for row in ask(conninfo, f"""SELECT j.business_date, to_char(j.at, 'YYYY-MM-DD HH24:MI:SS.US'), j.bucket, j.member_id, j.seq,
            j.kind, j.points, j.gross_minor, j.commission_minor, j.currency, j.ref, j.redemption_id, j.bank_no, j.merchant_no,
            j.store_no, j.rules_version, j.terms_version FROM journal j JOIN programme p USING (programme_no)
            WHERE p.programme_id = '{programme}' AND j.business_date BETWEEN '{first}' AND '{last}'"""):
        kind, points, gross, commission = map(int, row[5:9])
        if kind not in (CONFIRM, REVERSE) or cycles.period(
                ("MERCHANT", merchants[row[13]]), row[9], datetime.date.fromisoformat(row[0])) != period:
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
    """(type, bank, merchant, carrier, currency) -> (totals, number of lines or pairs)."""
    parts = defaultdict(list)
    for (bank, merchant, currency), lines in pairs.items():
        for key in (("PAIR", bank, merchant), ("BANK", bank, ""), ("MERCHANT", "", merchant), ("OPERATOR", "", "")):
            parts[key + ("", currency)].append(lines)
    return {key: (sum_up(line for lines in several for line in lines),
                  len(several[0]) if key[0] == "PAIR" else len(several)) for key, several in parts.items()}


class Posting:
    def __init__(self, kind, giver, taker, amount, currency, bank="", merchant="", refers_to="", note=""):
        if amount < 0:
            giver, taker, amount = taker, giver, -amount
        self.kind, self.giver, self.taker, self.amount, self.currency = kind, giver, taker, amount, currency
        self.bank, self.merchant, self.refers_to, self.note = bank, merchant, refers_to, note

    def seen_by(self, party):
        return self.amount if party == self.taker else -self.amount if party == self.giver else 0


class Books:
    """What contracts, corrections and holds add. A party is (kind, id); OPERATOR and TAX have the id ""."""

    def __init__(self, conninfo, programme, period, pairs, cycles, calendar_version=0):
        self.period, self.pairs, self.cycles = period, pairs, cycles
        self.first, self.last = days_of(period)
        ids = {kind: names(conninfo, kind.lower()) for kind in ("BANK", "MERCHANT", "CARRIER")}

        def party(number, no):
            kind = next(word for word, n in PARTIES.items() if n == int(number))
            return kind, ids[kind][no] if kind in ids else ""

        where = f"programme_no = (SELECT programme_no FROM programme WHERE programme_id = '{programme}')"
        self.calendars = [(int(row[0]), datetime.date.fromisoformat(row[1])) for row in ask(conninfo, f"""SELECT version, effective_from
            FROM calendar WHERE {where} AND version <= {calendar_version}""")]
        self.special = {(int(row[0]), datetime.date.fromisoformat(row[1])): row[2] == "t" for row in ask(conninfo, f"""SELECT version,
            on_date, working FROM holiday WHERE {where}""")}
        self.contracts, newest = {}, defaultdict(list)
        for row in ask(conninfo, f"""SELECT party, party_no, currency, array_to_string(tier_from, ' '), array_to_string(tier_bp, ' '),
                min_payout_minor, hold_back_bp, fee_period_minor, fee_redemption_minor, tax_bp, tax_rounding, tax_bearer,
                residue_limit_minor, payment_days, freight_minor, eligibility FROM settlement_contract WHERE {where} AND effective_from <= '{self.last}'
                ORDER BY version"""):
            tiers = list(zip(map(int, row[3].split()), map(int, row[4].split())))
            newest[party(row[0], row[1]), row[2]].append([tiers, *map(int, row[5:])])
        for key, versions in newest.items():
            own = cycles.own(*key, period)
            # who is settled by other periods: nothing that is asked or kept once a period
            self.contracts[key] = versions[own] if own is not None else [*versions[-1][:1], 0, 0, 0, *versions[-1][4:]]
        self.eligibility = {key: versions[-1][11] for key, versions in newest.items()}
        self.corrections = [Posting(KINDS[int(row[0])], party(row[1], row[2]), party(row[3], row[4]), int(row[5]), row[6],
                                    refers_to=bytes.fromhex(row[7]).decode(), note=bytes.fromhex(row[8]).decode())
                            for row in ask(conninfo, f"""SELECT kind, from_party, from_no, to_party, to_no, amount_minor, currency,
                encode(convert_to(refers_to, 'UTF8'), 'hex'), encode(convert_to(reason, 'UTF8'), 'hex') FROM settlement_correction
                WHERE {where} AND taken_period = '{period}' AND approver NOT IN ('', maker) ORDER BY correction_no""")]
        self.holds = defaultdict(list)
        for row in ask(conninfo, f"""SELECT merchant_no, currency, kind, amount_minor, encode(convert_to(refers_to, 'UTF8'), 'hex')
                , begun_on, release_on, carrier_no, from_period FROM settlement_hold WHERE {where} AND from_period <> '{period}'
                ORDER BY merchant_no, currency, kind, refers_to COLLATE "C", hold_no"""):
            part = (int(row[2]), int(row[3]), bytes.fromhex(row[4]).decode())
            begun, free = map(datetime.date.fromisoformat, row[5:7])
            of = (("MERCHANT", ids["MERCHANT"][row[0]]) if row[0] != "0" else ("CARRIER", ids["CARRIER"][row[7]])), row[1]
            if kind_of(row[8]) != kind_of(period):
                continue
            if begun <= self.last < free:
                self.holds[of].append(part)
            elif part[0] in RELEASED and begun < self.first <= free <= self.last:  # statements before had it: there, and let go
                self.holds[of] += [part, (RELEASED[part[0]], -part[1], part[2])]
        self.facts(conninfo, where, period, ids)
        self.openings = {}
        numbers = {2: "BANK", 3: "MERCHANT", 4: "OPERATOR", 5: "CARRIER", 6: "TAX"}
        for row in ask(conninfo, f"""SELECT type, bank_no, merchant_no, carrier_no, currency, closing_minor FROM statement JOIN
                statement_position USING (statement_no) WHERE {where} AND length(period) = {len(period)} AND
                (last_day, first_day) < ('{self.last}', '{self.first}') ORDER BY last_day, first_day"""):
            kind = numbers[int(row[0])]
            no = next((value for value in row[1:4] if value != "0"), "")
            key = (kind, ids[kind][no] if no else ""), row[4]
            self.openings[key] = int(row[5])
        self.points = {ids["BANK"][no]: page for no, page in
                       recompute_points.read(lambda sql: ask(conninfo, sql), where, self.first, self.last).items()}
        self.post()

    def facts(self, conninfo, where, period, ids):
        """Freight and campaigns, the first postings; what is not delivered, kept."""
        rates = defaultdict(list)
        for row in ask(conninfo, f"""SELECT party_no, currency, effective_from, freight_minor FROM settlement_contract
                WHERE {where} AND party = 3 ORDER BY version"""):
            rates[row[0], row[1]].append((row[2], int(row[3])))
        freight, open_ids = defaultdict(list), {}
        for row in ask(conninfo, f"""SELECT s.id, s.carrier_no, s.merchant_no, g.currency, s.state, s.freight_period,
                to_char((head_at - cut_off_minutes * interval '1 minute') AT TIME ZONE time_zone, 'YYYY-MM-DD'), s.bucket FROM shipment s
                JOIN goods g USING (goods_no) JOIN programme p ON p.programme_no = s.programme_no WHERE s.{where}"""):
            late = row[4] != "6" or row[6] > str(self.last)
            rate = [amount for day, amount in rates[row[1], row[3]] if day <= row[6]]
            if late:
                open_ids[row[7], row[0]] = row[2]
            elif row[5] in ("", period) and rate and rate[-1] and self.here(("CARRIER", ids["CARRIER"][row[1]]), row[3]):
                freight[int(row[1]), int(row[2]), row[3], rate[-1]].append(rate[-1])
        self.first_postings = [Posting("FREIGHT", ("MERCHANT", ids["MERCHANT"][str(merchant)]), ("CARRIER", ids["CARRIER"][str(carrier)]),
                                       sum(amounts), currency, "", ids["MERCHANT"][str(merchant)], note=f"{len(amounts)} delivered at {money(rate, currency)}")
                               for (carrier, merchant, currency, rate), amounts in sorted(freight.items())]
        drawn = defaultdict(int)
        for row in ask(conninfo, f"""SELECT kind, encode(lots, 'hex') FROM journal WHERE {where} AND kind IN (3, 5, 6, 7, 8)
                AND business_date BETWEEN '{self.first}' AND '{self.last}'"""):
            lots = bytes.fromhex(row[1])
            for at in range(0, len(lots), 16):
                points = int.from_bytes(lots[at + 8:at + 16], "big")
                drawn[int.from_bytes(lots[at + 4:at + 8], "big")] += points if row[0] == "3" else -points
        shares = defaultdict(list)
        for row in ask(conninfo, """SELECT f.bank_no, f.funding_no, funding_id, currency, cost_num, cost_den, funder, s.merchant_no, share_bp
                FROM funding f JOIN funding_share s USING (funding_no) ORDER BY f.bank_no, f.funding_no, funder, s.merchant_no"""):
            shares[int(row[0]), int(row[1])].append(row[2:])
        for (bank, funding), parts in shares.items():
            if funding not in drawn:
                continue
            done = bp = 0
            for name, currency, num, den, funder, merchant, share in parts:
                before, bp = bp, bp + int(share)
                cost = round(Fraction(drawn[funding] * int(num), int(den)))
                part = round(Fraction(cost * bp, 10000))
                note = percent(bp) + (" less " + percent(before)) * (before > 0) + f" of {money(cost, currency)} ({drawn[funding]} points at {num}/{den})"
                giver = {"1": None, "2": ("OPERATOR", ""), "3": ("MERCHANT", ids["MERCHANT"].get(merchant))}[funder]
                if giver and part != done and self.here(("BANK", ids["BANK"][str(bank)]), currency):
                    self.first_postings.append(Posting("CAMPAIGN_SHARE", giver, ("BANK", ids["BANK"][str(bank)]), part - done, currency,
                                                       ids["BANK"][str(bank)], ids["MERCHANT"].get(merchant, ""), name, note))
                done = part
        undelivered = defaultdict(dict)
        wanted = {key[0][1]: key[1] for key, eligible in self.eligibility.items() if key[0][0] == "MERCHANT" and eligible == 2}
        for row in ask(conninfo, f"""SELECT bucket, redemption_id, merchant_no, currency, gross_minor - commission_minor, business_date FROM journal
                WHERE {where} AND kind IN (4, 8) AND business_date <= '{self.last}'"""):
            merchant = ids["MERCHANT"][row[2]]
            of = ("MERCHANT", merchant), row[3]
            if kind_of(self.cycles.period(*of, datetime.date.fromisoformat(row[5]))) != kind_of(period):
                continue
            if (row[0], row[1]) in open_ids and wanted.get(merchant) == row[3]:
                nets = undelivered[merchant, row[3]]
                nets[row[1]] = nets.get(row[1], 0) + int(row[4])
        for key, nets in undelivered.items():
            if sum(nets.values()):
                self.holds[("MERCHANT", key[0]), key[1]].append((3, sum(nets.values()), f"{len(nets)} orders"))

    def here(self, party, currency):
        """Is the party settled by this period on its last day?"""
        return self.cycles.period(party, currency, self.last) == self.period

    def post(self):
        self.postings = list(self.first_postings)
        known = {((kind, name), currency) for bank, merchant, currency in self.pairs
                 for kind, name in (("BANK", bank), ("MERCHANT", merchant), ("OPERATOR", ""))}
        with_money = {bank for bank, _, currency in self.pairs if self.here(("BANK", bank), currency)}
        known |= {(("BANK", bank), page.currency) for bank, page in self.points.items()
                  if bank not in with_money and self.here(("BANK", bank), page.currency) and (page.opening or page.closing or any(page.counts.values()))}
        known |= {key for key in {key for key, closing in self.openings.items() if closing} | set(self.holds)
                  if not self.cycles.elsewhere(*key, self.period)}
        known |= {key for key, contract in self.contracts.items() if contract[3]}
        # in order of the statements: by type, then id, then currency
        for (party, currency) in sorted(known, key=lambda key: (STATEMENT_ORDER.index(key[0][0]), key[0][1], key[1])):
            if (party, currency) in self.contracts:
                self.charge(party, currency, self.contracts[party, currency])
        self.postings += self.corrections
        known |= {(party, posting.currency) for posting in self.postings for party in (posting.giver, posting.taker)}
        self.known = known | {(("OPERATOR", ""), currency) for _, currency in known}

    def charge(self, party, currency, contract):
        tiers, _, _, per_period, per_redemption, tax_bp, rounding, bearer, limit, _, _, _ = contract
        operator, tax = ("OPERATOR", ""), ("TAX", "")
        merchant = party[1] if party[0] == "MERCHANT" else ""
        mine = {pair: sum_up(lines) for pair, lines in sorted(self.pairs.items())
                if pair[2] == currency and (party[0] == "MERCHANT" and pair[1] == party[1] or party[0] == "BANK" and pair[0] == party[1])}
        bases = {pair[0]: totals["commissionMinor"] for pair, totals in mine.items()} if merchant else {}
        reached = [bp for start, bp in tiers if start <= sum(totals["grossMinor"] for totals in mine.values())]
        gross = done = 0
        for (bank, _, _), totals in mine.items() if reached else ():
            gross += totals["grossMinor"]
            whole = round(Fraction(gross * reached[-1], 10000))
            difference, before, done = whole - done - totals["commissionMinor"], done, whole
            bases[bank] += difference
            note = f"{percent(reached[-1])} of {money(gross, currency)} = {money(whole, currency)}, "
            note += f"less {money(before, currency)} of the banks before, " * (before != 0) + f"less {money(totals['commissionMinor'], currency)} charged"
            self.add(Posting("COMMISSION_TIER", party, operator, difference, currency, bank, merchant, note=note))
        count = sum(totals["confirmedCount"] for totals in mine.values())
        bank = party[1] if party[0] == "BANK" else ""
        self.add(Posting("PARTNER_FEE", party, operator, per_period, currency, bank, merchant, note="for the period"))
        self.add(Posting("PARTNER_FEE", party, operator, count * per_redemption, currency, bank, merchant, note=f"{count} redemptions at {money(per_redemption, currency)}"))
        if merchant and tax_bp:
            payer = party if bearer == PARTIES["MERCHANT"] else operator
            bases[""] = per_period + count * per_redemption
            taxes = {bank: ROUNDINGS[rounding](Fraction(base * tax_bp, 10000)) for bank, base in bases.items()}
            for bank, amount in taxes.items():
                note = f"{percent(tax_bp)} of {money(bases[bank], currency)}, rounded {('down', 'up', 'half to even')[rounding - 1]}"
                self.add(Posting("TAX", payer, tax, amount, currency, bank, merchant, note=note))
            whole = ROUNDINGS[rounding](Fraction(sum(bases.values()) * tax_bp, 10000))
            residue = whole - sum(taxes.values())
            assert abs(residue) <= limit
            note = f"{percent(tax_bp)} of {money(sum(bases.values()), currency)} = {money(whole, currency)}, less {money(sum(taxes.values()), currency)} above"
            self.add(Posting("TAX_ROUNDING", payer, tax, residue, currency, "", merchant, note=note))

    def add(self, posting):
        if posting.amount:
            self.postings.append(posting)

    def business_day(self, day):
        """The day, or the first business day after it, by the newest version that had begun on each."""
        while True:
            version = max((version for version, begins in self.calendars if begins <= day), default=0)
            if version == 0 or self.special.get((version, day), day.weekday() < 5):
                return day
            day += datetime.timedelta(1)

    def position(self, party, currency, movement):
        contract = self.contracts.get((party, currency))
        keeps = self.holds.get((party, currency), [])
        if contract and movement > 0 and contract[2] and movement * contract[2] // 10000:
            keeps = keeps + [(1, movement * contract[2] // 10000, self.period)]
        opening = self.openings.get((party, currency), 0)
        held, disputed = (sum(amount for kind, amount, _ in keeps if (kind in (2, 4)) == contested) for contested in (False, True))
        free = opening + movement - held - disputed
        pays = party[0] in ("BANK", "OPERATOR") if free < 0 else free >= (contract[1] if contract else 0)
        payable = free if pays else 0
        if free < 0 and party[0] in ("MERCHANT", "CARRIER") and kind_of(self.cycles.period(party, currency, self.last)) != kind_of(self.period):
            payable = max(free, min(0, opening + movement))  # no later period of the kind would set it off
        due = self.business_day(self.last + datetime.timedelta(contract[9] if contract else 15))
        return {"openingMinor": opening, "movementMinor": movement, "payableMinor": payable, "closingMinor": opening + movement - payable,
                "carriedMinor": free - payable, "heldBackMinor": held, "disputedMinor": disputed, "dueDate": str(due)}, keeps


PARTS = {1: "HELD_BACK", 2: "DISPUTED", 3: "UNDELIVERED", 4: "DISPUTE_RELEASED", 5: "HELD_BACK_RELEASED"}
RELEASED = {1: 5, 2: 4}
STATEMENT_ORDER = ["PAIR", "BANK", "MERCHANT", "OPERATOR", "CARRIER", "TAX"]


def money(minor, currency):
    return str(Decimal(int(minor)).scaleb(-DIGITS[currency]).quantize(Decimal(1).scaleb(-DIGITS[currency])))


def percent(bp):
    return f"{int(bp) // 100}.{int(bp) % 100:02} %"


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


def camt_balances(path):
    """Opening balance, and what its entries lead to: the closing balance must say the same."""
    space = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"

    def minor(element):
        digits = int(element.find(space + "Amt").text.replace(".", ""))
        return digits if element.find(space + "CdtDbtInd").text == "CRDT" else -digits

    statement = xml.etree.ElementTree.parse(path).getroot().find(f"{space}BkToCstmrStmt/{space}Stmt")
    balances = {balance.find(f"{space}Tp/{space}CdOrPrtry/{space}Cd").text: minor(balance)
                for balance in statement.findall(space + "Bal")}
    end = balances["OPBD"] + sum(minor(entry) for entry in statement.findall(space + "Ntry"))
    return (balances["OPBD"], end) if end == balances["CLBD"] else balances


def pair_csv(currency, lines, totals, statement_number):
    rows = ["line_number business_date time kind redemption_id request_id store_id points currency gross commission net "
            "rules_version terms_version".split()]
    for number, (_, line) in enumerate(lines, 1):
        rows.append([number, line["businessDate"], line["time"], line["kind"], line["redemptionId"], line["requestId"],
                     harmless(line["storeId"]), line["points"], currency,
                     *(money(line[name], currency) for name in FIGURES[4:]), line["rulesVersion"], line["termsVersion"]])
    rows.append(["TOTAL", statement_number, *[""] * 5, totals["confirmedPoints"] - totals["reversedPoints"], currency,
                 *(money(totals[name], currency) for name in FIGURES[4:]), "", ""])
    return csv_bytes(rows)


def movement_of(key, totals):
    return {"BANK": -totals["grossMinor"], "MERCHANT": totals["netMinor"], "OPERATOR": totals["commissionMinor"]}.get(key[0], 0)


def roll_up_csv(key, number, totals, pairs, books, position, keeps):
    currency, party = key[4], (key[0], key[1] or key[2] or key[3])

    def row(bank, merchant, sums, entry, amount, kept):
        return [harmless(bank), harmless(merchant), *(sums[name] for name in FIGURES[:4]), currency,
                *(money(sums[name], currency) for name in FIGURES[4:]), entry, "", money(amount, currency), kept]

    def moved(entry, amount, bank="", merchant="", text="", kept=False):
        value = money(amount, currency)
        return [harmless(bank), harmless(merchant), *[""] * 4, currency, *[""] * 3, entry, harmless(text), *(("", value) if kept else (value, ""))]

    rows = ["bank_id merchant_id confirmed_count confirmed_points reversed_count reversed_points currency gross commission "
            "net entry refers_to amount kept".split(), moved("OPENING", position["openingMinor"])]
    for bank, merchant, currency_ in sorted(pairs):
        if currency_ == currency and key[1] in ("", bank) and key[2] in ("", merchant) and key[0] in STATEMENT_ORDER[1:4]:
            sums = sum_up(pairs[bank, merchant, currency])
            rows.append(row(bank, merchant, sums, "PAIR", movement_of(key, sums), ""))
    for posting in books.postings:
        if posting.currency == currency and posting.seen_by(party):
            rows.append(moved(posting.kind, posting.seen_by(party), posting.bank, posting.merchant, posting.refers_to or posting.note))
    rows.append(moved("PAYABLE", -position["payableMinor"]))
    if position["carriedMinor"]:
        rows.append(moved("CARRIED", position["carriedMinor"], kept=True))
    for kind, amount, text in keeps:
        rows.append(moved(PARTS[kind], amount, text=text, kept=True))
    closing = money(position["closingMinor"], currency)
    rows.append(row("TOTAL", number, totals, "CLOSING", position["closingMinor"], closing))
    return csv_bytes(rows)


class Month:
    def __init__(self, conninfo, folder, programme, period):
        self.conninfo, self.programme, self.period = conninfo, programme, period
        self.folder = pathlib.Path(folder) / programme / period
        cycles = Cycles(conninfo, programme)
        self.pairs = read_pairs(conninfo, programme, period, cycles)
        first, last = days_of(period)
        goods = [[bytes.fromhex(text).decode() for text in row[:2]] + row[2:4] + [bytes.fromhex(row[4]).decode()] + row[5:] for row in ask(
            conninfo, f"""SELECT encode(convert_to(bank_id, 'UTF8'), 'hex'), encode(convert_to(merchant_id, 'UTF8'), 'hex'), j.merchant_no,
            j.currency, encode(convert_to(goods_id, 'UTF8'), 'hex'), j.kind, j.points, j.gross_minor, j.commission_minor, j.business_date FROM journal j
            JOIN programme p ON p.programme_no = j.programme_no JOIN bank b ON b.bank_no = j.bank_no JOIN merchant m ON m.merchant_no =
            j.merchant_no JOIN redemption r ON r.bucket = j.bucket AND r.id = j.redemption_id JOIN goods g ON g.goods_no = r.goods_no AND g.merchant_no = j.merchant_no WHERE
            p.programme_id = '{programme}' AND j.business_date BETWEEN '{first}' AND '{last}' AND j.kind IN (4, 8)""")]
        self.goods = [row[:9] for row in goods
                      if cycles.period(("MERCHANT", row[1]), row[3], datetime.date.fromisoformat(row[9])) == period]
        self.statements = statements_of(self.pairs)
        calendar = json.loads((self.folder / "manifest.json").read_text()).get("calendarVersion", 0)
        self.books = Books(conninfo, programme, period, self.pairs, cycles, calendar)
        nothing = dict.fromkeys(FIGURES, 0)
        for (kind, name), currency in self.books.known or {(("OPERATOR", ""), "XXX")}:
            key = (kind, *(name if kind == word else "" for word in ("BANK", "MERCHANT", "CARRIER")), currency)
            self.statements.setdefault(key, (nothing, 0))
        self.positions = {}
        for key, (totals, _) in self.statements.items():
            if key[0] != "PAIR":
                party = (key[0], key[1] or key[2] or key[3])
                moved = movement_of(key, totals) + sum(posting.seen_by(party) for posting in self.books.postings
                                                       if posting.currency == key[4])
                self.positions[key] = self.books.position(party, key[4], moved)
        self.numbers = self.count_statements()
        self.differences = 0

    def count_statements(self):
        """Statement numbers: each party goes on from its statements of periods calculated before, by currency."""
        no = {table: {name: number for number, name in names(self.conninfo, table).items()}
              for table in ("programme", "bank", "merchant", "carrier")}
        drawn = defaultdict(int, {party: int(count) for party, count in ask(self.conninfo, f"""SELECT party, count(*) FROM
            statement_number n JOIN programme USING (programme_no) WHERE programme_id = '{self.programme}' AND
            number < (SELECT min(number) FROM statement_number o WHERE o.party = n.party AND o.programme_no = n.programme_no AND
            o.period = '{self.period}') GROUP BY party""")})
        numbers = {}
        for key in sorted(self.statements, key=lambda key: key[4]):
            of = [no[table][name] for table, name in zip(("bank", "merchant", "carrier"), key[1:4]) if name]
            party = key[0][0] + ".".join(of or [no["programme"][self.programme]])
            drawn[party] += 1
            numbers[key] = f"{party}-{drawn[party]:06}"
        return numbers

    def expect(self, what, found, expected):
        if found != expected:
            self.differences += 1
            print(f"{what}: found {found!r:.300}, expected {expected!r:.300}")

    def name(self, key):
        kind, bank, merchant, carrier, currency = key
        party = self.programme if kind in ("OPERATOR", "TAX") else "_".join(filter(None, (bank, merchant, carrier)))
        return f"{kind.lower()}_{party}_{self.period}_{currency}"

    def statement_id(self, key):
        return "/".join(filter(None, (self.programme, self.period, *key)))

    def csv_of(self, key, totals):
        if key[0] == "PAIR":
            return pair_csv(key[4], self.pairs[key[1], key[2], key[4]], totals, self.numbers[key])
        return roll_up_csv(key, self.numbers[key], totals, self.pairs, self.books, *self.positions[key])

    def check_files(self):
        for key, (totals, count) in self.statements.items():
            name = self.name(key)
            raw = (self.folder / (name + ".csv")).read_bytes()
            self.expect(name + ".csv", raw, self.csv_of(key, totals))
            content = json.loads((self.folder / (name + ".json")).read_text())
            more = {"carrierId": key[3], "position": {word: value if word == "dueDate" else str(value) for word, value in
                                                      self.positions[key][0].items()}} if key in self.positions else {}
            self.expect(name + ".json", content["statement"], {
                "statementId": self.statement_id(key), "statementNumber": self.numbers[key], "programmeId": self.programme, "period": self.period,
                "type": "STATEMENT_TYPE_" + key[0], "bankId": key[1], "merchantId": key[2], "currencyCode": key[4],
                "state": "STATEMENT_STATE_CALCULATED", "totals": {name: str(totals[name]) for name in FIGURES},
                "lineCount": str(count), "contentSha256": hashlib.sha256(raw).hexdigest(),
                "rowsRoot": rows_root(raw.split(b"\r\n")[1:-2]), **more})
            self.expect(name + " goods", content.get("goods", []), self.goods_of(key))
            if key[0] == "PAIR":
                self.expect(name + " lines", content["lines"], [{"lineNumber": str(number), **line} for number, (_, line)
                                                                in enumerate(self.pairs[key[1], key[2], key[4]], 1)])
            else:
                party = (key[0], key[1] or key[2] or key[3])
                self.expect(name + " postings", [(one["kind"], int(one["amountMinor"]), one["note"]) for one in content["postings"]], [
                    ("POSTING_KIND_" + one.kind, one.seen_by(party), one.note) for one in self.books.postings
                    if one.currency == key[4] and one.seen_by(party)])
                self.expect(name + " kept", [(one["kind"], one["refersTo"], int(one["amountMinor"])) for one in content.get("kept", [])],
                            [("POSITION_PART_KIND_" + PARTS[kind], text, amount) for kind, amount, text in self.positions[key][1]])
                if key[0] == "BANK":
                    self.check_points(key, name, content.get("points"))
                position = self.positions[key][0]
                self.expect(name + " camt.053", camt_balances(self.folder / (name + ".camt053.xml")),
                            (int(position["openingMinor"]), int(position["closingMinor"])))

    def goods_of(self, key):
        """Sums by good, in order of merchant and good."""
        goods = defaultdict(lambda: dict.fromkeys(FIGURES, 0))
        for bank, merchant, merchant_no, currency, good, kind, points, gross, commission in self.goods:
            if key[0] in STATEMENT_ORDER[:4] and currency == key[4] and key[1] in ("", bank) and key[2] in ("", merchant):
                sums, word = goods[int(merchant_no), good], "confirmed" if int(kind) == CONFIRM else "reversed"
                for name, value in ((word + "Count", 1), (word + "Points", points), ("grossMinor", gross),
                                    ("commissionMinor", commission), ("netMinor", int(gross) - int(commission))):
                    sums[name] += int(value)
        return [{"goodsId": good, **{name: str(sums[name]) for name in FIGURES}} for (_, good), sums in sorted(goods.items())]

    def check_points(self, key, name, listed):
        if not self.books.here(("BANK", key[1]), key[4]):
            self.expect(name + " points", bool(listed), False)
            return
        page = self.books.points.get(key[1]) or recompute_points.Page(self.books.last)
        rows = page.rows(key[4])
        expected = ["part item funding_id from_days to_days entries points rate currency amount".split()]
        for part, item, funding, start, end, entries, points, num, den, currency, amount in rows:
            expected.append([part, item, harmless(funding), start, end or "", entries, points, f"{num}/{den}" if den else "", currency,
                             money(amount, currency) if currency else ""])
        expected.append(["TOTAL", self.numbers[key], *[""] * 4, page.closing, "", "", ""])
        self.expect(name + ".points.csv", (self.folder / (name + ".points.csv")).read_bytes(), csv_bytes(expected))
        self.expect(name + " points", [tuple(row.values()) for row in listed], [
            (part, item, funding, start or 0, end or 0, str(entries or 0), str(points), str(num or 0), str(den or 0), currency, str(amount))
            for part, item, funding, start, end, entries, points, num, den, currency, amount in rows])

    def check_manifest(self):
        manifest = json.loads((self.folder / "manifest.json").read_text())
        listed = {entry["name"]: (int(entry["size"]), entry["sha256"]) for entry in manifest["files"]}
        there = {path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
                 for path in self.folder.iterdir() if path.name != "manifest.json"}
        self.expect("manifest", listed, there)
        self.expect("files", set(there), {
            self.name(key) + end for key in self.statements
            for end in (".csv", ".json", ".pdf", ".camt053.xml", ".points.csv")
            if (key[0] != "PAIR" or end != ".camt053.xml") and (key[0] == "BANK" and self.books.here(("BANK", key[1]), key[4]) or end != ".points.csv")})

    def check_ties(self):
        """In each currency: what the banks owe is what all others are owed, in movements and in what was paid or stays."""
        for currency in {key[4] for key in self.positions}:
            for word in ("movementMinor",):
                self.expect(f"{word} of {currency}", sum(position[word] for key, (position, _) in self.positions.items() if key[4] == currency), 0)

    def check_stored(self):
        postings = [[int(row[0]), row[1], int(row[2]), row[3]] for row in ask(self.conninfo, f"""SELECT posting_no, kind, amount_minor,
            currency FROM settlement_posting JOIN programme USING (programme_no) WHERE programme_id = '{self.programme}' AND
            period = '{self.period}' ORDER BY posting_no""")]
        self.expect("stored postings", postings, [[number, str(KINDS.index(one.kind)), one.amount, one.currency]
                                                  for number, one in enumerate(self.books.postings, 1)])
        stored = {row[0]: list(map(int, row[1:])) for row in ask(self.conninfo, f"""SELECT statement_id, opening_minor, movement_minor,
            payable_minor, closing_minor, carried_minor, held_back_minor, disputed_minor FROM statement_position JOIN statement
            USING (statement_no) JOIN programme USING (programme_no) WHERE programme_id = '{self.programme}' AND period = '{self.period}'""")}
        self.expect("stored positions", stored, {self.statement_id(key): list(position.values())[:7]
                                                 for key, (position, _) in self.positions.items()})
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
            self.statement_id(("PAIR", *pair[:2], "", pair[2])): [(number, *key[2:]) for number, (key, _) in enumerate(entries, 1)]
            for pair, entries in self.pairs.items()})


def main():
    month = Month(*sys.argv[1:])
    month.check_files()
    month.check_manifest()
    month.check_stored()
    month.check_ties()
    lines = sum(map(len, month.pairs.values()))
    print(f"{len(month.statements)} statements, {lines} lines, {month.differences} differ")
    return month.differences > 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(main())
