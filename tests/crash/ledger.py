"""All that the crash test knows of tables: every statement is here, and what comes out has plain names.

Read with psql over the database's own socket, not through the proxy. Dates are text, instants microseconds since 1970.
"""

import collections
import hashlib
import json
import struct
import uuid

# Kinds of journal entries as server/domain/entry.h numbers them.
MEMBER, ACCRUE, HOLD, CONFIRM, CANCEL, LAPSE, RELEASE, REVERSE, EXPIRE, FORFEIT = range(1, 11)
CLAWBACK, ADJUST_ADD, ADJUST_TAKE, TRANSFER_OUT, TRANSFER_IN, TRANSFER_BACK = 13, 15, 16, 17, 18, 19
CLOSE, CREDIT_OUT, CREDIT_IN = 21, 25, 26
# Kind: accounts the points leave and come to; "spendable" is available less credit used.
MOVES = {MEMBER: ("", ""), ACCRUE: ("issued", "spendable"), HOLD: ("spendable", "held"), CONFIRM: ("held", "redeemed"),
         CANCEL: ("held", "spendable"), LAPSE: ("held", "spendable"), RELEASE: ("held", "spendable"),
         REVERSE: ("redeemed", "spendable"), EXPIRE: ("spendable", "expired"), FORFEIT: ("spendable", "forfeited"),
         CLAWBACK: ("spendable", "issued"), TRANSFER_OUT: ("spendable", "transfer"),
         TRANSFER_IN: ("transfer", "spendable"), TRANSFER_BACK: ("transfer", "spendable"),
         ADJUST_ADD: ("adjusted", "spendable"), ADJUST_TAKE: ("spendable", "adjusted"), CLOSE: ("spendable", "closed"),
         CREDIT_OUT: ("transfer", "spendable"), CREDIT_IN: ("spendable", "transfer")}
ENDS_A_HOLD = (CONFIRM, CANCEL, LAPSE)
# Kind of command: the table its answer is kept in.
ANSWERS = {"hold": "redemption", "redeem": "redemption", "confirm": "operation", "cancel": "operation",
           "reverse": "operation", "extend": "operation", "freeze": "operation", "unfreeze": "operation",
           "set_limit": "operation", "claw_back": "operation", "adjust": "operation", "close": "operation",
           "merge": "operation", "transfer": "operation", "accrue": "accrual"}

US = "(extract(epoch FROM {0}) * 1000000)::int8"
MINE = "member_id IN (SELECT member_id FROM account WHERE member_ref LIKE '{0}-%')"

ACCOUNT = """SELECT bucket, member_id, member_ref, status, available, held, credit_limit, credit_used, journal_seq,
    encode(chain, 'hex') AS chain FROM account WHERE member_ref LIKE '{0}-%'"""
LOTS = "SELECT member_id, expires_on::text AS expires_on, funding_no, points FROM account_lot WHERE " + MINE
HOLDS = "SELECT member_id, redemption_id, " + US.format("lapse_at") + " AS lapse FROM account_hold WHERE " + MINE
ROWS = {
    "redemption": "SELECT bucket, id, member_id, reason, state, points, confirmed_points, reversed_points, currency, "
                  "gross_minor AS gross, commission_minor AS commission, spendable_after AS spendable, rules_version, "
                  "business_date::text AS date, " + US.format("held_at") + " AS time, " + US.format("lapse_at") +
                  " AS lapse FROM redemption WHERE " + MINE,
    "operation": "SELECT bucket, id, member_id, redemption_id, kind, reason, state_after AS state, points, "
                 "spendable_after AS spendable, currency, gross_minor AS gross, commission_minor AS commission, "
                 "business_date::text AS date, " + US.format("at") + " AS time, " + US.format("lapse_at") +
                 " AS lapse FROM operation WHERE " + MINE,
    "accrual": "SELECT bucket, transaction_ref AS id, id AS name, member_id, points, rules_version, amount_minor, "
               "business_date::text AS date, " + US.format("at") + " AS time FROM accrual WHERE " + MINE,
}
JOURNAL = ("SELECT bucket, member_id, seq, business_date - '1970-01-01' AS day, " + US.format("at") + """ AS time, kind,
    points, available_after AS available, held_after AS held, credit_used_after AS credit_used,
    credit_limit_after AS credit_limit, ref, redemption_id, programme_no, bank_no, merchant_no, store_no, rules_version,
    terms_version, currency, gross_minor AS gross, commission_minor AS commission, encode(hash, 'hex') AS hash,
    pending_after AS pending, encode(lots, 'hex') AS lots FROM journal WHERE """ + MINE)
RULES = ("SELECT bank_id, version, " + US.format("effective_from") + """ AS effective_from, minimum_points,
    expiry_months, accrual_num, accrual_den, settlement_num, settlement_den, request_id
    FROM exchange_rules JOIN exchange_rate USING (bank_no, version) JOIN bank USING (bank_no)
    WHERE currency = 'CNY' ORDER BY bank_id, version""")
TERMS = """SELECT merchant_id, commission_bp FROM terms JOIN merchant USING (merchant_no)"""
TOTALS = """SELECT (SELECT count(*) FROM account) AS accounts, (SELECT count(*) FROM redemption) AS redemptions,
    (SELECT count(*) FROM operation) AS operations, (SELECT count(*) FROM accrual) AS accruals,
    (SELECT count(*) FROM journal) AS entries, (SELECT buckets FROM installation) AS buckets"""
# Rows the database keeps whatever clients do: each must be empty.
BROKEN = {
    "journal entries of nobody": "SELECT 1 FROM journal j WHERE NOT EXISTS (SELECT 1 FROM account a WHERE "
                                 "(a.bucket, a.member_id) = (j.bucket, j.member_id))",
    "transfers that were left on their way": "SELECT 1 FROM transfer WHERE state NOT IN (2, 3)",
    "transfers in the journals and not in the table, or the other way round": """SELECT 1 FROM transfer t
        FULL JOIN (SELECT bucket, ref, sum(points) AS points FROM journal WHERE kind = 17 GROUP BY bucket, ref) j
        ON (j.bucket, j.ref) = (t.bucket, t.id) WHERE packed_points(t.lots) IS DISTINCT FROM coalesce(j.points, 0)""",
    "points that left one member and came to no other": """SELECT 1 FROM (SELECT sum(CASE kind WHEN 17 THEN points
        WHEN 18 THEN -points WHEN 19 THEN -points ELSE 0 END) AS points, sum(CASE kind WHEN 25 THEN points
        WHEN 26 THEN -points ELSE 0 END) AS credit FROM journal) j WHERE points <> 0 OR credit <> 0""",
    "adjustments that were left undone": "SELECT 1 FROM adjustment WHERE state NOT IN (3, 4)",
    "redemptions held twice or not at all by their member": """SELECT 1 FROM redemption r
        FULL JOIN account_hold h ON (h.bucket, h.redemption_id) = (r.bucket, r.id)
        WHERE (r.state = 1 AND r.id IS NOT NULL) <> (h.redemption_id IS NOT NULL)""",
    "redemptions whose draws are not what could go back": """SELECT 1 FROM redemption r WHERE points <> 0 AND state <> 0
        AND draw_credit + packed_points(draws) <> CASE state WHEN 1 THEN points
        WHEN 2 THEN confirmed_points - reversed_points ELSE 0 END""",
}

class Ledger:
    """The database as it is at the end."""

    def __init__(self, database, name="alliance"):
        self.database, self.name = database, name
        self.twice = []

    def read(self, **queries):
        """Rows of each query under its name, in one go."""
        found = {name: [] for name in queries}
        out = self.database.psql(" UNION ALL ".join(
            f"SELECT '{name}', row_to_json(t)::text FROM ({sql}) t" for name, sql in queries.items()), self.name)
        for line in out.splitlines():
            name, row = line.split("|", 1)
            found[name].append(json.loads(row))
        return found

    def rows(self, sql):
        return self.read(rows=sql)["rows"]

    def broken(self):
        """Sentences: what is broken, and how often."""
        for what, sql in BROKEN.items():
            found = self.rows(f"SELECT count(*) AS n FROM ({sql}) broken")[0]["n"]
            if found:
                yield f"{found} {what}"

    def totals(self):
        return self.rows(TOTALS)[0]

    def rules(self):
        """bank_id -> versions in order."""
        found = {}
        for row in self.rows(RULES):
            found.setdefault(row["bank_id"], []).append(row)
        return found

    def commissions(self):
        return {row["merchant_id"]: row["commission_bp"] for row in self.rows(TERMS)}

    def of_client(self, name):
        """Everything its members have: accounts by member_ref, rows by kind of table."""
        queries = dict(ROWS, account=ACCOUNT, lots=LOTS, holds=HOLDS, journal=JOURNAL)
        found = self.read(**{query: sql.format(name) for query, sql in queries.items()})
        accounts = {row["member_ref"]: dict(row, lots={}, holds={}, journal=[]) for row in found["account"]}
        members = {row["member_id"]: row for row in accounts.values()}
        for row in found["lots"]:
            members[row["member_id"]]["lots"][row["expires_on"], row["funding_no"]] = row["points"]
        for row in found["holds"]:
            members[row["member_id"]]["holds"][row["redemption_id"]] = row["lapse"]
        for row in sorted(found["journal"], key=lambda row: row["seq"]):
            members[row["member_id"]]["journal"].append(row)
        return accounts, {table: self.by_id(table, found[table]) for table in ROWS}

    def by_id(self, table, rows):
        found = {row["id"]: row for row in rows}
        if len(found) < len(rows):
            times = collections.Counter(row["id"] for row in rows)
            self.twice += [f"{table} {name} is there twice" for name, count in times.items() if count > 1]
        return found


def entry_hash(previous, entry):
    """What the entry's hash must be, after the one before it (both in hex)."""
    facts = b"".join((
        uuid.UUID(entry["member_id"]).bytes, struct.pack("!qiqhq", entry["seq"], entry["day"], entry["time"],
                                                         entry["kind"], entry["points"]),
        struct.pack("!4q", entry["available"], entry["held"], entry["credit_used"], entry["credit_limit"]),
        uuid.UUID(entry["ref"]).bytes, uuid.UUID(entry["redemption_id"]).bytes,
        struct.pack("!6i", entry["programme_no"], entry["bank_no"], entry["merchant_no"], entry["store_no"],
                    entry["rules_version"], entry["terms_version"]),
        entry["currency"].encode().ljust(4, b"\0"), struct.pack("!2q", entry["gross"], entry["commission"])))
    if entry["pending"] or entry["lots"]:
        facts += struct.pack("!q", entry["pending"]) + bytes.fromhex(entry["lots"])
    return hashlib.sha256(bytes.fromhex(previous) + facts).hexdigest()


def step_id(request_id, step):
    """The id of a transfer's later step, "receive" or "settle": it follows from the transfer's own."""
    digest = hashlib.sha256(f"transfer-{step}\0".encode() + uuid.UUID(request_id).bytes).digest()
    number = int.from_bytes(digest[:16], "big")
    return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 8 << 76 | 2 << 62))
