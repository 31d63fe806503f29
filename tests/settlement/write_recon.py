#!/usr/bin/env python3
"""write_recon.py FORMAT IN.csv OUT: a counterparty's file of entries as its bank would send it: mt940, bai2 or camt053.

IN.csv has key,date,amount_minor,currency,points,state. Balances and control totals are worked out here, from nothing else.
"""
import csv
import sys

DECIMALS = {"USD": 2, "JPY": 0, "KWD": 3}
OPENING = 100_000_000  # minor units, of each account


def by_currency(rows):
    accounts = {}
    for row in rows:
        amount = int(row["amount_minor"])
        accounts.setdefault(row["currency"], []).append((row["key"], row["date"], amount, row["state"] == "CONFIRM"))
    return sorted(accounts.items())


def closing(entries):
    return OPENING + sum(amount if credit else -amount for _, _, amount, credit in entries)


def decimal(minor, currency, point):
    digits = DECIMALS[currency]
    text = str(abs(minor)).rjust(digits + 1, "0")
    return text[:len(text) - digits] + (point if digits or point == "," else "") + text[len(text) - digits:]


def yymmdd(date):
    return date.replace("-", "")[2:]


def mt940(accounts):
    for number, (currency, entries) in enumerate(accounts, 1):
        balance = closing(entries)
        yield f":20:STMT{number}\n:25:1234/567\n:28C:{number}/1\n:60F:C170201{currency}{decimal(OPENING, currency, ',')}\n"
        for key, date, amount, credit in entries:
            yield f":61:{yymmdd(date)}{'C' if credit else 'D'}{decimal(amount, currency, ',')}NTRFNONREF\n:86:/EREF/{key}/REMI/x\n"
        yield f":62F:{'C' if balance >= 0 else 'D'}170228{currency}{decimal(balance, currency, ',')}\n-\n"


def bai2(accounts):
    lines, whole = ["01,122099999,123456789,170301,0200,1,,,2/", "02,031001234,122099999,1,170228,,USD,2/"], 0
    for currency, entries in accounts:
        first, total = len(lines), 0
        lines.append(f"03,77-{currency},{currency},,,,/")
        for key, date, amount, credit in entries:
            lines.append(f"16,{'165' if credit else '475'},{amount},V,{yymmdd(date)},,BREF,,/EREF/{key}")
            total += amount
        lines.append(f"49,{total},{len(lines) - first + 1}/")
        whole += total
    lines.append(f"98,{whole},{len(accounts)},{len(lines)}/")
    lines.append(f"99,{whole},1,{len(lines) + 1}/")
    yield "\n".join(lines) + "\n"


def money(minor, currency):
    return f'<Amt Ccy="{currency}">{decimal(minor, currency, ".")}</Amt><CdtDbtInd>{"CRDT" if minor >= 0 else "DBIT"}</CdtDbtInd>'


def balance(code, minor, currency, date):
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{money(minor, currency)}<Dt><Dt>{date}</Dt></Dt></Bal>\n"


def camt053(accounts):
    yield ('<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
           "<GrpHdr><MsgId>M</MsgId><CreDtTm>2017-03-01T00:00:00Z</CreDtTm></GrpHdr>\n")
    for currency, entries in accounts:
        yield f"<Stmt><Id>{currency}</Id><Acct><Id><IBAN>DE00</IBAN></Id></Acct>\n" + balance("OPBD", OPENING, currency, "2017-02-01")
        yield balance("CLBD", closing(entries), currency, "2017-02-28")
        for key, date, amount, credit in entries:
            yield (f"<Ntry>{money(amount if credit else -amount, currency)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{date}</Dt></BookgDt>"
                   "<BkTxCd><Prtry><Cd>REDEMPTION</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs>"
                   f"<EndToEndId>{key[:36].replace('-', '')}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>\n")
        yield "</Stmt>\n"
    yield "</BkToCstmrStmt></Document>\n"


def main(form, source, target):
    with open(source, newline="", encoding="utf-8") as rows:
        accounts = by_currency(csv.DictReader(rows))
    with open(target, "w", newline="", encoding="utf-8") as out:
        out.writelines({"mt940": mt940, "bai2": bai2, "camt053": camt053}[form](accounts))


main(*sys.argv[1:])
