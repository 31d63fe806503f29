"""What the model of a member is made of: dates, exact shares, and the things a member has. As naive as the model."""

import datetime
from fractions import Fraction

HELD, CONFIRMED, CANCELLED, LAPSED, REVERSED = 1, 2, 3, 4, 5
END_OF_MONTH, TO_THE_DAY, FIXED_DAY = 1, 2, 3
BY_EVENT, NEVER_KNOWN = "9999-12-31", "1970-01-01"


def half_even(value):
    """Python rounds Fractions half to even."""
    return round(value)


def days_later(date, days):
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()


def month_start(date, months):
    """The first day of the month that many months after that of an ISO date."""
    year, month = (int(part) for part in date.split("-")[:2])
    index = year * 12 + month - 1 + months
    return datetime.date(index // 12, index % 12 + 1, 1).isoformat()


def same_day_later(date, months):
    """The same day of the month, or the month's last one."""
    wanted = days_later(month_start(date, months), int(date[8:]) - 1)
    return min(wanted, days_later(month_start(date, months + 1), -1))


def day_of_year(year, month, day):
    """29 February is 1 March in other years."""
    return days_later(datetime.date(year, month, 1).isoformat(), day - 1)


def expiry(rules, date):
    """The first day on which points that became spendable on that date are gone."""
    if rules["expiry_kind"] == END_OF_MONTH:
        return month_start(date, rules["expiry_months"] + 1)
    least = same_day_later(date, rules["expiry_months"])
    if rules["expiry_kind"] == TO_THE_DAY:
        return least
    years = (day_of_year(int(least[:4]) + ahead, rules["expiry_month"], rules["expiry_day"]) for ahead in (0, 1))
    return next(day for day in years if day >= least)


def allocate(total, weights):
    """By largest remainder, the first of equals first."""
    if not sum(weights):
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[:total - sum(parts)]:
        parts[i] += 1
    return parts


class Line:
    """An order line: what was asked, then what was confirmed of it, and what of that was reversed."""

    def __init__(self, name, points):
        self.name, self.points = name, points
        self.gross = self.commission = self.reversed = self.gross_back = self.commission_back = 0

    def left(self):
        return self.points - self.reversed

    def reverse(self, points):
        """The money that goes with them: rounded down, all of it with the last point."""
        self.reversed += points
        gross, commission = ((amount * self.reversed // self.points if self.points else 0)
                             for amount in (self.gross, self.commission))
        back = gross - self.gross_back, commission - self.commission_back
        self.gross_back, self.commission_back = gross, commission
        return back

    def row(self):
        return [self.name, self.points, self.gross, self.commission, self.reversed, self.gross_back,
                self.commission_back]


class Hold:
    """A redemption: state, and what it drew and could still give back."""

    def __init__(self, fields, date, time, lapse, gross):
        self.state, self.points = HELD, fields["points"]
        self.date, self.time, self.lapse = date, time, lapse
        self.lots, self.credit = [], 0  # (key, points), first to expire first
        self.lines = [Line(name, points) for name, points in fields.get("lines", ())]
        self.confirmed = self.reversed = 0
        self.gross_held = gross
        self.gross = self.commission = self.gross_back = self.commission_back = 0

    def net(self):
        """The points that count for caps: what was held and did not come back."""
        return {HELD: self.points, CONFIRMED: self.confirmed - self.reversed}.get(self.state, 0)

    def exposure(self):
        """What the bank owes or will, in minor units."""
        return {HELD: self.gross_held, CONFIRMED: self.gross - self.gross_back}.get(self.state, 0)

    def confirm(self, points, gross, commission):
        self.state, self.confirmed, self.gross, self.commission = CONFIRMED, points, gross, commission
        shares = allocate(points, [line.points for line in self.lines])
        for line, share, its_gross, its_commission in zip(self.lines, shares, allocate(gross, shares),
                                                          allocate(commission, shares)):
            line.points, line.gross, line.commission = share, its_gross, its_commission

    def reverse(self, points, only):
        """Takes them off; the gross and commission that go with them."""
        self.reversed += points
        self.state = REVERSED if self.reversed == self.confirmed else CONFIRMED
        if self.lines:
            shares = allocate(points, [line.left() if only in (None, line) else 0 for line in self.lines])
            back = [sum(parts) for parts in zip(*(line.reverse(share) for line, share in zip(self.lines, shares)))]
        else:
            back = [amount * self.reversed // self.confirmed - before
                    for amount, before in ((self.gross, self.gross_back), (self.commission, self.commission_back))]
        self.gross_back += back[0]
        self.commission_back += back[1]
        return back


class Accrual:
    """What was earned by one transaction. key is of the lot it made, or of the pending lot it is in."""

    def __init__(self, points, matures, expires, funding):
        self.points, self.matures, self.expires, self.funding = points, matures, expires, funding
        self.clawed, self.pending = 0, points if matures else 0

    def pending_key(self):
        return (self.matures, NEVER_KNOWN if self.matures == BY_EVENT else self.expires, self.funding)


class Parcel:
    """What is on its way from one member to another."""

    def __init__(self, lots, pending=(), credit=0, status=None):
        self.lots, self.pending, self.credit = lots, pending, credit
        self.status = status  # the giver's, when it was closed by a merge

    def points(self):
        return sum(points for _, points in self.lots)

    def pending_points(self):
        return sum(points for _, points in self.pending)
