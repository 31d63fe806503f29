"""What the demo's members and merchants do, day by day: ops/decisions/0002-demo-rule.md acted out.

Pure: baskets, members and stores in; the rows of each day out. Points are whole, money is in minor units, and there
is no floating point. The checker in tests/settlement shares nothing with this file.
"""
import collections
import dataclasses
import datetime
import hashlib

DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Rules:
    """One version of a bank's exchange rules; ratios are (num, den)."""
    start: datetime.date
    accrual: tuple
    conversion: tuple
    settlement: tuple
    minimum: int
    months: int
    grace: int


@dataclasses.dataclass(frozen=True)
class Programme:
    """A data set's frame: its calendar, its banks and the one good."""
    name: str
    zone: str
    utc_offset: int  # hours the zone is ahead of UTC, all year round
    currency: str
    first: datetime.date
    last: datetime.date
    spending_bank: str
    credit_bank: str  # or ""
    rules: dict       # bank -> [Rules], oldest first
    terms_change: datetime.date
    good_bank: str
    good_day: datetime.date
    good_price: int


DATE = datetime.date.fromisoformat
DEMO = Programme(
    "demo", "Asia/Shanghai", 8, "CNY", DATE("2026-01-01"), DATE("2026-01-31"), "harbour", "",
    {"harbour": [Rules(DATE("2026-01-01"), (1, 20), (2, 1), (1, 2), 20, 12, 30),
                 Rules(DATE("2026-01-16"), (3, 50), (21, 10), (9, 20), 30, 12, 30)]},
    DATE("2026-01-11"), "harbour", DATE("2026-01-20"), 4900)
REAL = Programme(
    "real", "UTC", 0, "USD", DATE("2017-01-01"), DATE("2017-12-31"), "cj", "ibm",
    {"cj": [Rules(DATE("2017-01-01"), (1, 10), (10, 3), (31, 100), 20, 6, 30),
            Rules(DATE("2017-07-01"), (3, 25), (3, 1), (7, 20), 25, 4, 20)],
     "ibm": [Rules(DATE("2017-01-01"), (1, 100), (1, 1), (1, 1), 1, 24, 0),
             Rules(DATE("2017-07-01"), (1, 100), (10, 9), (19, 20), 1, 24, 0)]},
    DATE("2017-06-15"), "ibm", DATE("2017-03-15"), 2500)


@dataclasses.dataclass(frozen=True)
class Basket:
    """One card transaction."""
    ref: str
    member: str
    merchant: str
    store: str
    amount: int  # minor units, more than 0
    time: datetime.datetime  # local to the programme

    def order(self):
        return self.time, int(self.ref)


@dataclasses.dataclass(frozen=True)
class Step:
    """One row for `alliance redemptions run`."""
    action: str  # hold, confirm, cancel, reverse
    key: str
    bank: str
    member: str
    merchant: str
    store: str
    points: int
    goods: str = ""


@dataclasses.dataclass(frozen=True)
class Wish:
    """Somebody comes to redeem."""
    key: str
    bank: str
    member: str
    merchant: str
    store: str
    seed: int
    points: int  # 0: a share of what is spendable then


def seed(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def ceil_div(a, b):
    return -(-a // b)


def commission_bp(merchant):
    """From the start, and from the change date (None: no change)."""
    t = seed("terms:" + merchant)
    later = 250 + 50 * ((t >> 24) % 14) if (t >> 16) % 4 == 0 else None
    return 200 + 50 * (t % 15), later


def in_force(versions, day):
    return [rules for rules in versions if rules.start <= day][-1]


def expiry(rules, day):
    month = day.year * 12 + day.month - 1 + rules.months + 1
    return datetime.date(month // 12, month % 12 + 1, 1)


class Account:
    """One member's lots and credit, as the alliance keeps them."""

    def __init__(self, limit):
        self.limit, self.used = limit, 0
        self.lots = {}  # expiry date -> points

    def expire(self, day):
        self.lots = {date: points for date, points in self.lots.items() if date > day}

    def spendable(self):
        return sum(self.lots.values()) + max(0, self.limit - self.used)

    def add(self, date, points):
        if points:
            self.lots[date] = self.lots.get(date, 0) + points

    def earn(self, points, date):
        repaid = min(points, self.used)
        self.used -= repaid
        self.add(date, points - repaid)

    def hold(self, points):
        """What was drawn: [(expiry, points), ...], credit last as (None, points)."""
        draws = []
        for date in sorted(self.lots):
            taken = min(points, self.lots[date])
            if taken == 0:
                break
            draws.append((date, taken))
            points -= taken
            self.lots[date] -= taken
        self.lots = {date: left for date, left in self.lots.items() if left}
        self.used += points
        return draws + ([(None, points)] if points else [])

    def give_back(self, draws, points, day, rules):
        """Undoes the last `points` of the draws."""
        while points:
            date, drawn = draws.pop()
            taken = min(points, drawn)
            if taken < drawn:
                draws.append((date, drawn - taken))
            points -= taken
            if date is None:
                undrawn = min(taken, self.used)
                self.used -= undrawn
                self.add(expiry(rules, day), taken - undrawn)
            elif date > day:
                self.add(date, taken)
            elif rules.grace:
                self.add(day + rules.grace * DAY, taken)


class Story:
    """Tells the days in order; day() must be called for every day from the first to the last."""

    def __init__(self, programme, members, baskets, stores):
        """members: {bank: {member: credit limit}}; stores: [(merchant, store)] in the merchants' order."""
        self.programme = programme
        self.stores = stores
        self.accounts = {(bank, member): Account(limit)
                         for bank, of_bank in members.items() for member, limit in of_bank.items()}
        self.members = members
        self.baskets = collections.defaultdict(list)
        for basket in sorted(baskets, key=Basket.order):
            self.baskets[basket.time.date()].append(basket)
        self.wishes = self._credit_wishes()
        self.due = collections.defaultdict(list)     # day -> [(wish, draws, points)]
        self.lapsing = collections.defaultdict(list)  # the same, for holds nobody confirms

    def _credit_wishes(self):
        wishes = collections.defaultdict(list)
        bank = self.programme.credit_bank
        for member, limit in self.members.get(bank, {}).items():
            user = member.removeprefix("user-")
            for n in (1, 2) if seed(f"ibm:{user}:1") % 3 == 0 else (1,):
                b = seed(f"ibm:{user}:{n}")
                day = datetime.date(self.programme.first.year, 1, 1) + (b >> 8) % 365 * DAY
                points = max(1, limit * (5 + (b >> 40) % 100) // 100)
                merchant, store = self.stores[(b >> 24) % len(self.stores)]
                wishes[day].append(Wish(f"{bank}-{user}-{n}", bank, member, merchant, store, b, points))
        return wishes

    def rules(self, bank, day):
        return in_force(self.programme.rules[bank], day)

    def day(self, day):
        """(baskets that are pushed, steps) of one day."""
        for wish, draws, points in self.lapsing.pop(day, []):
            self._give_back(wish, draws, points, day)
        bank = self.programme.spending_bank
        for account in self.accounts.values():
            account.expire(day)
        rules = self.rules(bank, day)
        for basket in self.baskets[day]:
            points = basket.amount * rules.accrual[0] // rules.accrual[1]
            self.accounts[bank, basket.member].earn(points, expiry(rules, day))
        steps = []
        for wish, draws, points in self.due.pop(day, []):
            self._give_back(wish, draws, points, day)
            steps.append(self._step("reverse", wish, points))
        for basket in self.baskets[day]:
            b = seed("redeem:" + basket.ref)
            if b % 8 == 0:
                steps += self._redeem(
                    Wish(basket.ref, bank, basket.member, basket.merchant, basket.store, b, 0), day)
        for wish in self.wishes[day]:
            steps += self._redeem(wish, day)
        return self.baskets[day], steps + (self._order_good(day) if day == self.programme.good_day else [])

    @staticmethod
    def _step(action, wish, points, goods=""):
        return Step(action, wish.key, wish.bank, wish.member, wish.merchant, wish.store, points, goods)

    def _give_back(self, wish, draws, points, day):
        self.accounts[wish.bank, wish.member].give_back(draws, points, day, self.rules(wish.bank, day))

    def _redeem(self, wish, day):
        account = self.accounts[wish.bank, wish.member]
        spendable = account.spendable()
        kind = (wish.seed >> 16) % 20
        points = wish.points or max(1, spendable * (20 + (wish.seed >> 8) % 81) // 100)
        if kind == 0 and not wish.points:
            points = spendable + 1
        steps = [self._step("hold", wish, points)]
        if points > spendable or points < self.rules(wish.bank, day).minimum:
            return steps
        return steps + self._go_on(wish, kind, account.hold(points), points, day)

    def _go_on(self, wish, kind, draws, points, day):
        """What follows a hold that was granted."""
        if kind == 8 and (day + DAY).day != 1 and all(date != day + DAY for date, _ in draws):
            self.lapsing[day + DAY].append((wish, draws, points))
            return []
        if kind in (1, 2, 8):
            self._give_back(wish, draws, points, day)
            return [self._step("cancel", wish, 0)]
        if kind == 3:
            self._give_back(wish, draws, points - ceil_div(points, 2), day)
            return [self._step("confirm", wish, ceil_div(points, 2))]
        steps = [self._step("confirm", wish, points)]
        third = ceil_div(points, 3)
        if kind == 4:
            self._give_back(wish, draws, points, day)
            steps.append(self._step("reverse", wish, points))
        elif kind == 5:
            self.due[day + 45 * DAY].append((wish, draws, points))
        elif kind in (6, 7):
            self.due[day + 3 * DAY].append((wish, draws, third))
            if kind == 6 and points > third:
                self.due[day + 20 * DAY].append((wish, draws, points - third))
        return steps

    def _order_good(self, day):
        bank = self.programme.good_bank
        conversion = self.rules(bank, day).conversion
        points = ceil_div(self.programme.good_price * conversion[0], conversion[1])
        member = next(m for m in self.members[bank] if self.accounts[bank, m].spendable() >= points)
        merchant, store = self.stores[0]
        wish = Wish("the-good", bank, member, merchant, store, 9 << 16, points)
        self.accounts[bank, member].hold(points)
        return [self._step("hold", wish, points, "kettle"), self._step("confirm", wish, points)]


def days(programme):
    day = programme.first
    while day <= programme.last:
        yield day
        day += DAY
