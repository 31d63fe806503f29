"""One member, naively: what each command must do, written from the proto and server/domain's headers, not from its code.

A method a kind of command: it answers (reason, receipt) and appends the journal entries it expects; a refusal changes
nothing. Time is an argument. Lots are a dictionary, sorted whenever order matters; what a cap counts is added up anew
from all redemptions each time it is asked for.
"""

from fractions import Fraction

import ledger
from points import (BY_EVENT, CANCELLED, CONFIRMED, HELD, LAPSED, NEVER_KNOWN, REVERSED, Accrual, Hold, Parcel, days_later,
                    expiry, half_even)

ACTIVE, FROZEN, CLOSED, DECEASED = 1, 2, 3, 4
WAITING, DONE, REFUSED = 1, 3, 4  # of adjustments
OPEN_HOLDS_MAX, LOTS_MAX, PENDING_MAX = 32, 128, 64
HOLD_DEFAULT_S = 900
DAY_US = 86400 * 1000000
NO_CAPS = {"per_redemption": 0, "per_day": 0, "per_month": 0}


class Member:
    """What was published comes from outside: rules are the versions of its bank in order, commissions basis points,
    fundings numbers by name; adjust_limit is the most an operator corrects alone."""

    def __init__(self, rules, commissions, fundings, adjust_limit):
        self.rules, self.commissions, self.adjust_limit = rules, commissions, adjust_limit
        self.fundings = dict(fundings, **{"": 0})
        self.exists = False
        self.status = self.limit = self.tier = 0
        self.lots, self.credit_used, self.held = {}, 0, 0
        self.pending_lots = {}  # (matures, expires, funding) -> points
        self.expired = 0        # points that expired and were not reinstated
        self.redemptions = {}
        self.accruals = {}      # transaction_ref -> Accrual
        self.adjustments = {}   # above the limit: id -> [state, fields]
        self.no_room = False    # what the others of the bank hold leaves no room below its exposure limit
        self.expected = []      # journal entries of the last command

    # --- what can be asked ---

    @property
    def available(self):
        return sum(self.lots.values())

    @property
    def pending(self):
        return sum(self.pending_lots.values())

    @property
    def spendable(self):
        return self.available + max(self.limit - self.credit_used, 0)

    def open_holds(self):
        return {name: hold for name, hold in self.redemptions.items() if hold.state == HELD}

    def rules_at(self, time):
        found = [version for version in self.rules if version["effective_from"] <= time]
        return found[-1] if found else None

    def redeemed(self, period):
        """Points that count for caps: period is the beginning of dates, "2026-01" or "2026-01-31"."""
        return sum(hold.net() for hold in self.redemptions.values() if hold.date.startswith(period))

    def due(self, date):
        """What time should have done by that day."""
        return [key for key in self.lots if key[0] <= date] + [key for key in self.pending_lots if key[0] <= date]

    def waits(self, do, fields):
        """Is it a correction that needs a second person?"""
        return do == "adjust" and abs(fields["points"]) > self.adjust_limit

    def leaves_entry(self, do, fields):
        """Does this command, if it succeeds, leave a journal entry?"""
        if do == "set_member":
            return not self.exists or (fields["status"], fields["credit_limit"]) != (self.status, self.limit)
        if do == "set_limit":
            return self.limit != fields["credit_limit"]
        if do == "set_tier":
            return self.tier != fields["tier"]
        return {"extend": False, "freeze": self.status != FROZEN, "unfreeze": self.status != ACTIVE,
                "adjust": not self.waits(do, fields)}.get(do, True)

    # --- the bank's commands ---

    def set_member(self, fields, time, date, ref):
        del time, date
        if self.exists and self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if self.leaves_entry("set_member", fields):
            self.exists = True
            self.status, self.limit = fields["status"], fields["credit_limit"]
            self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", {"points": 0}

    def accrue(self, fields, time, date, ref):
        rules, funding = self.rules_at(time), self.fundings[fields["funding"]]
        earned = fields["amount_minor"] * rules["accrual_num"] // rules["accrual_den"]
        if self.status in (CLOSED, DECEASED):
            return "MEMBER_CLOSED" if self.status == CLOSED else "MEMBER_DECEASED", None
        if earned < 1:
            self.accruals[fields["transaction_ref"]] = Accrual(0, "", NEVER_KNOWN, funding)
            return "OK", {"points": 0}
        matures = BY_EVENT if fields["event"] else fields["until"] or days_later(date, rules["pending_days"])
        if matures > date:
            made = Accrual(earned, matures, NEVER_KNOWN if fields["event"] else expiry(rules, matures), funding)
            if made.pending_key() not in self.pending_lots and len(self.pending_lots) == PENDING_MAX:
                return "TOO_MANY_PENDING", None
            self._pend(made.pending_key(), earned)
        else:
            made = Accrual(earned, "", expiry(rules, date), funding)
            if not self._earn((made.expires, funding), earned):
                return "TOO_MANY_LOTS", None
        self.accruals[fields["transaction_ref"]] = made
        self._entry(ledger.PEND if made.matures else ledger.ACCRUE, earned, ref, None)
        return "OK", {"points": earned}

    def mature(self, fields, time, date, ref):
        """The bank says that the event has come."""
        accrual = self.accruals[fields["transaction_ref"]]
        there = self.pending_lots.get(accrual.pending_key(), 0)
        points = fields["points"] or accrual.pending
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if accrual.matures != BY_EVENT or not accrual.pending or not there:
            return "NOT_PENDING", None
        if points > accrual.pending:
            return "BEYOND_ACCRUAL", None
        if points > there:
            return "NOT_PENDING", None
        accrual.pending -= points
        self._pend(accrual.pending_key(), -points)
        accrual.expires = self._ripen((expiry(self.rules_at(time), date), accrual.funding), points)
        self._entry(ledger.MATURE, points, ref, None)
        return "OK", self._member_receipt(points, date, time)

    def claw_back(self, fields, time, date, ref):
        """What is pending of it, then its own lot, then what expires first, then credit."""
        accrual = self.accruals[fields["transaction_ref"]]
        left = accrual.points - accrual.clawed
        points = fields["points"] or left
        if points > left or left == 0:
            return "BEYOND_ACCRUAL", None
        accrual.clawed += points
        pending = min(points, accrual.pending, self.pending_lots.get(accrual.pending_key(), 0))
        if pending:
            accrual.pending -= pending
            self._pend(accrual.pending_key(), -pending)
            self._entry(ledger.CLAWBACK_PENDING, pending, ref, None)
        if points > pending:
            key = (accrual.expires, accrual.funding)
            own = min(points - pending, self.lots.get(key, 0))
            self._add(key, -own)
            self.credit_used += self._draw(points - pending - own, [])
            self._entry(ledger.CLAWBACK, points - pending, ref, None)
        return "OK", self._member_receipt(points, date, time)

    def freeze(self, fields, time, date, ref):
        return self._become(fields, "freeze", time, date, ref, status=FROZEN)

    def unfreeze(self, fields, time, date, ref):
        return self._become(fields, "unfreeze", time, date, ref, status=ACTIVE)

    def set_limit(self, fields, time, date, ref):
        return self._become(fields, "set_limit", time, date, ref, limit=fields["credit_limit"])

    def set_tier(self, fields, time, date, ref):
        return self._become(fields, "set_tier", time, date, ref, tier=fields["tier"])

    def _become(self, fields, do, time, date, ref, **changes):
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if self.status == DECEASED and do in ("freeze", "unfreeze"):
            return "MEMBER_DECEASED", None
        change = self.leaves_entry(do, fields)
        for name, value in changes.items():
            setattr(self, name, value)
        if change:
            self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", self._member_receipt(0, date, time)

    def close(self, fields, time, date, ref):
        del fields
        refusal = self._not_closable()
        if refusal:
            return refusal, None
        points, pending = self.available, self.pending
        self.lots = {}
        if points:
            self._entry(ledger.CLOSE, points, ref, None)
        self.pending_lots = {}
        if pending:
            self._entry(ledger.CLOSE_PENDING, pending, ref, None)
        self.status = CLOSED
        self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", self._member_receipt(points + pending, date, time)

    # --- moving to another member ---

    def send_all(self, fields, time, date, ref):
        """The giver's part of a merge: everything, and it is closed."""
        del fields
        refusal = self._not_closable()
        if refusal:
            return refusal, None
        parcel = Parcel(sorted(self.lots.items()), sorted(self.pending_lots.items()), self.credit_used, self.status)
        self.lots = {}
        if parcel.points():
            self._entry(ledger.TRANSFER_OUT, parcel.points(), ref, None)
        self.pending_lots = {}
        if parcel.pending_points():
            self._entry(ledger.PENDING_OUT, parcel.pending_points(), ref, None)
        self.credit_used = 0
        if parcel.credit:
            self._entry(ledger.CREDIT_OUT, parcel.credit, ref, None)
        self.status = CLOSED
        self._entry(ledger.MEMBER, 0, ref, None)
        return "OK", dict(self._member_receipt(parcel.points() + parcel.pending_points(), date, time), parcel=parcel)

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
        return "OK", dict(self._member_receipt(points, date, time), parcel=Parcel(drawn))

    def take_in(self, parcel, kind, ref, time, date):
        """The receiver's part; or the giver's, when it gets back what it gave, and is what it was."""
        back = kind == ledger.TRANSFER_BACK
        reopened = back and parcel.status not in (None, self.status)
        if reopened:
            self.status = parcel.status
        for key, points in parcel.lots:
            self._add(key, points)
        if parcel.points():
            self._entry(kind, parcel.points(), ref, None)
        for (matures, expires, funding), points in parcel.pending:
            if matures == BY_EVENT and not back:  # nobody could name its accrual any more
                matures, expires = date, expiry(self.rules_at(time), date)
            self._pend((matures, expires, funding), points)
        if parcel.pending_points():
            self._entry(ledger.PENDING_IN, parcel.pending_points(), ref, None)
        self.credit_used += parcel.credit
        if parcel.credit:
            self._entry(ledger.CREDIT_IN, parcel.credit, ref, None)
        if reopened:
            self._entry(ledger.MEMBER, 0, ref, None)
        self.ripen_due(date)
        self.expire_due(date)

    # --- the operator's commands ---

    def adjust(self, fields, time, date, ref):
        if self.waits("adjust", fields):
            self.adjustments[ref] = [WAITING, fields]
            return "OK", {"adjusted": WAITING}
        return self._adjust(fields, time, date, ref)

    def approve(self, fields, time, date, ref):
        adjustment = self.adjustments[ref]
        if fields["by"] == fields["proposed_by"]:
            return "SECOND_PERSON_NEEDED", None
        if fields["points"] != adjustment[1]["points"]:
            return "APPROVAL_DIFFERS", None
        reason, receipt = self._adjust(adjustment[1], time, date, ref)
        adjustment[0] = DONE if reason == "OK" else REFUSED
        return reason, receipt

    def _adjust(self, fields, time, date, ref):
        points = fields["points"]
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if points < 0:
            self.credit_used += self._draw(-points, [])
            self._entry(ledger.ADJUST_TAKE, -points, ref, None)
        else:
            if not self._earn((expiry(self.rules_at(time), date), self.fundings[fields["funding_id"]]), points):
                return "TOO_MANY_LOTS", None
            self._entry(ledger.ADJUST_ADD, points, ref, None)
        return "OK", dict(self._member_receipt(abs(points), date, time), adjusted=DONE)

    def reinstate(self, fields, time, date, ref):
        points = fields["points"]
        if self.status == CLOSED:
            return "MEMBER_CLOSED", None
        if points > self.expired:
            return "BEYOND_EXPIRED", None
        if not self._earn((fields["expires_on"], 0), points):
            return "TOO_MANY_LOTS", None
        self.expired -= points
        self._entry(ledger.REINSTATE, points, ref, None)
        return "OK", self._member_receipt(points, date, time)

    # --- the merchants' commands ---

    def hold(self, fields, time, date, ref):
        refusal = self._may_hold(fields["points"], time, date, OPEN_HOLDS_MAX)
        if refusal:
            return refusal, None
        hold = self._open(fields, time, date, time + (fields["lapse_s"] or HOLD_DEFAULT_S) * 1000000, ref)
        return "OK", self._receipt(HELD, hold.points, date, time, lapse=hold.lapse)

    def redeem(self, fields, time, date, ref):
        refusal = self._may_hold(fields["points"], time, date, None)
        if refusal:
            return refusal, None
        hold = self._open(fields, time, date, 0, ref)
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
            self._give_back(ledger.RELEASE, hold, hold.points - points, date, time, ref, name)
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
        self._end(ledger.CANCEL, name, hold, CANCELLED, ref, date, time)
        return "OK", self._receipt(CANCELLED, hold.points, date, time)

    def reverse(self, fields, time, date, ref):
        name, hold = self._named(fields)
        only, wanted = None, fields.get("line_id", "")
        if wanted:
            only = next((line for line in hold.lines if line.name == wanted), None)
            if only is None:
                return "LINE_NOT_FOUND", self._refusal(hold, date, time)
        left = only.left() if only else hold.confirmed - hold.reversed
        points = fields["points"] or left
        refusal = {CONFIRMED: "", REVERSED: "REDEMPTION_ENDED"}.get(hold.state, "REDEMPTION_NOT_CONFIRMED")
        if not refusal and (points > left or points == 0):
            refusal = "BEYOND_CONFIRMED"
        if refusal:
            return refusal, self._refusal(hold, date, time)
        gross, commission = hold.reverse(points, only)
        self._give_back(ledger.REVERSE, hold, points, date, time, ref, name, -gross, -commission)
        return "OK", self._receipt(hold.state, points, date, time, -gross, -commission)

    # --- what time does ---

    def lapse(self, name, time, date):
        """The hold's time is over; what goes back is judged by the day it lapsed, whenever somebody looked."""
        hold = self.redemptions[name]
        then = min(date, days_later(hold.date, (hold.lapse - hold.time) // DAY_US))
        self._end(ledger.LAPSE, name, hold, LAPSED, name, then, time)

    def ripen_due(self, date):
        """Pending points whose day has come."""
        due = sorted(item for item in self.pending_lots.items() if item[0][0] <= date)
        for key, points in due:
            self._pend(key, -points)
            self._ripen(key[1:], points)
        if due:
            self._entry(ledger.MATURE, sum(points for _, points in due), ledger.NOBODY, None)

    def expire_due(self, date):
        """Lots whose day has come."""
        points = sum(self.lots.pop(key) for key in list(self.lots) if key[0] <= date)
        self.expired += points
        if points:
            self._entry(ledger.EXPIRE, points, ledger.NOBODY, None)

    # --- parts ---

    def _named(self, fields):
        name = fields["redemption_id"].split(".")[0]
        return name, self.redemptions[name]

    def _not_active(self):
        return {ACTIVE: "", FROZEN: "MEMBER_FROZEN", CLOSED: "MEMBER_CLOSED", DECEASED: "MEMBER_DECEASED"}[self.status]

    def _not_closable(self):
        return "MEMBER_CLOSED" if self.status == CLOSED else "HOLDS_OPEN" if self.open_holds() else ""

    def _may_hold(self, points, time, date, holds_max):
        """The first rule that is broken, or nothing."""
        rules = self.rules_at(time)
        caps = [cap for cap in rules["caps"] if cap["tier"] <= self.tier]
        cap = max(caps, key=lambda cap: cap["tier"]) if caps else NO_CAPS
        return next((refusal for refusal, broken in (
            (self._not_active(), self.status != ACTIVE),
            ("BELOW_MINIMUM", points < rules["minimum_points"]),
            ("TOO_MANY_OPEN_HOLDS", len(self.open_holds()) == holds_max),
            ("CAP_REDEMPTION", 0 < cap["per_redemption"] < points),
            ("CAP_DAY", 0 < cap["per_day"] < points + self.redeemed(date)),
            ("CAP_MONTH", 0 < cap["per_month"] < points + self.redeemed(date[:7])),
            ("INSUFFICIENT_POINTS", points > self.spendable),
            ("EXPOSURE_LIMIT", self.no_room)) if broken), "")

    def _open(self, fields, time, date, lapse, ref):
        """Draws lots, first to expire first, then credit."""
        hold = Hold(fields, date, time, lapse, self._gross(fields["points"], time))
        hold.credit = self._draw(hold.points, hold.lots)
        self.credit_used += hold.credit
        self.held += hold.points
        self.redemptions[ref] = hold
        self._entry(ledger.HOLD, hold.points, ref, ref)
        return hold

    def _gross(self, points, time):
        rules = self.rules_at(time)
        return half_even(Fraction(points * rules["settlement_num"], rules["settlement_den"]))

    def _spend(self, name, hold, points, merchant, ref, time):
        """The bank owes for them from now on, by the rules and terms of now."""
        gross = self._gross(points, time)
        self.held -= points
        hold.confirm(points, gross, half_even(Fraction(gross * self.commissions[merchant], 10000)))
        self._entry(ledger.CONFIRM, points, ref, name, hold.gross, hold.commission)

    @staticmethod
    def _not_open(hold):
        return {HELD: "", LAPSED: "HOLD_LAPSED"}.get(hold.state, "REDEMPTION_ENDED")

    def _end(self, kind, name, hold, state, ref, date, time):
        self.held -= hold.points
        hold.state = state
        self._give_back(kind, hold, hold.points, date, time, ref, name)

    def _give_back(self, kind, hold, points, date, time, ref, name, gross=0, commission=0):
        """Credit first, then the lots that expire last; credit that earning has repaid comes back as a new lot. What
        has expired lives a while longer or is forfeited, as the rules say."""
        rules, forfeited = self.rules_at(time), 0
        credit = min(points, hold.credit)
        hold.credit -= credit
        undrawn = min(credit, self.credit_used)
        self.credit_used -= undrawn
        self._add((expiry(rules, date), 0), credit - undrawn)
        left = points - credit
        while left:
            key, drawn = hold.lots.pop()
            taken = min(left, drawn)
            if key[0] > date:
                self._add(key, taken)
            elif rules["reinstate_grace_days"]:
                self._add((days_later(date, rules["reinstate_grace_days"]), key[1]), taken)
            else:
                forfeited += taken
            left -= taken
            if drawn > taken:
                hold.lots.append((key, drawn - taken))
        self._entry(kind, points, ref, name, gross, commission)
        if forfeited:
            self.expected[-1]["available"] += forfeited
            self._entry(ledger.FORFEIT, forfeited, ref, name)

    def _draw(self, points, drawn):
        """From the lots, first to expire first; returns what they do not have."""
        for key in sorted(self.lots):
            taken = min(points, self.lots[key])
            if taken:
                drawn.append((key, taken))
                self._add(key, -taken)
                points -= taken
        return points

    def _earn(self, key, points):
        """New points: credit used is repaid first. False when there is no room for another lot."""
        repaid = min(points, self.credit_used)
        if points > repaid and key not in self.lots and len(self.lots) == LOTS_MAX:
            return False
        self.credit_used -= repaid
        self._add(key, points - repaid)
        return True

    def _ripen(self, key, points):
        """Points that were pending: never refused. Returns when they expire."""
        repaid = min(points, self.credit_used)
        self.credit_used -= repaid
        return self._add(key, points - repaid)

    def _add(self, key, points):
        """Where there is no room, points join the nearest lot of their funding, which lives as long as the longer."""
        if points > 0 and key not in self.lots and len(self.lots) == LOTS_MAX:
            alike = [other for other in sorted(self.lots) if other[1] == key[1]] or sorted(self.lots)
            joined = next((other for other in alike if other > key), alike[-1])
            points += self.lots.pop(joined)
            key = (max(joined[0], key[0]), joined[1])
        self.lots[key] = self.lots.get(key, 0) + points
        if self.lots[key] == 0:
            del self.lots[key]
        return key[0]

    def _pend(self, key, points):
        """Where there is no room, points join those that mature last."""
        if points > 0 and key not in self.pending_lots and len(self.pending_lots) == PENDING_MAX:
            key = max(self.pending_lots)
        self.pending_lots[key] = self.pending_lots.get(key, 0) + points
        if self.pending_lots[key] == 0:
            del self.pending_lots[key]

    def _entry(self, kind, points, ref, name, gross=0, commission=0):
        self.expected.append({"kind": kind, "points": points, "ref": ref, "redemption_id": name,
                              "available": self.available, "held": self.held, "pending": self.pending,
                              "credit_used": self.credit_used, "credit_limit": self.limit, "gross": gross,
                              "commission": commission})

    def _receipt(self, state, points, date, time, gross=0, commission=0, lapse=0):
        return {"state": state, "points": points, "spendable": self.spendable, "gross": gross,
                "commission": commission, "currency": "CNY" if gross or commission else "", "date": date, "time": time,
                "lapse": lapse}

    def _member_receipt(self, points, date, time):
        return {"points": points, "spendable": self.spendable, "state": self.status, "date": date, "time": time}

    def _refusal(self, hold, date, time):
        return self._receipt(hold.state, 0, date, time)
