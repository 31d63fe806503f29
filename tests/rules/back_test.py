#!/usr/bin/env python3
"""A month of a small bank, and what a back-test of it must say: each member's lots by name, one point after another.

Usage: back_test.py DIR [SEED]
Writes DIR/world.sql (accounts, accruals, redemptions and expiries of December 2025, as the lanes would have left them),
DIR/ruled.json (the bank's version 3), DIR/draft.json (a rule set) and DIR/expected.json (the answer). The rules themselves are those of oracle.py.
"""
import collections
import datetime
import json
import os
import random
import sys
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle  # noqa: E402

FIRST, LAST = datetime.date(2025, 12, 1), datetime.date(2025, 12, 31)
FAR = datetime.date(2027, 1, 1)
COMMISSION_BP = {"shop-1": 100, "shop-2": 250}
VERSIONS = {1: (Fraction(1), Fraction(7, 10)), 2: (Fraction(3, 2), Fraction(1, 2)), 3: (Fraction(1), Fraction(7, 10))}  # conversion, settlement
KETTLE = 500
# Version 3 was a rule set.
RULED = {
    "rules": {"rates": [{"currencyCode": "CNY", "conversionRate": {"num": "1", "den": "1"}, "settlementRate": {"num": "7", "den": "10"}}],
              "expiryMonths": 12, "accrualRate": {"num": "1", "den": "10"}},
    "accrualBase": "ACCRUAL_BASE_WHOLE_AMOUNT",
    "rateRules": [{"name": "shop-2", "priority": 1, "match": {"merchantIds": ["shop-2"]}, "conversionRate": {"num": "2", "den": "1"}}],
    "tiers": [{"tier": 2, "name": "gold", "conversionFactor": {"num": "9", "den": "10"}}],
}
DRAFT = {
    "rules": {"rates": [{"currencyCode": "CNY", "conversionRate": {"num": "6", "den": "5"}, "settlementRate": {"num": "3", "den": "5"}}],
              "minimumPoints": "20", "expiryMonths": 12, "accrualRate": {"num": "1", "den": "8"}},
    "accrualBase": "ACCRUAL_BASE_WITHOUT_POINTS", "stepPoints": "5", "maximumPoints": "4000",
    "pointsAndCash": {"leastPointsBp": 1000, "mostPointsBp": 9000},
    "earnCaps": {"perMonth": "2500"},
    "accrualRules": [
        {"name": "groceries", "priority": 3, "match": {"categories": [{"first": 5411, "last": 5411}]},
         "rate": {"num": "1", "den": "3"}, "caps": {"perDay": "400", "perMonth": "900", "perTransaction": "350"}},
        {"name": "no-cash", "priority": 9, "match": {"categories": [{"first": 6011, "last": 6011}]}, "excluded": True},
        {"name": "shop-1-online", "priority": 7, "match": {"merchantIds": ["shop-1"], "channels": ["online"], "lowestTier": 1},
         "rate": {"num": "1", "den": "4"}},
        {"name": "sundays", "priority": 5, "match": {"weekdays": [7]}, "rate": {"num": "1", "den": "5"}}],
    "rateRules": [
        {"name": "shop-2", "priority": 2, "match": {"merchantIds": ["shop-2"]}, "settlementRate": {"num": "1", "den": "2"}},
        {"name": "parcels", "priority": 4, "match": {"goodsKinds": ["GOODS_KIND_PHYSICAL"]}, "conversionRate": {"num": "1", "den": "1"}}],
    "tiers": [{"tier": 2, "name": "gold", "multiplier": {"num": "3", "den": "2"}, "conversionFactor": {"num": "9", "den": "10"},
               "exclusiveGoodsIds": ["kettle"]}],
}


class Purse:
    """Lots of points by the day they are gone on; what is drawn ahead of earning is repaid first."""

    def __init__(self, lots, credit):
        self.lots, self.limit, self.used, self.gone = collections.Counter(lots), credit, 0, 0

    def points(self):
        return sum(self.lots.values())

    def spendable(self):
        return self.points() + max(0, self.limit - self.used)

    def earn(self, points):
        repaid = min(points, self.used)
        self.used -= repaid
        self.lots[FAR] += points - repaid

    def take(self, points):
        drawn = []
        for day in sorted(self.lots):
            part = min(self.lots[day], points)
            if part:
                drawn.append((day, part))
                self.lots[day] -= part
                points -= part
        self.used += points
        return drawn, points

    def expire(self, today):
        points = sum(self.lots.pop(day) for day in list(self.lots) if day <= today)
        self.gone += points
        return points

    def close(self):
        points = self.points()
        self.lots.clear()
        self.gone += points
        return points


class Sum:
    def __init__(self):
        self.value = collections.Counter()

    def message(self):
        v = self.value
        money = lambda name: [{"currencyCode": "CNY", "amountMinor": str(v[name])}] if v[name] else []
        return {"accruals": str(v["accruals"]), "pointsEarned": str(v["earned"]), "redemptions": str(v["redemptions"]),
                "pointsRedeemed": str(v["redeemed"]), "redemptionsRefused": str(v["refused"]),
                "pointsExpired": str(v["expired"]), "bankCost": money("cost"), "merchantIncome": money("income"),
                "cash": money("cash")}


class Group:
    def __init__(self):
        self.members, self.was, self.would = set(), Sum(), Sum()

    def message(self, **names):
        return {**names, "members": str(len(self.members)), "was": self.was.message(), "would": self.would.message()}


class World:
    def __init__(self, rng):
        self.rng, self.sql, self.entries = rng, [], 0
        self.total, self.tiers, self.merchants = Group(), collections.defaultdict(Group), collections.defaultdict(Group)

    def count(self, member, side, merchant=None, **values):
        for group in [self.total, self.tiers[member["tier"]]] + ([self.merchants[merchant]] if merchant else []):
            group.members.add(member["id"])
            getattr(group, side).value.update(values)

    def insert(self, table, **columns):
        self.sql.append(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(map(str, columns.values()))});")


def quote(value):
    return f"'{value}'"


def packed(drawn):
    text = "".join(f"{(day - datetime.date(1970, 1, 1)).days:08x}{0:08x}{points:016x}" for day, points in drawn)
    return f"'\\x{text}'"


def half_even(value):
    return round(Fraction(value))


def keys(member):
    return {"bucket": f"{member['n']} % (SELECT buckets FROM installation)", "member_id": quote(member["id"])}


def bank():
    return "(SELECT bank_no FROM bank WHERE bank_id = 'bank-a')"


def programme():
    return "(SELECT programme_no FROM programme WHERE programme_id = 'demo')"


def case_of(member, day, **more):
    return {"currency": "CNY", "merchant": "", "channel": "", "category": -1, "kind": "", "tier": member["tier"], "date": day, **more}


def spend(world, member, day, at):
    rng = world.rng
    amount, category, fixed = rng.randint(10, 6000), rng.choice([0, 5411, 5411, 6011, 5999]), rng.random() < 0.1
    points = amount // 10 if not fixed else rng.randint(1, 300)
    returned = rng.choice([0, 0, 0, rng.randint(1, amount), amount])
    by_money = points * returned // amount
    by_hand = rng.choice([0, 0, 0, rng.randint(0, points - by_money)])
    kept = points - by_money - by_hand
    known = rng.random() < 0.7  # spend from before rule sets were asked says less
    shop, channel = rng.choice(["", "shop-1", "shop-2", "elsewhere"]) if known else "", rng.choice(["", "online"]) if known else ""
    paid, tier = (rng.choice([0, rng.randint(0, amount)]), rng.randint(0, 3)) if known else (0, member["tier"])
    spent = day - datetime.timedelta(rng.randint(0, 3)) if known else day
    world.insert("accrual", **keys(member), id="gen_random_uuid()", bank_no=bank(), transaction_ref=quote(f"t-{world.entries}"),
                 content_hash="''", amount_minor=amount, currency="'CNY'", transaction_time=quote(at), points=points,
                 rules_version=1, business_date=quote(day), at=quote(at), clawed_points=by_money + by_hand,
                 reversed_minor=returned, fixed_points=fixed, category=category,
                 merchant_id=quote(shop), channel=quote(channel), paid_with_points_minor=paid,
                 spent_on=quote(spent if known else "1970-01-01"), tier=tier if known else 0)
    world.entries += 1
    case = case_of(member, spent, category=category or -1, merchant=shop, channel=channel)
    case["tier"] = tier
    would = 0
    if fixed:
        would = kept
    elif amount > returned:
        seen = member["seen"]
        rule = oracle.deciding(DRAFT["accrualRules"], case)
        name = rule["name"] if rule else ""
        left = amount - returned
        reason, would = oracle.earn(DRAFT, {**case, "amount": left, "paid": paid * left // amount, "today": seen[day],
                                            "month": seen["all"], "ruleToday": seen[name, day], "ruleMonth": seen[name]})
        for key in (day, "all", name, (name, day)):
            seen[key] += would
        would = would * kept // (points - by_money) if by_hand else would
    member["was"].earn(kept)
    member["would"].earn(would)
    shop = shop if shop in COMMISSION_BP else None
    world.count(member, "was", shop, accruals=kept > 0, earned=kept)
    world.count(member, "would", shop, accruals=would > 0, earned=would)


def redeem(world, member, day, at):
    rng, purse = world.rng, member["was"]
    shop, version = rng.choice(["shop-1", "shop-2"]), rng.choice([1, 2, 3])
    quantity = rng.randint(1, 3) if shop == "shop-1" and rng.random() < 0.5 else 0
    held = KETTLE * quantity if quantity else rng.randint(1, 1500)
    before = purse.spendable()
    if held > before:
        return
    confirmed = held if quantity else rng.randint(1, held)
    returned = rng.choice([0, 0, 0, confirmed, rng.randint(0, confirmed)])
    points, (conversion, settlement) = confirmed - returned, VERSIONS[version]
    gross = half_even(confirmed * settlement)
    commission = half_even(Fraction(gross * COMMISSION_BP[shop], 10000))
    back = gross * returned // confirmed, commission * returned // confirmed
    drawn, credit = purse.take(points)
    world.insert("redemption", **keys(member), id="gen_random_uuid()", programme_no=programme(), bank_no=bank(),
                 merchant_no=f"(SELECT merchant_no FROM merchant WHERE merchant_id = '{shop}')", store_no=0, terminal_id="''",
                 content_hash="''", reason="'OK'", state=2, points=held, confirmed_points=confirmed, reversed_points=returned,
                 currency="'CNY'", gross_minor=gross, commission_minor=commission, reversed_gross_minor=back[0],
                 reversed_commission_minor=back[1], rules_version=version, terms_version=1,
                 goods_no="(SELECT goods_no FROM goods WHERE goods_id = 'kettle')" if quantity else 0, quantity=quantity,
                 ship_to="''", spendable_after=before - held, business_date=quote(day), held_at=quote(at), lapse_at=quote(at),
                 draw_credit=credit, draws=packed(drawn))
    if points == 0:
        return
    world.entries += 1
    if version == 3:
        conversion *= (2 if shop == "shop-2" else 1) * (Fraction(9, 10) if member["tier"] >= 2 else 1)
    price = KETTLE * quantity * points // held if quantity else int(points / conversion)
    answer = ("NO_PRICE", 0, 0, 0, 0)
    if price:
        answer = oracle.price(DRAFT, case_of(member, day, merchant=shop, price=price, points=0, goods="kettle" if quantity else "",
                                             kind="GOODS_KIND_PHYSICAL" if quantity else ""))
    reason, _, cost_points, cash, cost = answer
    # What stands in the books is before what was taken back of this redemption; so is what the draft could spend.
    good = reason == "OK" and cost_points <= member["would"].spendable()
    world.count(member, "was", shop, redemptions=1, redeemed=points, cost=gross - back[0],
                income=gross - back[0] - commission + back[1])
    if good:
        member["would"].take(cost_points)
        fee = half_even(Fraction(cost * COMMISSION_BP[shop], 10000))
        world.count(member, "would", shop, redemptions=1, redeemed=cost_points, cost=cost, income=cost - fee, cash=cash)
    else:
        world.count(member, "would", shop, refused=1)


def gone(world, member, day, at, kind, points):
    member["seq"] += 1
    world.entries += 1
    zero = dict.fromkeys(["available_after", "held_after", "credit_used_after", "credit_limit_after", "merchant_no",
                          "store_no", "rules_version", "terms_version", "gross_minor", "commission_minor"], 0)
    world.insert("journal", **keys(member), seq=member["seq"], business_date=quote(day), at=quote(at), kind=kind, points=points,
                 ref="gen_random_uuid()", redemption_id="gen_random_uuid()", programme_no=programme(), bank_no=bank(),
                 currency="''", hash="''", **zero)
    world.count(member, "was", expired=points)


def live(world, n):
    rng = world.rng
    lots = {FIRST + datetime.timedelta(rng.randint(1, 45)): rng.randint(1, 900) for _ in range(rng.randint(0, 5))}
    limit = rng.choice([0, 0, 800])
    member = {"n": n, "id": f"{rng.getrandbits(128):032x}", "tier": rng.randint(0, 3), "seq": 0, "seen": collections.Counter(),
              "was": Purse(lots, limit), "would": Purse(lots, limit)}
    closes = LAST - datetime.timedelta(rng.randint(0, 20)) if rng.random() < 0.15 else None
    world.insert("account", **keys(member), programme_no=programme(), bank_no=bank(), member_ref=quote(f"m-{n}"), status=1,
                 available=0, held=0, credit_limit=0, credit_used=0, journal_seq=0, chain="''", profile_hash="''", tier=member["tier"])
    for offset in range((LAST - FIRST).days + 1):
        day = FIRST + datetime.timedelta(offset)
        expired = member["was"].expire(day)
        member["would"].expire(day)
        if expired:
            gone(world, member, day, f"{day}T00:00:00Z", 9, expired)
        for hour in sorted(rng.sample(range(1, 22), rng.choice([0, 0, 1, 2]))):
            rng.choice([spend, redeem])(world, member, day, f"{day}T{hour:02d}:00:00Z")
        if day == closes and member["was"].points():
            member["would"].close()
            gone(world, member, day, f"{day}T23:00:00Z", 21, member["was"].close())
            break
    world.total.would.value["expired"] += member["would"].gone
    world.tiers[member["tier"]].would.value["expired"] += member["would"].gone


def main():
    world = World(random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 7))
    for n in range(120):
        live(world, n)
    points = lambda item: (-max(item[1].was.value["redeemed"], item[1].would.value["redeemed"]), item[0])
    expected = {"entries": str(world.entries), "finished": True, "number": 2, "version": 0, "total": world.total.message(),
                "tiers": [group.message(tier=tier) for tier, group in sorted(world.tiers.items()) if group.members],
                "merchants": [group.message(merchantId=shop) for shop, group in sorted(world.merchants.items(), key=points)]}
    for name, text in (("world.sql", "\n".join(world.sql)), ("draft.json", json.dumps(DRAFT)), ("ruled.json", json.dumps(RULED)),
                       ("expected.json", json.dumps(expected))):
        with open(os.path.join(sys.argv[1], name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
