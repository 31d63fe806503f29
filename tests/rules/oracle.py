#!/usr/bin/env python3
"""What rule sets come to, computed a second time: exact fractions, written from the proto file's sentences alone.

Usage: oracle.py ANSWER [SETS [SEED]]
ANSWER is the program of answer.c. Random documents, spends and redemptions are asked of both; every answer must be the
same, and every kind of answer must have come up.
"""
import collections
import datetime
import json
import math
import random
import subprocess
import sys
from fractions import Fraction

POINTS_MAX = 10**12
RATIO_MAX = 10**9
INT64_MAX = 2**63 - 1
DAY = datetime.date(2026, 1, 1)
MERCHANTS = ["shop-1", "shop-2", "shop-3"]
CHANNELS = ["online", "app", "pos"]
GOODS = ["kettle", "cruise", "lounge"]


# What a document says


def fraction(ratio, absent=Fraction(1)):
    return Fraction(int(ratio["num"]), int(ratio["den"])) if ratio else absent


def matches(match, case):
    def among(field, value):
        return not match.get(field) or value in match[field]

    category = match.get("categories")
    if category and not any(r.get("first", 0) <= case["category"] <= r.get("last", 0) for r in category):
        return False
    day = case["date"]
    if match.get("firstDate") and day < datetime.date.fromisoformat(match["firstDate"]):
        return False
    if match.get("lastDate") and day > datetime.date.fromisoformat(match["lastDate"]):
        return False
    return (among("currencyCodes", case["currency"]) and among("merchantIds", case["merchant"])
            and among("channels", case["channel"]) and among("goodsKinds", case["kind"])
            and match.get("lowestTier", 0) <= case["tier"] < (match.get("belowTier") or 101)
            and among("daysOfMonth", day.day) and among("weekdays", day.isoweekday()))


def deciding(rules, case):
    holding = [rule for rule in rules if matches(rule.get("match") or {}, case)]
    return max(holding, key=lambda rule: rule.get("priority", 0)) if holding else None


def tier_of(document, tier):
    below = [entry for entry in document.get("tiers", []) if entry.get("tier", 0) <= tier]
    return below[-1] if below else {}


def rate_of(document, currency):
    return next((rate for rate in document["rules"]["rates"] if rate["currencyCode"] == currency), None)


def largest(document):
    return int(document.get("largestAmountMinor", 0)) or 10**11


def capped(points, caps, today, month):
    caps = caps or {}
    for name, before in (("perTransaction", 0), ("perDay", today), ("perMonth", month)):
        cap = int(caps.get(name, 0))
        if cap:
            points = min(points, max(0, cap - before))
    return points


def earn(document, spend):
    if not rate_of(document, spend["currency"]):
        return "CURRENCY_NOT_EXCHANGED", 0
    if spend["amount"] > largest(document):
        return "AMOUNT_TOO_LARGE", 0
    base = spend["amount"]
    if document["accrualBase"] == "ACCRUAL_BASE_WITHOUT_POINTS":
        base -= spend["paid"]
    rule = deciding(document.get("accrualRules", []), spend)
    if rule and rule.get("excluded"):
        return "NOTHING_EARNED", 0
    rate = fraction(rule["rate"] if rule else document["rules"]["accrualRate"])
    points = math.floor(base * rate * fraction(tier_of(document, spend["tier"]).get("multiplier")))
    if points > POINTS_MAX:
        return "AMOUNT_TOO_LARGE", 0
    if rule:
        points = capped(points, rule.get("caps"), spend["ruleToday"], spend["ruleMonth"])
    points = capped(points, document.get("earnCaps"), spend["today"], spend["month"])
    return ("OK", points) if points > 0 else ("NOTHING_EARNED", 0)


def bounds(document, full):
    """The least and the most points, and whether a part may be paid in cash."""
    shares = document.get("pointsAndCash")
    least_bp = shares.get("leastPointsBp", 0) if shares is not None else 10000
    most_bp = (shares.get("mostPointsBp", 0) or 10000) if shares is not None else 10000
    minimum = int(document["rules"].get("minimumPoints", 0)) or 1
    maximum = int(document.get("maximumPoints", 0)) or POINTS_MAX
    step = int(document.get("stepPoints", 0)) or 1
    least = max(minimum, math.ceil(Fraction(full * least_bp, 10000)))
    most = min(maximum, math.floor(Fraction(full * most_bp, 10000))) // step * step
    return least, most, least_bp < 10000, minimum, maximum, step


def price(document, ask):
    refused = lambda reason: (reason, 0, 0, 0, 0)
    general = rate_of(document, ask["currency"])
    if not general:
        return refused("CURRENCY_NOT_EXCHANGED")
    if ask["price"] > largest(document):
        return refused("AMOUNT_TOO_LARGE")
    for tier in document.get("tiers", []):
        if ask["goods"] and ask["goods"] in tier.get("exclusiveGoodsIds", []):
            if ask["tier"] < tier.get("tier", 0):
                return refused("TIER_TOO_LOW")
            break
    rule = deciding(document.get("rateRules", []), ask) or {}
    conversion = fraction(rule.get("conversionRate") or general["conversionRate"])
    settlement = fraction(rule.get("settlementRate") or general["settlementRate"])
    conversion *= fraction(tier_of(document, ask["tier"]).get("conversionFactor"))
    bare = math.ceil(ask["price"] * conversion)
    if bare > POINTS_MAX:
        return refused("AMOUNT_TOO_LARGE")
    full = math.ceil(Fraction(bare, int(document.get("stepPoints", 0)) or 1)) * (int(document.get("stepPoints", 0)) or 1)
    if full > POINTS_MAX:
        return refused("AMOUNT_TOO_LARGE")
    least, most, cash, minimum, maximum, step = bounds(document, full)
    points = ask["points"] or (most if cash else full)
    if points < minimum:
        return refused("BELOW_MINIMUM")
    if points > maximum:
        return refused("ABOVE_MAXIMUM")
    if points % step:
        return refused("NOT_A_STEP")
    if not least <= points <= most:
        return refused("CASH_BOUNDS")
    settled = round(points * settlement)  # of a Fraction: half to even
    if settled > INT64_MAX:
        return refused("AMOUNT_TOO_LARGE")
    return "OK", full, points, ask["price"] - math.floor(Fraction(ask["price"] * points, full)), settled


# Documents and questions at random


def some(rng, values, most=2):
    return rng.sample(values, rng.randint(1, min(most, len(values))))


def any_ratio(rng, wide):
    if wide:
        return {"num": str(rng.choice([1, RATIO_MAX, rng.randint(1, RATIO_MAX)])),
                "den": str(rng.choice([1, RATIO_MAX, rng.randint(1, RATIO_MAX)]))}
    return {"num": str(rng.randint(1, 30)), "den": str(rng.randint(1, 40))}


def any_caps(rng):
    return {name: str(rng.choice([0, 1, 50, rng.randint(1, 5000)])) for name in ("perTransaction", "perDay", "perMonth")}


def any_match(rng, currencies, redeems):
    match, chance = {}, lambda share: rng.random() < share
    if chance(0.3):
        match["currencyCodes"] = some(rng, currencies)
    if not redeems and chance(0.5) or chance(0.1):
        firsts = [rng.randint(5400, 5420) for _ in range(rng.randint(1, 2))]
        match["categories"] = [{"first": first, "last": first + rng.randint(0, 8)} for first in firsts]
    if chance(0.3):
        match["merchantIds"] = some(rng, MERCHANTS)
    if chance(0.3):
        match["channels"] = some(rng, CHANNELS)
    if redeems and chance(0.2):
        match["goodsKinds"] = ["GOODS_KIND_PHYSICAL"]
    if chance(0.3):
        match["lowestTier"] = rng.randint(0, 5)
    if chance(0.2):
        match["belowTier"] = match.get("lowestTier", 0) + rng.randint(1, 4)
    if chance(0.2):
        match["daysOfMonth"] = some(rng, list(range(1, 32)), 12)
    if chance(0.2):
        match["weekdays"] = some(rng, list(range(1, 8)), 4)
    if chance(0.2):
        first = DAY + datetime.timedelta(rng.randint(0, 60))
        match["firstDate"] = first.isoformat()
        match["lastDate"] = (first + datetime.timedelta(rng.randint(0, 60))).isoformat()
    return match


def any_document(rng):
    wide = rng.random() < 0.1
    currencies = some(rng, ["CNY", "USD", "JPY"], 3)
    document = {
        "rules": {"rates": [{"currencyCode": c, "conversionRate": any_ratio(rng, wide),
                             "settlementRate": any_ratio(rng, wide)} for c in currencies],
                  "minimumPoints": str(rng.choice([0, 1, 100, rng.randint(1, 2000)])), "expiryMonths": 12,
                  "accrualRate": any_ratio(rng, wide)},
        "accrualBase": rng.choice(["ACCRUAL_BASE_WHOLE_AMOUNT", "ACCRUAL_BASE_WITHOUT_POINTS"]),
        "largestAmountMinor": str(rng.choice([0, 10**14, rng.randint(1000, 10**6)])),
        "maximumPoints": str(rng.choice([0, rng.randint(2000, 50000)])),
        "stepPoints": str(rng.choice([0, 1, 10, rng.randint(1, 500)])),
        "accrualRules": [], "rateRules": [], "tiers": [],
    }
    if rng.random() < 0.6:
        least = rng.choice([0, 2000, rng.randint(0, 10000)])
        document["pointsAndCash"] = {"leastPointsBp": least, "mostPointsBp": rng.choice([10000, rng.randint(max(1, least), 10000)])}
    if rng.random() < 0.4:
        document["earnCaps"] = any_caps(rng)
    for i, priority in enumerate(rng.sample(range(1001), rng.randint(0, 8))):
        rule = {"name": f"earn-{i}", "priority": priority, "match": any_match(rng, currencies, False)}
        if rng.random() < 0.15:
            rule["excluded"] = True
        else:
            rule["rate"] = any_ratio(rng, wide)
            if rng.random() < 0.5:
                rule["caps"] = any_caps(rng)
        document["accrualRules"].append(rule)
    for i, priority in enumerate(rng.sample(range(1001), rng.randint(0, 6))):
        rule = {"name": f"rate-{i}", "priority": priority, "match": any_match(rng, currencies, True)}
        which = rng.randint(1, 3)
        if which & 1:
            rule["conversionRate"] = any_ratio(rng, wide)
        if which & 2:
            rule["settlementRate"] = any_ratio(rng, wide)
        document["rateRules"].append(rule)
    for tier in sorted(rng.sample(range(8), rng.randint(0, 4))):
        entry = {"tier": tier, "name": f"tier-{tier}"}
        if rng.random() < 0.7:
            entry["multiplier"] = any_ratio(rng, wide)
        if rng.random() < 0.5:
            entry["conversionFactor"] = any_ratio(rng, wide)
        if rng.random() < 0.4:
            entry["exclusiveGoodsIds"] = some(rng, GOODS)
        document["tiers"].append(entry)
    return document


def any_case(rng, document):
    currencies = [rate["currencyCode"] for rate in document["rules"]["rates"]]
    return {"currency": rng.choice(["CNY", "USD", "JPY"]) if rng.random() < 0.1 else rng.choice(currencies), "merchant": rng.choice(MERCHANTS + [""]),
            "channel": rng.choice(CHANNELS + [""]), "category": rng.choice([-1, rng.randint(5395, 5430)]),
            "tier": rng.randint(0, 9), "date": DAY + datetime.timedelta(rng.randint(0, 120)), "kind": ""}


def any_amount(rng):
    return rng.choice([rng.randint(1, 500), rng.randint(1, 10**5), rng.randint(1, 10**5), rng.randint(1, 10**14)])


def place_of(case):
    return {"merchantCategoryCode": f"{case['category']:04d}" if case["category"] >= 0 else "",
            "merchantId": case["merchant"], "channel": case["channel"], "tier": case["tier"],
            "date": case["date"].isoformat(), "goodsKind": case["kind"] or "GOODS_KIND_UNSPECIFIED"}


def any_spend(rng, document):
    spend = any_case(rng, document)
    spend["amount"] = any_amount(rng)
    spend["paid"] = rng.choice([0, rng.randint(0, spend["amount"])])
    for name in ("today", "month", "ruleToday", "ruleMonth"):
        spend[name] = rng.choice([0, rng.randint(0, 6000)])
    asked = {"amount": {"currencyCode": spend["currency"], "amountMinor": str(spend["amount"])},
             "paidWithPointsMinor": str(spend["paid"]), "earnedToday": str(spend["today"]),
             "earnedThisMonth": str(spend["month"]), "earnedTodayByRule": str(spend["ruleToday"]),
             "earnedThisMonthByRule": str(spend["ruleMonth"]), "place": place_of(spend)}
    return spend, asked


def any_redemption(rng, document):
    ask = any_case(rng, document)
    ask["price"] = any_amount(rng)
    ask["goods"] = rng.choice(GOODS + ["", ""])
    ask["kind"] = rng.choice(["GOODS_KIND_PHYSICAL", ""])
    step = int(document["stepPoints"]) or 1
    ask["points"] = rng.choice([0, rng.randint(1, 20000), rng.randint(1, 2000) * step])
    asked = {"price": {"currencyCode": ask["currency"], "amountMinor": str(ask["price"])},
             "points": str(ask["points"]), "goodsId": ask["goods"], "place": place_of(ask)}
    return ask, asked


def questions(sets, seed):
    """Lines to ask, and what each must be answered."""
    rng = random.Random(seed)
    for _ in range(sets):
        document = any_document(rng)
        yield f"D {json.dumps(document)}", "ok", document
        for _ in range(6):
            spend, asked = any_spend(rng, document)
            yield f"S {json.dumps(asked)}", " ".join(map(str, earn(document, spend))), document
            ask, asked = any_redemption(rng, document)
            yield f"R {json.dumps(asked)}", " ".join(map(str, price(document, ask))), document


WANTED = {"ok", "OK", "NOTHING_EARNED", "AMOUNT_TOO_LARGE", "CURRENCY_NOT_EXCHANGED", "TIER_TOO_LOW", "BELOW_MINIMUM",
          "ABOVE_MAXIMUM", "NOT_A_STEP", "CASH_BOUNDS"}


def main():
    sets = int(sys.argv[2]) if len(sys.argv) > 2 else 2500
    asked = list(questions(sets, int(sys.argv[3]) if len(sys.argv) > 3 else 20260115))
    text = "".join(line + "\n" for line, _, _ in asked)
    ran = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True, check=False)
    answers = ran.stdout.splitlines()
    kinds = collections.Counter(expected.split()[0] for _, expected, _ in asked)
    wrong = [(line, expected, got, document) for (line, expected, document), got in zip(asked, answers) if expected != got]
    for line, expected, got, document in wrong[:5]:
        print(f"asked    {line}\nexpected {expected}\ngot      {got}\nof       {json.dumps(document)}\n")
    print(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    if ran.returncode or len(answers) != len(asked):
        print(f"the program ended with {ran.returncode} after {len(answers)} of {len(asked)} answers: {ran.stderr[:500]}")
        return 1
    if WANTED - set(kinds):
        print(f"never came up: {WANTED - set(kinds)}")
        return 1
    print(f"{len(asked)} questions of {sets} rule sets, {len(wrong)} answered otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
