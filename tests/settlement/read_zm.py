#!/usr/bin/env python3
"""Reads a pair's file of fixed width as UnionPay's page lays ZM out, and holds it against the pair's CSV; shares nothing with us.

read_zm.py ZM.txt PAIR.csv BANK_CODE OPERATOR_CODE MERCHANT_CODE MERCHANT_NAME   status 1: they differ
"""
import csv
import sys

WIDTHS = [3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32,
          13, 13, 12, 2, 1, 32, 98]
RECORD = 607
assert len(WIDTHS) == 42 and sum(WIDTHS) + 41 == RECORD


def records(raw):
    assert len(raw) % (RECORD + 2) == 0, f"{len(raw)} bytes are no whole records"
    for start in range(0, len(raw), RECORD + 2):
        record, at, fields = raw[start:start + RECORD + 2], 0, []
        assert record[RECORD:] == b"\r\n", "a record ends elsewhere"
        for width in WIDTHS:
            fields.append(record[at:at + width])
            assert record[at + width:at + width + 1] in (b" ", b"\r"), f"no blank behind byte {at + width}"
            at += width + 1
        yield [field.decode("gbk") for field in fields]


def text(value, width):
    """Filled up with blanks, or cut before the character that does not fit whole."""
    value = value.encode("gbk")[:width].decode("gbk", "ignore")
    return value + " " * (width - len(value.encode("gbk")))


def minor(amount):
    return int(amount.replace(".", ""))


def signed(amount):
    return ("D" if amount < 0 else "C") + f"{abs(amount):012}"


def expected(line, codes, name, statement):
    """One row of the CSV as the layout has it, field by field."""
    back = line["kind"] == "REVERSE"
    order, end = line["redemption_id"].split(".")
    day = line["business_date"].replace("-", "")
    time = line["time"]
    values = dict.fromkeys(range(1, 43), "")
    values.update({1: "R01" if back else "S01", 2: codes[0], 3: codes[1], 4: f"{int(line['line_number']) % 10**6:06}",
                   5: time[5:7] + time[8:10] + time[11:13] + time[14:16] + time[17:19], 7: f"{abs(minor(line['gross'])):012}",
                   10: f"{day}{int(line['line_number']):013}", 12: order.replace("-", ""), 16: signed(-minor(line["commission"])),
                   17: signed(minor(line["net"])), 20: "04" if back else "01", 21: "00" if back else "01", 25: statement, 28: codes[2],
                   31: line["store_id"].lstrip("'"), 32: signed(0), 33: signed(minor(line["net"])), 35: line["request_id"].replace("-", ""),
                   36: signed(0), 37: signed(0), 38: "0" * 12, 39: "00", 41: order.replace("-", "") if back else "",
                   42: " ".join((line["currency"], day, signed(int(line["points"])), end, name))})
    return [text(values[number], width) for number, width in enumerate(WIDTHS, 1)]


def main():
    path, table, bank, operator, merchant, name = sys.argv[1:]
    with open(path, "rb") as file:
        found = list(records(file.read()))
    with open(table, newline="", encoding="utf-8") as file:
        *lines, total = csv.DictReader(file)
    assert len(found) == len(lines), f"{len(found)} records for {len(lines)} lines"
    for record, line in zip(found, lines):
        for number, (one, other) in enumerate(zip(record, expected(line, (bank, operator, merchant), name, total["business_date"])), 1):
            assert one == other, f"line {line['line_number']}, field {number}: {one!r}, expected {other!r}"
    assert sum((1 if one[16][0] == "C" else -1) * int(one[16][1:]) for one in found) == minor(total["net"])
    print(f"{len(found)} records")


if __name__ == "__main__":
    main()
