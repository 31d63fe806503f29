#!/usr/bin/python3
"""Reads camt.053.001.08 and pain.001.001.10 files with a parser that is not ours and checks what an accountant would.

    check_iso.py [--xsd DIR] FILE...

A line a file: name, account, opening, credits, debits, closing. Ends with 1 at the first file that is wrong: structure,
a negative amount, entries that do not lead from opening to closing, counts and sums that do not match.
With --xsd each is also validated by xmllint against the schema of its namespace.
"""
import re
import subprocess
import sys
import xml.etree.ElementTree as tree
from decimal import Decimal

ORDER = {  # children in the schema's order; ? may be missing
    "Stmt": "Id CreDtTm FrToDt Acct Bal TxsSummry? Ntry? AddtlStmtInf?",
    "Ntry": "NtryRef Amt CdtDbtInd RvslInd Sts BookgDt BkTxCd NtryDtls AddtlNtryInf?",
    "PmtInf": "PmtInfId PmtMtd BtchBookg NbOfTxs CtrlSum ReqdExctnDt Dbtr DbtrAcct DbtrAgt CdtTrfTxInf",
    "CdtTrfTxInf": "PmtId Amt CdtrAgt? Cdtr CdtrAcct RmtInf",
}


def fail(name, what):
    sys.exit(f"{name}: {what}")


def strip(element):
    for node in element.iter():
        node.tag = node.tag.split("}")[1]
    return element


def in_order(name, element):
    words = ORDER[element.tag].split()
    tags = [child.tag for child in element]
    wanted = [word.rstrip("?") for word in words]
    if [tag for tag in wanted if tag in tags] != list(dict.fromkeys(tags)):
        fail(name, f"{element.tag} has {tags}")
    for word in words:
        if not word.endswith("?") and word not in tags:
            fail(name, f"{element.tag} has no {word}")


def amount(name, element, path):
    text = element.findtext(path)
    if not re.fullmatch(r"\d{1,18}(\.\d{1,5})?", text or ""):
        fail(name, f"{path} is {text}")
    return Decimal(text)


def signed(name, element):
    side = element.findtext("CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        fail(name, f"CdtDbtInd is {side}")
    return amount(name, element, "Amt") * (1 if side == "CRDT" else -1)


def account(element):
    return element.findtext("Id/IBAN") or element.findtext("Id/Othr/Id")


def check_camt(name, root):
    statement = root.find("BkToCstmrStmt/Stmt")
    in_order(name, statement)
    balances = {b.findtext("Tp/CdOrPrtry/Cd"): signed(name, b) for b in statement.findall("Bal")}
    credits = debits = Decimal(0)
    entries = statement.findall("Ntry")
    for number, entry in enumerate(entries, 1):
        in_order(name, entry)
        if entry.findtext("NtryRef") != str(number) or not entry.findtext("BkTxCd/Prtry/Cd"):
            fail(name, f"entry {number} is not numbered or has no code")
        value = signed(name, entry)
        credits += max(value, 0)
        debits += max(-value, 0)
    if balances["OPBD"] + credits - debits != balances["CLBD"]:
        fail(name, f"{balances['OPBD']} + {credits} - {debits} is not {balances['CLBD']}")
    summary = statement.find("TxsSummry")
    if summary.findtext("TtlNtries/NbOfNtries") != str(len(entries)):
        fail(name, "NbOfNtries is wrong")
    if (Decimal(summary.findtext("TtlCdtNtries/Sum")), Decimal(summary.findtext("TtlDbtNtries/Sum"))) != (credits, debits):
        fail(name, "the sums of TxsSummry are wrong")
    currency = statement.findtext("Acct/Ccy")
    if {a.get("Ccy") for a in statement.iter("Amt") if a.get("Ccy")} != {currency}:
        fail(name, "another currency")
    return f"{account(statement.find('Acct'))} {balances['OPBD']} +{credits} -{debits} = {balances['CLBD']} {currency}"


def check_pain(name, root):
    message = root.find("CstmrCdtTrfInitn")
    blocks = message.findall("PmtInf")
    said = []
    for block in blocks:
        in_order(name, block)
        payments = block.findall("CdtTrfTxInf")
        total = Decimal(0)
        for payment in payments:
            in_order(name, payment)
            value = amount(name, payment, "Amt/InstdAmt")
            if value <= 0 or len(payment.findtext("PmtId/EndToEndId")) > 35:
                fail(name, "a payment of nothing, or an EndToEndId of more than 35 characters")
            total += value
            said.append(f"{payment.findtext('PmtId/EndToEndId')} {value} {payment.find('Amt/InstdAmt').get('Ccy')}"
                        f" to {account(payment.find('CdtrAcct'))}")
        if (block.findtext("NbOfTxs"), Decimal(block.findtext("CtrlSum"))) != (str(len(payments)), total):
            fail(name, "NbOfTxs or CtrlSum of a block is wrong")
    header = message.find("GrpHdr")
    if header.findtext("NbOfTxs") != str(len(said)):
        fail(name, "NbOfTxs is wrong")
    if Decimal(header.findtext("CtrlSum")) != sum(Decimal(b.findtext("CtrlSum")) for b in blocks):
        fail(name, "CtrlSum is wrong")
    return "; ".join(said)


KINDS = {
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08": ("camt.053.001.08.xsd", check_camt),
    "urn:iso:std:iso:20022:tech:xsd:pain.001.001.10": ("pain.001.001.10_1.xsd", check_pain),
}


def main():
    names = sys.argv[1:]
    schemas = None
    if names[:1] == ["--xsd"]:
        schemas, names = names[1], names[2:]
    for name in names:
        root = tree.parse(name).getroot()
        schema, check = KINDS[root.tag[1:].split("}")[0]]
        if schemas:
            subprocess.run(["xmllint", "--nonet", "--noout", "--schema", f"{schemas}/{schema}", name], check=True,
                           stderr=subprocess.DEVNULL)
        print(name, check(name, strip(root)))


main()
