#!/usr/bin/env python3
"""Some 17 months of card spend of 200 members, and which tier each of them must have on which day: purchase by purchase, month by month.

Usage: tier_year.py DIR [SEED]
Writes DIR/script.jsonl: what happens, a line each ({"rules"}, {"day"}, {"sweep"}, {"push"}, {"tier"}), and in between {"expect"}: {member: [tier, lost_on, spent in the period of the next tier]}.
Written from the sentences of rules_service.proto and server/domain/README.md alone: it keeps every purchase, looks at every member on the first of each month and
knows of no sums, marks or due days.
"""
import datetime
import json
import os
import random
import sys

FIRST, LAST = datetime.date(2026, 1, 21), datetime.date(2027, 6, 30)
CHANGE = datetime.date(2026, 9, 16)  # the second version
MEMBERS = [f"m-{i:03}" for i in range(200)]
FOR_GOOD = 10**6
SILVER, GOLD, CHOSEN, PEARL = 1, 2, 5, 7
# tier: (needed, period, grace); needed 0: by the bank's word
VERSIONS = [{SILVER: (3000, 3, 1), GOLD: (9000, 6, 2), CHOSEN: (0, 0, 0), PEARL: (16000, 12, 0)},
            {SILVER: (3500, 3, 2), GOLD: (8000, 5, 1), CHOSEN: (0, 0, 0), PEARL: (16000, 12, 1)}]


def document(version):
    rates = [{"currencyCode": c, "conversionRate": {"num": "1", "den": "1"}, "settlementRate": {"num": "7", "den": "10"}} for c in ("CNY", "USD")]
    tiers = []
    for tier, (needed, period, grace) in sorted(version.items()):
        rule = {"tier": tier, "name": f"tier-{tier}"}
        if needed:
            rule |= {"qualifyingSpend": {"amountMinor": str(needed), "currencyCode": "CNY"}, "periodMonths": period, "graceMonths": grace}
        tiers.append(rule)
    return {"rules": {"rates": rates, "minimumPoints": "1", "expiryMonths": 60, "accrualRate": {"num": "1", "den": "10"}},
            "accrualBase": "ACCRUAL_BASE_WITHOUT_POINTS", "tiers": tiers,
            "accrualRules": [{"name": "cash", "priority": 9, "match": {"categories": [{"first": 6010, "last": 6012}]}, "excluded": True}]}


def month_of(day):
    return day.year * 12 + day.month - 1


def first_of(month):
    return datetime.date(month // 12, month % 12 + 1, 1)


class Member:
    def __init__(self):
        self.tier = 0
        self.purchases = []  # [month, what counts, amount, returned]
        self.reached = {}  # tier: last month

    def spent(self, tier, rules, month):
        period = rules[tier][1]
        return sum(p[1] - p[1] * p[3] // p[2] for p in self.purchases if month - period < p[0] <= month)  # parts of a return add up

    def now_reached(self, rules, month):
        return [tier for tier in rules if rules[tier][0] and self.spent(tier, rules, month) >= rules[tier][0]]

    def note(self, rules, month):
        for tier in self.now_reached(rules, month):
            self.reached[tier] = max(self.reached.get(tier, 0), month)

    def kept(self, tier, rules, month):
        needed, _, grace = rules[tier]
        if not needed:
            return self.reached.get(tier) == FOR_GOOD
        return self.reached.get(tier, -FOR_GOOD) + grace >= month

    def look(self, rules, month):
        """On the first of a month, or when another version begins."""
        self.note(rules, month)
        if self.tier and rules[self.tier][0] and not self.kept(self.tier, rules, month):
            self.tier = max([t for t in rules if t < self.tier and self.kept(t, rules, month)], default=0)

    def buy(self, rules, today, spent_on, counts, amount):
        self.purchases.append([month_of(spent_on), counts, amount, 0])
        self.note(rules, month_of(today))
        if counts:
            self.tier = max([self.tier] + self.now_reached(rules, month_of(today)))
        return self.purchases[-1]

    def say(self, rules, today, tier):
        self.tier = tier
        self.reached = {t: m for t, m in self.reached.items() if t <= tier}
        if tier:
            until = month_of(today) + rules[tier][1] - 1 if rules[tier][0] else FOR_GOOD
            self.reached[tier] = max(self.reached.get(tier, 0), until)

    def spent_for_next(self, rules, today):
        above = [tier for tier in sorted(rules) if tier > self.tier and rules[tier][0]]
        return self.spent(above[0], rules, month_of(today)) if above else 0

    def lost_on(self, rules, today):
        """If nothing more is spent."""
        if not self.tier or not rules[self.tier][0]:
            return ""
        needed, _, grace = rules[self.tier]
        last, month = self.reached.get(self.tier, 0), month_of(today)
        while self.spent(self.tier, rules, month) >= needed:
            last, month = max(last, month), month + 1
        return str(first_of(last + grace + 1))


class Year:
    def __init__(self, out, seed):
        self.out, self.random = out, random.Random(seed)
        self.members = {name: Member() for name in MEMBERS}
        self.rules, self.ref, self.open = VERSIONS[0], 0, []  # open: purchases that may come back
        self.tiers_seen, self.falls = set(), 0

    def write(self, **line):
        self.out.write(json.dumps(line) + "\n")

    def row(self, number, member, amount, spent_on, **more):
        self.ref += 1
        currency = more.pop("currency", "CNY")
        return {"rowNumber": str(number), "transactionRef": f"t-{self.ref}", "memberRef": member, "amount": {"amountMinor": str(amount), "currencyCode": currency},
                "transactionTime": f"{spent_on}T{self.random.randrange(24):02}:{self.random.randrange(60):02}:00Z"} | more

    def purchase(self, number, name, today):
        roll = self.random.random
        spender = 0.3 + 2.5 * (MEMBERS.index(name) % 7) / 6  # some spend much more than others
        amount = 1 + int(spender * self.random.randrange(50, 1400))
        spent_on, counts, more = today, amount, {}
        if roll() < 0.15:
            spent_on = max(FIRST, today - datetime.timedelta(days=self.random.randrange(70)))
        elif spent_on == today:
            spent_on = today - datetime.timedelta(days=1)  # the clock stands at 14:00
        if roll() < 0.2:
            more["paidWithPointsMinor"] = str(self.random.randrange(1, amount + 1))
            counts -= int(more["paidWithPointsMinor"])
        if roll() < 0.1:
            more["fixedPoints"] = str(self.random.randrange(1, 50))
        elif roll() < 0.1:
            more["merchantCategoryCode"] = "6011"
            counts = 0
        if roll() < 0.05:
            more["currency"] = "USD"
            counts = 0
        row = self.row(number, name, amount, spent_on, **more)
        bought = self.members[name].buy(self.rules, today, spent_on, counts, amount)
        self.open.append((row["transactionRef"], name, amount, row["amount"]["currencyCode"], bought))
        return row

    def back(self, number, today):
        ref, name, amount, currency, bought = self.open.pop(self.random.randrange(len(self.open)))
        part = amount - bought[3] if self.random.random() < 0.6 else self.random.randrange(1, amount - bought[3] + 1)
        bought[3] += part
        if bought[3] < amount:
            self.open.append((ref, name, amount, currency, bought))
        self.open = self.open[-2000:]
        return self.row(number, name, part, today - datetime.timedelta(days=1), reversalOf=ref, currency=currency)

    def push(self, rows):
        if rows:
            self.write(push={"bankId": "bank-a", "rows": rows})

    def a_day(self, today):
        if self.random.random() < 0.45:
            buyers = [self.random.choice(MEMBERS) for _ in range(self.random.randrange(1, 60))]
            self.push([self.purchase(n + 1, name, today) for n, name in enumerate(buyers)])
        if len(self.open) > 50 and self.random.random() < 0.3:
            self.push([self.back(n + 1, today) for n in range(self.random.randrange(1, 12))])
        if self.random.random() < 0.05:
            name, tier = self.random.choice(MEMBERS), self.random.choice([0, SILVER, GOLD, CHOSEN])
            self.write(tier=[name, tier])
            self.members[name].say(self.rules, today, tier)

    def expect(self, today):
        self.tiers_seen |= {m.tier for m in self.members.values()}
        self.write(expect={name: [m.tier, m.lost_on(self.rules, today), m.spent_for_next(self.rules, today)] for name, m in self.members.items()})

    def look(self, today):
        for member in self.members.values():
            before = member.tier
            member.look(self.rules, month_of(today))
            self.falls += member.tier < before

    def run(self):
        self.write(rules=document(VERSIONS[0]), number=1, start=f"{FIRST}T13:00:00Z")
        today = FIRST
        while today <= LAST:
            self.write(day=str(today))
            if today.day == 1:
                self.look(today)
            if today == CHANGE:
                self.rules = VERSIONS[1]
                self.look(today)
            if today == CHANGE - datetime.timedelta(days=9):
                self.write(rules=document(VERSIONS[1]), number=2, start=f"{CHANGE}T00:00:00Z")
            # The walk is daily; here it mostly does not come, but before and after another version begins.
            if abs((today - CHANGE).days) <= 1 or self.random.random() < 0.03:
                self.write(sweep=True)
            self.a_day(today)
            if today.day == 1 and self.random.random() < 0.7 or self.random.random() < 0.03 or today == LAST:
                self.expect(today)
            today += datetime.timedelta(days=1)
        assert self.tiers_seen == {0, SILVER, GOLD, CHOSEN, PEARL} and self.falls > 100, "the year shows too little"


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with open(os.path.join(sys.argv[1], "script.jsonl"), "w", encoding="utf-8") as out:
        Year(out, seed).run()


if __name__ == "__main__":
    main()
