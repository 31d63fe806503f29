"""A bank's points page once more, from the journal alone: roll-forward, lots by age, breakage, drawn credit by age.

read() tells what each bank's points were at the end of a period; Page.rows() gives the rows of its page as tuples in the
order of the files. Shares nothing with alliance-settle.
"""
import datetime
import itertools
from collections import defaultdict
from fractions import Fraction

# kind of entry -> (line of the roll-forward, what a point of it does to available less credit, held, pending)
KINDS = {
    1: ("WITHIN", 0, 0, 0), 2: ("ISSUED", 1, 0, 0), 3: ("WITHIN", -1, 1, 0), 4: ("REDEEMED", 0, -1, 0),
    5: ("WITHIN", 1, -1, 0), 6: ("WITHIN", 1, -1, 0), 7: ("WITHIN", 1, -1, 0), 8: ("REVERSED", 1, 0, 0),
    9: ("EXPIRED", -1, 0, 0), 10: ("FORFEITED", -1, 0, 0), 11: ("ISSUED", 0, 0, 1), 12: ("WITHIN", 1, 0, -1),
    13: ("CLAWED_BACK", -1, 0, 0), 14: ("CLAWED_BACK", 0, 0, -1), 15: ("ADJUSTED", 1, 0, 0), 16: ("ADJUSTED", -1, 0, 0),
    17: ("TRANSFERRED_OUT", -1, 0, 0), 18: ("TRANSFERRED_IN", 1, 0, 0), 19: ("TRANSFERRED_IN", 1, 0, 0),
    20: ("REINSTATED", 1, 0, 0), 21: ("CLOSED", -1, 0, 0), 22: ("CLOSED", 0, 0, -1), 23: ("TRANSFERRED_OUT", 0, 0, -1),
    24: ("TRANSFERRED_IN", 0, 0, 1), 25: ("TRANSFERRED_OUT", 1, 0, 0), 26: ("TRANSFERRED_IN", -1, 0, 0),
    27: ("CLOSED", 1, 0, 0), 28: ("CLOSED", 0, 0, 1)}
LINES = ("ISSUED CLAWED_BACK ADJUSTED REDEEMED REVERSED EXPIRED FORFEITED REINSTATED CLOSED TRANSFERRED_OUT "
         "TRANSFERRED_IN WITHIN").split()
LAPSES = ("EXPIRED", "FORFEITED", "CLOSED", "REINSTATED")
MAKES_LOTS, RETURNS_LOTS, TAKES_LOTS = {2, 12, 15, 20}, {5, 6, 7, 8, 18, 19, 27}, {3, 9, 10, 13, 16, 17, 21}
GIVES_CREDIT_BACK = {5, 6, 7, 8}
LOT_DAYS, DRAWN_DAYS = (0, 31, 91, 181, 366), (0, 31, 61, 91, 181, 366)
UNKNOWN = ("", "", None)  # a funding that is not registered
EPOCH = datetime.date(1970, 1, 1)
YEAR = datetime.timedelta(365)


def age_class(days, firsts):
    return sum(first <= max(days, 0) for first in firsts) - 1


def ages(firsts):
    return list(zip(firsts, [first - 1 for first in firsts[1:]] + [0]))


def lots_of(text):
    packed = bytes.fromhex(text)
    for at in range(0, len(packed), 16):
        expires, funding, points = (int.from_bytes(packed[at + a:at + b], "big") for a, b in ((0, 4), (4, 8), (8, 16)))
        yield EPOCH + datetime.timedelta(expires), funding, points


class Page:
    def __init__(self, last):
        self.last = last
        self.opening = self.closing = 0
        self.parts = [0, 0, 0]
        self.lines, self.counts, self.year = defaultdict(int), defaultdict(int), defaultdict(int)
        self.layers = defaultdict(list)  # (funding, expires) -> [[day earned, points]], oldest first
        self.lapsed = defaultdict(int)   # by funding, in the period
        self.drawn = [0] * len(DRAWN_DAYS)
        self.costs, self.rates, self.currency = {}, {}, "XXX"

    def count(self, day, first, kind, points):
        line, *effects = KINDS[kind]
        effect = sum(effects)
        self.closing += effect * points
        self.parts = [part + sign * points for part, sign in zip(self.parts, effects)]
        if day > self.last - YEAR and (line in LAPSES or line in ("REDEEMED", "REVERSED")):
            self.year[line] -= effect * points
        if day < first:
            self.opening += effect * points
        else:
            self.lines[line] += effect * points
            self.counts[line] += 1

    def move(self, day, key, issued, taken):
        layers = self.layers[key]
        if issued or not layers:
            layers.append([day, issued])
        if taken < 0:
            layers[0][1] -= taken
        for layer in layers[:-1]:
            part = min(max(taken, 0), layer[1])
            layer[1] -= part
            taken -= part if taken > 0 else 0
        if taken > 0:
            layers[-1][1] -= taken
        self.layers[key] = [layer for layer in layers if layer[1]]

    def live(self):
        """Points by (funding, class of age), and those past their date."""
        live, past = defaultdict(int), 0
        for (funding, expires), layers in self.layers.items():
            for earned, points in layers:
                if expires <= self.last:
                    past += points
                else:
                    live[funding, age_class((self.last - earned).days, LOT_DAYS)] += points
        return live, past

    def cost(self, funding, currency):
        """(currency, rate) of a funding's points, or of the bank's own."""
        if funding:
            return self.costs.get(funding, UNKNOWN)[1:]
        return (currency, self.rates[currency]) if currency in self.rates else ("", None)

    def costed(self, part, item, funding, points, currency, span=("", "")):
        cost, rate = self.cost(funding, currency)
        amount = round(Fraction(points * rate[0], rate[1])) if cost else 0
        return (part, item, self.costs.get(funding, UNKNOWN)[0] if funding else "", *span, "", points, *(rate or ("", "")), cost, amount)

    def rows(self, currency):
        def plain(part, item, points, entries=""):
            return (part, item, "", "", "", entries, points, "", "", "", 0)

        live, past = self.live()
        lots, drawn = sum(live.values()), sum(self.drawn)
        spendable, held, pending = self.parts
        rest = spendable - lots - past + drawn
        rows = [plain("ROLL_FORWARD", "OPENING", self.opening)]
        rows += [plain("ROLL_FORWARD", line, self.lines[line], self.counts[line]) for line in LINES]
        rows.append(plain("ROLL_FORWARD", "CLOSING", self.closing))
        assert self.opening + sum(self.lines.values()) == self.closing == spendable + held + pending
        rows += [plain("OUTSTANDING", "LOTS", lots), plain("OUTSTANDING", "PAST_NOT_BOOKED", past)]
        rows += [plain("OUTSTANDING", "NOT_IN_LOTS", rest)] if rest else []
        rows += [plain("OUTSTANDING", "HELD", held), plain("OUTSTANDING", "PENDING", pending),
                 plain("OUTSTANDING", "DRAWN_CREDIT", -drawn), plain("OUTSTANDING", "CLOSING", self.closing)]
        fundings = sorted({0, *(funding for funding, _ in self.layers), *self.lapsed})
        owed = [self.costed("LIABILITY", "LOTS", funding, live[funding, age], currency, span) for funding in fundings
                for age, span in enumerate(ages(LOT_DAYS)) if live[funding, age]]
        owed += [self.costed("LIABILITY", item, 0, points, currency)
                 for item, points in (("NOT_IN_LOTS", rest), ("HELD", held), ("PENDING", pending)) if points]
        rows += owed + [("LIABILITY", "TOTAL", "", "", "", "", sum(row[6] for row in owed), "", "", currency,
                         sum(row[10] for row in owed if row[9] == currency))]
        year_lapsed, year_left = sum(self.year[line] for line in LAPSES), sum(self.year.values())
        for funding in fundings:
            lapsed = self.lapsed[funding]
            if not funding:
                lapsed = -sum(self.lines[line] for line in LAPSES) - sum(value for no, value in self.lapsed.items() if no)
            if lapsed:
                rows.append(self.costed("BREAKAGE", "REALISED", funding, lapsed, currency))
            of_fund = sum(points for (no, _), points in live.items() if no == funding)
            expected = round(Fraction(of_fund * year_lapsed, year_left)) if 0 < year_lapsed <= year_left else 0
            if expected:
                rows.append(self.costed("BREAKAGE", "EXPECTED", funding, expected, currency))
        if year_left > 0:
            rows.append(("BREAKAGE", "EXPECTED_RATE", "", "", "", "", 0, year_lapsed, year_left, "", 0))
        rows += [("DRAWN_CREDIT", "DRAWN", "", *span, "", points, "", "", "", 0)
                 for span, points in zip(ages(DRAWN_DAYS), self.drawn) if points]
        return rows + [plain("DRAWN_CREDIT", "TOTAL", drawn)]


def follow_credit(drawn, day, used, gives_back):
    """drawn: [[day, points]], oldest first, of one member; made to add up to what is used."""
    more = used - sum(points for _, points in drawn)
    if more > 0:
        if drawn and drawn[-1][0] == day:
            drawn[-1][1] += more
        else:
            if len(drawn) == 16:
                drawn[:2] = [[drawn[0][0], drawn[0][1] + drawn[1][1]]]
            drawn.append([day, more])
    while more < 0:
        one = drawn[-1 if gives_back else 0]
        part = min(one[1], -more)
        one[1] -= part
        more += part
        if not one[1]:
            drawn.remove(one)


def read(ask, where, first, last):
    """bank_no -> Page, of each bank that has a journal. where: the programme's condition."""
    pages = defaultdict(lambda: Page(last))
    credit = defaultdict(list)
    entries = [(datetime.date.fromisoformat(row[0]), *row[1:]) for row in ask(
        f"""SELECT business_date, bank_no, bucket, member_id, seq, kind, points, credit_used_after, encode(lots, 'hex')
        FROM journal WHERE {where} AND business_date <= '{last}' ORDER BY business_date, bucket, member_id, seq""")]
    for day, of_day in itertools.groupby(entries, lambda entry: entry[0]):
        moved = defaultdict(lambda: [0, 0])
        for _, bank, bucket, member, _, kind, points, used, lots in of_day:
            kind = int(kind)
            pages[bank].count(day, first, kind, int(points))
            follow_credit(credit[bank, bucket, member], day, int(used), kind in GIVES_CREDIT_BACK)
            for expires, funding, of_lot in lots_of(lots):
                issued, taken = moved[bank, funding, expires]
                sign = 1 if kind in TAKES_LOTS else -1 if kind in RETURNS_LOTS else 0
                moved[bank, funding, expires] = [issued + (kind in MAKES_LOTS) * of_lot, taken + sign * of_lot]
                if day >= first and kind in (9, 21, 20, 27):
                    pages[bank].lapsed[funding] += -of_lot if kind in (20, 27) else of_lot
        for (bank, funding, expires), (issued, taken) in moved.items():
            pages[bank].move(day, (funding, expires), issued, taken)
    for (bank, _, _), drawn in credit.items():
        for day, points in drawn:
            pages[bank].drawn[age_class((last - day).days, DRAWN_DAYS)] += points
    for bank, page in pages.items():
        page.layers = {key: layers for key, layers in page.layers.items() if layers}
        page.lapsed = defaultdict(int, {funding: points for funding, points in page.lapsed.items() if points})
        page.costs = {int(row[0]): (row[1], row[2], (int(row[3]), int(row[4]))) for row in ask(
            f"SELECT funding_no, funding_id, currency, cost_num, cost_den FROM funding")}
        page.rates = {row[0]: (int(row[1]), int(row[2])) for row in ask(
            f"""SELECT currency, settlement_num, settlement_den FROM exchange_rate WHERE bank_no = {bank} AND version =
            (SELECT max(version) FROM exchange_rules JOIN bank USING (bank_no) JOIN programme USING (programme_no) WHERE bank_no
            = {bank} AND NOT cancelled AND effective_from < ('{last}'::date + 1)::timestamp AT TIME ZONE time_zone +
            cut_off_minutes * interval '1 minute')""")}
        before = ask(f"""SELECT currency FROM statement WHERE {where} AND type = 2 AND bank_no = {bank} AND last_day < '{first}'
            ORDER BY last_day DESC, currency COLLATE "C" LIMIT 1""")
        page.currency = before[0][0] if before else min(page.rates, default="XXX")
    return pages
