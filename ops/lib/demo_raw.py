"""The demo's raw files, read row by row: what is good becomes baskets, limits and cards; what is not is refused with its place.

Also makes the raw files of the generated data set, from a fixed seed.
"""
import collections
import csv
import dataclasses
import datetime
import os
import random
import re

from demo_rule import Basket

AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?")
DIGITS = re.compile(r"\d{1,19}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@dataclasses.dataclass
class Raw:
    """What the raw files say. Cards are (user, card number) and never leave the process but to be made tokens."""
    baskets: list
    limits: dict   # bank -> {member: credit limit}
    stores: dict   # merchant -> [store], in the merchants' order
    cards: list
    refused: list  # (file, line, reason)


class Refused(Exception):
    """This row is not taken; the message says why."""


def cents(text):
    """"12.3" -> 1230, exactly."""
    match = AMOUNT.fullmatch(text)
    if not match:
        raise Refused(f"the value {text!r} is not an amount with at most two decimals")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def digits(text, what):
    if not DIGITS.fullmatch(text):
        raise Refused(f"the {what} {text!r} is not a number")
    return text


def local_time(text, programme):
    try:
        if not TIME.fullmatch(text):
            raise ValueError
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not a time") from None
    if not programme.first <= time.date() <= programme.last:
        raise Refused(f"{text} is not within {programme.first} and {programme.last}")
    return time


def rows(path, width, refused):
    """(line, fields) of each row of the right width, the header left out; the others are refused."""
    name = os.path.basename(path)
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.reader(file)
        next(reader, None)
        for fields in reader:
            if len(fields) == width:
                yield reader.line_num, fields
            else:
                refused.append((name, reader.line_num, f"{len(fields)} fields instead of {width}: is the line cut?"))


def read_transactions(path, programme, raw):
    """Complete Journey: the good rows of one basket_id are one basket."""
    name = os.path.basename(path)
    amounts, facts = collections.Counter(), {}
    for line, row in rows(path, 11, raw.refused):
        try:
            household, store, basket = [digits(row[i], what) for i, what in enumerate(("household", "store", "basket"))]
            raw.limits["cj"].setdefault(f"h{household}", 0)
            raw.stores.setdefault(f"store-{store}", [store])
            if not DIGITS.fullmatch(row[4]) or int(row[4]) == 0:
                raise Refused(f"the quantity {row[4]!r} is not a whole number above 0")
            amount = cents(row[5])
            facts.setdefault(basket, (line, household, store, local_time(row[10], programme)))
            amounts[basket] += amount
        except Refused as reason:
            raw.refused.append((name, line, str(reason)))
    for basket, (line, household, store, time) in facts.items():
        if amounts[basket] == 0:
            raw.refused.append((name, line, f"the basket {basket} comes to nothing"))
        else:
            raw.baskets.append(Basket(basket, f"h{household}", f"store-{store}", store, amounts[basket], time))


def read_cards(path, raw):
    """A member for each user; limits add up. The number is kept only to be made a token."""
    name = os.path.basename(path)
    for line, row in rows(path, 13, raw.refused):
        try:
            user = f"user-{digits(row[0], 'user')}"
            if not re.fullmatch(r"\d{12,19}", row[4]):
                raise Refused("the card number is none")  # and is not repeated here
            limit = re.fullmatch(r"\$(\d{1,9})", row[9])
            if not limit:
                raise Refused(f"the credit limit {row[9]!r} is not a whole amount of dollars")
        except Refused as reason:
            raw.refused.append((name, line, str(reason)))
            continue
        raw.limits["ibm"][user] = raw.limits["ibm"].get(user, 0) + int(limit[1])
        raw.cards.append((user, row[4]))


def read_real(source, programme):
    raw = Raw([], {"cj": {}, "ibm": {}}, {}, [], [])
    read_transactions(os.path.join(source, "completejourney", "transactions_sample.csv"), programme, raw)
    read_cards(os.path.join(source, "ibm-cards", "sd254_cards.csv"), raw)
    raw.stores = dict(sorted(raw.stores.items(), key=lambda item: int(item[1][0])))
    raw.limits = {"cj": raw.limits["cj"],
                  "ibm": dict(sorted(raw.limits["ibm"].items(), key=lambda item: int(item[0][5:])))}
    return raw


def generate(folder, programme):
    """members.csv, merchants.csv and baskets.csv: the same bytes every time."""
    dice = random.Random(20260101)
    os.makedirs(folder, exist_ok=True)
    members = [f"m{n:05}" for n in range(1, 10001)]
    write(folder, "members.csv", "member_ref,credit_limit", ((m, dice.choice((0, 0, 0, 0, 2000))) for m in members))
    stores = [(f"shop-{n:02}", f"s{n:02}-{k}") for n in range(1, 21) for k in range(1, dice.randint(2, 6))]
    write(folder, "merchants.csv", "merchant_id,store_id", stores)
    write(folder, "baskets.csv", "basket_id,member_ref,merchant_id,store_id,amount,time",
          (baskets_row(n, dice, members, stores, programme) for n in range(24000)))


def baskets_row(number, dice, members, stores, programme):
    member = members[int(len(members) * dice.random() ** 2)]
    merchant, store = dice.choice(stores)
    amount = int(1500 * 10 ** (2 * dice.random()))
    seconds = dice.randrange(((programme.last - programme.first).days + 1) * 86400)
    time = datetime.datetime.combine(programme.first, datetime.time()) + datetime.timedelta(seconds=seconds)
    return 880000 + number, member, merchant, store, f"{amount // 100}.{amount % 100:02}", time.isoformat()


def write(folder, name, header, rows_):
    with open(os.path.join(folder, name), "w", newline="", encoding="utf-8") as file:
        file.write(header + "\n")
        csv.writer(file, lineterminator="\n").writerows(rows_)


def read_generated(folder, programme):
    raw = Raw([], {programme.spending_bank: {}}, {}, [], [])
    for _, (member, limit) in rows(os.path.join(folder, "members.csv"), 2, raw.refused):
        raw.limits[programme.spending_bank][member] = int(limit)
    for _, (merchant, store) in rows(os.path.join(folder, "merchants.csv"), 2, raw.refused):
        raw.stores.setdefault(merchant, []).append(store)
    for line, row in rows(os.path.join(folder, "baskets.csv"), 6, raw.refused):
        try:
            raw.baskets.append(Basket(*row[:4], cents(row[4]), local_time(row[5], programme)))
        except Refused as reason:
            raw.refused.append(("baskets.csv", line, str(reason)))
    return raw
