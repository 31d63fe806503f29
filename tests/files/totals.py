#!/usr/bin/env python3
"""totals.py SET FOLDER KEY_HEX: what a bank's file must add up to, from the raw files alone, as JSON.

SET is ibm-cards, berka, completejourney-members, completejourney-spend or card-spend. Nothing is shared with the command line:
not the mapping files, whose meaning is written down here a second time, and not its code. A plain member list is `plain FILE`,
a plain file of card spend `plain-spend FILE`.
"""

import base64
import calendar
import csv
import datetime
import hashlib
import hmac
import json
import os
import sys
from decimal import Decimal, InvalidOperation

STATUS = {"": 0, "ACTIVE": 1, "FROZEN": 2, "CLOSED": 3, "DECEASED": 4}
CARD_STATUS = {"": 0, "ACTIVE": 1, "BLOCKED": 2, "CLOSED": 3}


def varint(number):
    """Base 128, least significant first."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, kind, content):
    """A field of a protobuf message."""
    return varint(number << 3 | kind) + content


def text(number, value):
    """A string; nothing when it is empty."""
    raw = value.encode()
    return field(number, 2, varint(len(raw)) + raw) if raw else b""


def within(number, raw):
    """A message in a field."""
    return field(number, 2, varint(len(raw)) + raw)


def card(token, product="", status="", expires="", holder=""):
    """alliance.v1.Card."""
    out = text(1, token) + text(2, product)
    if CARD_STATUS[status]:
        out += field(3, 0, varint(CARD_STATUS[status]))
    return out + text(4, expires) + (field(5, 0, varint(1)) + text(6, holder) if holder else b"")


def member(ref, limit, status, tokens, cards=(), contact=("", "", ""), consents=(), by_tier=False, temporary=None, tier=None):
    """alliance.v1.Member in canonical encoding."""
    out = text(1, ref)
    if limit:
        out += field(2, 0, varint(limit))
    if STATUS[status]:
        out += field(3, 0, varint(STATUS[status]))
    out += b"".join(text(4, token) for token in tokens)
    out += b"".join(within(10, card(*one)) for one in cards)
    if any(contact):
        out += within(11, b"".join(text(n, part) for n, part in enumerate(contact, 1)))
    out += b"".join(text(12, word) for word in consents) + (field(20, 0, varint(1)) if by_tier else b"")
    if temporary:
        points, first, last = temporary
        out += within(21, (field(1, 0, varint(points)) if points else b"") + text(2, first) + text(3, last))
    return out + (within(22, field(1, 0, varint(tier)) if tier else b"") if tier is not None else b"")


class Totals:
    """Rows, the sum of limits, and a hash over the members with their lengths."""

    def __init__(self):
        self.rows = self.limits = 0
        self.digest = hashlib.sha256()

    def add(self, ref, limit, status="", tokens=(), **more):
        """One member."""
        raw = member(ref, limit, status, tokens, **more)
        self.digest.update(len(raw).to_bytes(4, "big") + raw)
        self.rows += 1
        self.limits += limit

    def said(self):
        """In the words of `alliance members check --json`."""
        return {"rows": str(self.rows), "creditLimitTotal": str(self.limits), "rowsSha256": self.digest.hexdigest()}


def number(place, value):
    """A number in a field; nothing when it is 0; negative ones as 64 bits."""
    return field(place, 0, varint(value % 2 ** 64)) if value else b""


def accrual(row, minor):
    """alliance.v1.AccrualRow in canonical encoding, without its number; row has our columns."""
    has = {name: value or "" for name, value in row.items()}.get
    at = datetime.datetime.fromisoformat(row["transaction_time"].replace("Z", "+00:00"))
    seconds = int((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds())
    event = has("pending_until", "").upper() == "EVENT"
    return (text(2, row["transaction_ref"]) + text(3, has("member_ref", "")) + within(4, text(1, row["currency"]) + number(2, minor)) +
            within(5, number(1, seconds)) + text(6, has("funding_id", "")) + text(7, "" if event else has("pending_until", "")) +
            number(8, int(event)) + number(9, int(has("fixed_points", "") or 0)) + text(10, has("merchant_category_code", "")) +
            text(11, has("merchant_name", "")) + text(12, has("reversal_of", "")) + text(13, has("card_token", "")) + text(14, has("merchant_id", "")) +
            text(15, has("channel", "")) + number(16, minor_of(has("paid_with_points", "") or "0")))


class Spend:
    """Rows, those that name a card, sums by currency in the order in which they come, and a hash over the rows."""

    def __init__(self):
        self.rows = self.by_card = self.refused = 0
        self.sums = {}
        self.digest = hashlib.sha256()

    def add(self, row, minor):
        """One good row."""
        raw = accrual(row, minor)
        self.digest.update(len(raw).to_bytes(4, "big") + raw)
        self.rows += 1
        self.by_card += bool(row.get("card_token"))
        self.sums[row["currency"]] = self.sums.get(row["currency"], 0) + minor

    def said(self):
        """In the words of `alliance accruals check --json`."""
        return {"rows": str(self.rows), "byCard": str(self.by_card), "refused": str(self.refused),
                "rowsSha256": self.digest.hexdigest(), "amountMinorTotal": {name: str(minor) for name, minor in self.sums.items()}}


def token(digits, key):
    """What stands for a card number."""
    digest = hmac.new(key, digits.encode(), hashlib.sha256).digest()
    return "tok_" + base64.b32encode(digest).decode().lower()[:26]


def table(folder, name, separator=","):
    """The rows of a file as dictionaries."""
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def month_end(text_of_month):
    """The last day of MM/YYYY."""
    month, year = map(int, text_of_month.split("/"))
    return f"{year:04d}-{month:02d}-{calendar.monthrange(year, month)[1]:02d}"


def ibm_cards(folder, key):
    """A member a user: the sum of the limits of all cards, and their tokens."""
    users = {}
    for row in table(folder, "sd254_cards.csv"):
        users.setdefault(row["User"], []).append(row)
    names = [row["Person"] for row in table(folder, "sd254_users.csv")]
    totals = Totals()
    for user, cards in users.items():
        stolen = any(one["Card on Dark Web"] == "Yes" for one in cards)
        totals.add("ibm-" + user, sum(int(one["Credit Limit"].lstrip("$")) for one in cards),
                   "FROZEN" if stolen else "ACTIVE", contact=(names[int(user)], "", ""),
                   cards=[(token(one["Card Number"], key), one["Card Brand"].lower(), "", month_end(one["Expires"])) for one in cards])
    return totals.said()


def berka(folder, _key):
    """A member a client."""
    cards = {row["disp_id"]: row for row in table(folder, "card.asc", ";")}
    limits = {"junior": 2000, "classic": 20000, "gold": 100000}
    totals = Totals()
    for row in table(folder, "disp.asc", ";"):
        has = cards.get(row["disp_id"])
        totals.add("berka-" + row["client_id"], limits[has["type"]] if has else 0,
                   "ACTIVE" if row["type"] == "OWNER" else "FROZEN",
                   cards=[("berka-card-" + has["card_id"], has["type"])] if has else [])
    return totals.said()


def completejourney_members(folder, _key):
    """A member a household, in the order in which they first buy."""
    incomes = {row["household_id"]: row["income"] for row in table(folder, "demographics.csv")}
    limits = dict(zip(["", "Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K",
                       "150-174K", "175-199K", "200-249K", "250K+"],
                      [0, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000]))
    totals = Totals()
    for household in dict.fromkeys(row["household_id"] for row in table(folder, "transactions_sample.csv")):
        totals.add("household-" + household, limits[incomes.get(household, "")])
    return totals.said()


def minor_of(amount, decimals=2):
    """A positive amount in minor units; None when it is none."""
    try:
        value = Decimal(amount) * 10 ** decimals
    except InvalidOperation:
        return None
    return int(value) if "e" not in amount and value == value.to_integral_value() and value > 0 else None


def completejourney_spend(folder, _key):
    """Every line of which something was spent, in cents."""
    spend = Spend()
    for row in table(folder, "transactions_sample.csv"):
        minor = minor_of(row["sales_value"])
        if minor is None:
            spend.refused += 1
            continue
        spend.add({"transaction_ref": row["basket_id"] + "." + row["product_id"], "member_ref": "household-" + row["household_id"],
                   "currency": "USD", "transaction_time": row["transaction_timestamp"].replace(" ", "T") + "Z"}, minor)
    return spend.said()


def card_spend(folder, key):
    """What a card system writes: a line a purchase, with the card's number."""
    spend = Spend()
    for row in table(folder, "card_spend.csv"):
        minor = minor_of(row["Amount"])
        if minor is None:
            spend.refused += 1
            continue
        spend.add({"transaction_ref": row["Reference"], "card_token": token(row["Card Number"], key), "currency": "USD",
                   "transaction_time": row["Time"], "merchant_category_code": row["MCC"], "merchant_name": row["Merchant"],
                   "reversal_of": row["Refund Of"]}, minor)
    return spend.said()


def plain_spend(path, _key):
    """Card spend with our own header, all of it good."""
    spend = Spend()
    for row in table(os.path.dirname(path), os.path.basename(path)):
        spend.add(row, minor_of(row["amount"]))
    return spend.said()


def plain(path, _key):
    """A list with our own header."""
    totals = Totals()
    for row in table(os.path.dirname(path), os.path.basename(path)):
        parts = {name: value.split("|") for name, value in row.items() if value and (name.startswith("card_") or name == "consents")}
        tokens = parts.get("card_tokens", [])
        lists = [parts.get(name) for name in ("card_products", "card_status", "card_expiry", "card_holders")]
        cards = list(zip(tokens, *(one or [""] * len(tokens) for one in lists))) if any(any(one or []) for one in lists) else []
        by_tier, tier, last = row["credit_limit"] == "TIER", row.get("tier"), row.get("temporary_last_date")
        totals.add(row["member_ref"], 0 if by_tier else int(row["credit_limit"]), row.get("status") or "", [] if cards else tokens,
                   cards=cards, by_tier=by_tier, tier=int(tier) if tier else None,
                   temporary=(int(row["temporary_limit"]), row.get("temporary_first_date") or "", last) if last else None,
                   contact=[row.get(name) or "" for name in ("name", "phone", "email")], consents=parts.get("consents", []))
    return totals.said()


SETS = {"ibm-cards": ibm_cards, "berka": berka, "completejourney-members": completejourney_members,
        "completejourney-spend": completejourney_spend, "card-spend": card_spend, "plain": plain, "plain-spend": plain_spend}


def main():
    """Prints them."""
    name, folder, key = (sys.argv[1:] + ["", ""])[:3]
    print(json.dumps(SETS[name](folder, bytes.fromhex(key))))


if __name__ == "__main__":
    main()
