"""One member, naively: what each command must do, written from the proto and server/domain's headers, not from its code.

A method a kind of command: it answers (reason, receipt) and appends the journal entries it expects; a refusal changes
nothing. Time is an argument. Lots are a dictionary, sorted whenever order matters.
"""

import datetime
from fractions import Fraction

import ledger

HELD, CONFIRMED, CANCELLED, LAPSED, REVERSED = 1, 2, 3, 4, 5
ACTIVE, FROZEN, CLOSED = 1, 2, 3
OPEN_HOLDS_MAX, LOTS_MAX = 32, 128
HOLD_DEFAULT_S = 900


def half_even(value):
    """Python rounds Fractions half to even."""
    return round(value)


def month_start(date, months):
    """The first day of the month that many months after that of an ISO date."""
    year, month = (int(part) for part in date.split("-")[:2])
    index = year * 12 + month - 1 + months
    return datetime.date(index // 12, index % 12 + 1, 1).isoformat()


class Hold:
    """A redemption: state, and what it drew and could still give back."""

    def __init__(self, points, lapse):
        self.state, self.points, self.lapse = HELD, points, lapse
        self.lots, self.credit = [], 0  # (key, points), first to expire first
        self.confirmed = self.reversed = 0
        self.gross = self.commission = self.gross_back = self.commission_back = 0


class Parcel:
    """What is on its way from one member to another."""

    def __init__(self, lots, credit, status):
        self.lots, self.credit, self.status = lots, credit, status

    def points(self):
        return sum(points for _, points in self.lots)


class Member:
    """What was published comes from outside: rules are the versions of its bank in order, commissions basis points."""

    def __init__(self, rules, commissions):
        self.rules, self.commissions = rules, commissions
        self.exists = False
        self.status = self.limit = 0
        self.lots, self.credit_used, self.held = {}, 0, 0
        self.redemptions = {}
        self.accruals = {}  # transaction_ref -> [points left of it, key of its lot]
        self.expected = []  # journal entries of the last command

    # --- what can be asked ---

    @property
    def available(self):
        return sum(self.lots.values())

    @property
    def spendable(self):
        return self.available + max(self.limit - self.credit_used, 0)

    def open_holds(self):
        return {name: hold for name, hold in self.redemptions.items() if hold.state == HELD}

    def rules_at(self, time):
        found = [version for version in self.rules if version["effective_from"] <= time]
        return found[-1] if found else None

    def leaves_entry(self, do, fields):
        """Does this command, if it succeeds, leave a journal entry?"""
        if do == "set_member":
            return not self.exists or (fields["status"], fields["credit_limit"]) != (self.status, self.limit)
        if do == "set_limit":
            return self.limit != fields["credit_limit"]
        return {"extend": False, "freeze": self.status != FROZEN, "unfreeze": self.status != ACTIVE}.get(do, True)

    # --- commands ---

    def set_member(self, fields, time, date, ref):
        del time, date
        if self.leaves_entry("set_member", fields):
            self.exists = True
            self.status, self.limit = fields["status"], fields["credit_limit"]
            self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", {"points": 0}

    def accrue(self, fields, time, date, ref):
        rules = self.rules_at(time)
        earned = fields["amount_minor"] * rules["accrual_num"] // rules["accrual_den"]
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if earned < 1:
            return "NOTHING_EARNED", None
        key = (month_start(date, rules["expiry_months"] + 1), 0)
        repaid = min(earned, self.credit_used)
        if earned > repaid and key not in self.lots and len(self.lots) == LOTS_MAX:
            return "TOO_MANY_LOTS", None
        self.credit_used -= repaid
        self._add(key, earned - repaid)
        self.accruals[fields["transaction_ref"]] = [earned, key]
        self._entry(ledger.ACCRUE, earned, ref, None)
        return "OK", {"points": earned}

    def hold(self, fields, time, date, ref):
        refusal = self._may_hold(fields["points"], self.rules_at(time))
        if not refusal and len(self.open_holds()) == OPEN_HOLDS_MAX:
            refusal = "TOO_MANY_OPEN_HOLDS"
        if not refusal and fields["points"] > self.spendable:
            refusal = "INSUFFICIENT_POINTS"
        if refusal:
            return refusal, None
        hold = self._open(fields["points"], time + (fields["lapse_s"] or HOLD_DEFAULT_S) * 1000000, ref)
        return "OK", self._receipt(HELD, hold.points, date, time, lapse=hold.lapse)

    def redeem(self, fields, time, date, ref):
        refusal = self._may_hold(fields["points"], self.rules_at(time))
        if not refusal and fields["points"] > self.spendable:
            refusal = "INSUFFICIENT_POINTS"
        if refusal:
            return refusal, None
        hold = self._open(fields["points"], 0, ref)
        self._spend(ref, hold, hold.points, fields["merchant_id"], ref, time)
        return "OK", dict(self._receipt(CONFIRMED, hold.points, date, time, hold.gross, hold.commission), currency="CNY")

    def confirm(self, fields, time, date, ref):
        name, hold = self._named(fields)
        points = fields["points"] or hold.points
        refusal = self._not_open(hold) or self._not_active()
        if not refusal and points > hold.points:
            refusal = "BEYOND_HOLD"
        if refusal:
            return refusal, self._refusal(hold, date, time)
        if points < hold.points:
            self.held -= hold.points - points
            self._give_back(hold, hold.points - points, date, time)
            self._entry(ledger.RELEASE, hold.points - points, ref, name)
        self._spend(name, hold, points, fields["merchant_id"], ref, time)
        return "OK", self._receipt(CONFIRMED, points, date, time, hold.gross, hold.commission)

    def extend(self, fields, time, date, ref):
        del ref
        _, hold = self._named(fields)
        refusal = self._not_open(hold) or self._not_active()
        if refusal:
            return refusal, self._refusal(hold, date, time)
        hold.lapse = max(hold.lapse, time + fields["lapse_s"] * 1000000)
        return "OK", self._receipt(HELD, 0, date, time, lapse=hold.lapse)

    def cancel(self, fields, time, date, ref):
        name, hold = self._named(fields)
        refusal = self._not_open(hold)
        if refusal:
            return refusal, self._refusal(hold, date, time)
        self._end(name, hold, CANCELLED, ledger.CANCEL, ref, date, time)
        return "OK", self._receipt(CANCELLED, hold.points, date, time)

    def reverse(self, fields, time, date, ref):
        name, hold = self._named(fields)
        left = hold.confirmed - hold.reversed
        points = fields["points"] or left
        refusal = {CONFIRMED: "", REVERSED: "REDEMPTION_ENDED"}.get(hold.state, "REDEMPTION_NOT_CONFIRMED")
        if not refusal and points > left:
            refusal = "BEYOND_CONFIRMED"
        if refusal:
            return refusal, self._refusal(hold, date, time)
        hold.reversed += points
        hold.state = REVERSED if hold.reversed == hold.confirmed else CONFIRMED
        gross, commission = (amount * hold.reversed // hold.confirmed for amount in (hold.gross, hold.commission))
        back = (gross - hold.gross_back, commission - hold.commission_back)
        hold.gross_back, hold.commission_back = gross, commission
        self._give_back(hold, points, date, time)
        self._entry(ledger.REVERSE, points, ref, name, -back[0], -back[1])
        return "OK", self._receipt(hold.state, points, date, time, -back[0], -back[1])

    def freeze(self, fields, time, date, ref):
        return self._become(fields, "freeze", FROZEN, self.limit, time, date, ref)

    def unfreeze(self, fields, time, date, ref):
        return self._become(fields, "unfreeze", ACTIVE, self.limit, time, date, ref)

    def set_limit(self, fields, time, date, ref):
        return self._become(fields, "set_limit", self.status, fields["credit_limit"], time, date, ref)

    def _become(self, fields, do, status, limit, time, date, ref):
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        change = self.leaves_entry(do, fields)
        self.status, self.limit = status, limit
        if change:
            self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", self._member_receipt(0, date, time)

    def claw_back(self, fields, time, date, ref):
        """Its own lot first, then what expires first, then credit."""
        accrual = self.accruals[fields["transaction_ref"]]
        left, key = accrual
        points = fields["points"] or left
        if points > left or left == 0:
            return "BEYOND_ACCRUAL", None
        accrual[0] -= points
        own = min(points, self.lots.get(key, 0))
        if own:
            self._add(key, -own)
        self.credit_used += self._draw(points - own, [])
        self._entry(ledger.CLAWBACK, points, ref, None)
        return "OK", self._member_receipt(points, date, time)

    def adjust(self, fields, time, date, ref):
        points = fields["points"]
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if points < 0:
            self.credit_used += self._draw(-points, [])
            self._entry(ledger.ADJUST_TAKE, -points, ref, None)
        else:
            repaid = min(points, self.credit_used)
            self.credit_used -= repaid
            self._add((month_start(date, self.rules_at(time)["expiry_months"] + 1), 0), points - repaid)
            self._entry(ledger.ADJUST_ADD, points, ref, None)
        return "OK", dict(self._member_receipt(abs(points), date, time), adjusted=3)

    def close(self, fields, time, date, ref):
        del fields
        refusal = "MEMBER_CLOSED" if self.status == CLOSED else "HOLDS_OPEN" if self.open_holds() else ""
        if refusal:
            return refusal, None
        points = self.available
        self.lots = {}
        if points:
            self._entry(ledger.CLOSE, points, ref, None)
        self.status = CLOSED
        self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", self._member_receipt(points, date, time)

    def send_all(self, fields, time, date, ref):
        """The giver's part of a merge: everything, and it is closed."""
        del fields
        refusal = "MEMBER_CLOSED" if self.status == CLOSED else "HOLDS_OPEN" if self.open_holds() else ""
        if refusal:
            return refusal, None
        parcel = Parcel(sorted(self.lots.items()), self.credit_used, self.status)
        self.lots = {}
        if parcel.points():
            self._entry(ledger.TRANSFER_OUT, parcel.points(), ref, None)
        self.credit_used = 0
        if parcel.credit:
            self._entry(ledger.CREDIT_OUT, parcel.credit, ref, None)
        self.status = CLOSED
        self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", dict(self._member_receipt(parcel.points(), date, time), parcel=parcel)

    def send(self, fields, time, date, ref):
        """The giver's part of a transfer: what it gives is the receipt's "parcel"."""
        points, drawn = fields["points"], []
        refusal = self._not_active()
        if not refusal and points > self.available:
            refusal = "INSUFFICIENT_POINTS"
        if refusal:
            return refusal, None
        self._draw(points, drawn)
        self._entry(ledger.TRANSFER_OUT, points, ref, None)
        return "OK", dict(self._member_receipt(points, date, time), parcel=Parcel(drawn, 0, self.status))

    def take_in(self, parcel, kind, ref):
        """The receiver's part; or the giver's, when it gets back what it gave, and is what it was."""
        back = kind == ledger.TRANSFER_BACK and self.status != parcel.status
        if back:
            self.status = parcel.status
        for key, points in parcel.lots:
            self._add(key, points)
        if parcel.points():
            self._entry(kind, parcel.points(), ref, None)
        self.credit_used += parcel.credit
        if parcel.credit:
            self._entry(ledger.CREDIT_IN, parcel.credit, ref, None)
        if back:
            self._entry(ledger.MEMBER, 0, ref, None)

    # --- what time does ---

    def lapse(self, name, time, date):
        """The hold's time is over. The caller has seen in the journal that it ended now."""
        hold = self.redemptions[name]
        self._end(name, hold, LAPSED, ledger.LAPSE, name, date, time)

    # --- parts ---

    def _named(self, fields):
        name = fields["redemption_id"].split(".")[0]
        return name, self.redemptions[name]

    def _not_active(self):
        return {ACTIVE: "", FROZEN: "MEMBER_FROZEN", CLOSED: "MEMBER_CLOSED"}[self.status]

    def _may_hold(self, points, rules):
        return self._not_active() or ("BELOW_MINIMUM" if points < rules["minimum_points"] else "")

    def _open(self, points, lapse, ref):
        """Draws lots, first to expire first, then credit."""
        hold = Hold(points, lapse)
        hold.credit = self._draw(points, hold.lots)
        self.credit_used += hold.credit
        self.held += points
        self.redemptions[ref] = hold
        self._entry(ledger.HOLD, points, ref, ref)
        return hold

    def _spend(self, name, hold, points, merchant, ref, time):
        """The bank owes for them from now on, by the rules and terms of now."""
        rules = self.rules_at(time)
        self.held -= points
        hold.state, hold.confirmed = CONFIRMED, points
        hold.gross = half_even(Fraction(points * rules["settlement_num"], rules["settlement_den"]))
        hold.commission = half_even(Fraction(hold.gross * self.commissions[merchant], 10000))
        self._entry(ledger.CONFIRM, points, ref, name, hold.gross, hold.commission)

    @staticmethod
    def _not_open(hold):
        return {HELD: "", LAPSED: "HOLD_LAPSED"}.get(hold.state, "REDEMPTION_ENDED")

    def _end(self, name, hold, state, kind, ref, date, time):
        self.held -= hold.points
        self._give_back(hold, hold.points, date, time)
        hold.state = state
        self._entry(kind, hold.points, ref, name)

    def _give_back(self, hold, points, date, time):
        """Credit first, then the lots that expire last; credit that earning has repaid comes back as a new lot."""
        credit = min(points, hold.credit)
        hold.credit -= credit
        undrawn = min(credit, self.credit_used)
        self.credit_used -= undrawn
        if credit > undrawn:
            self._add((month_start(date, self.rules_at(time)["expiry_months"] + 1), 0), credit - undrawn)
        left = points - credit
        while left:
            key, drawn = hold.lots.pop()
            taken = min(left, drawn)
            self._add(key, taken)
            left -= taken
            if drawn > taken:
                hold.lots.append((key, drawn - taken))

    def _draw(self, points, drawn):
        """From the lots, first to expire first; returns what they do not have."""
        for key in sorted(self.lots):
            taken = min(points, self.lots[key])
            if taken:
                drawn.append((key, taken))
                self._add(key, -taken)
                points -= taken
        return points

    def _add(self, key, points):
        self.lots[key] = self.lots.get(key, 0) + points
        if self.lots[key] == 0:
            del self.lots[key]

    def _entry(self, kind, points, ref, name, gross=0, commission=0):
        self.expected.append({"kind": kind, "points": points, "ref": ref, "redemption_id": name,
                              "available": self.available, "held": self.held, "credit_used": self.credit_used,
                              "credit_limit": self.limit, "gross": gross, "commission": commission})

    def _receipt(self, state, points, date, time, gross=0, commission=0, lapse=0):
        return {"state": state, "points": points, "spendable": self.spendable, "gross": gross,
                "commission": commission, "currency": "CNY" if gross or commission else "", "date": date, "time": time,
                "lapse": lapse}

    def _member_receipt(self, points, date, time):
        return {"points": points, "spendable": self.spendable, "state": self.status, "date": date, "time": time}

    def _refusal(self, hold, date, time):
        return self._receipt(hold.state, 0, date, time)
