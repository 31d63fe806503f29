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
(PEND, MATURE, CLAWBACK, CLAWBACK_PENDING, ADJUST_ADD, ADJUST_TAKE, TRANSFER_OUT, TRANSFER_IN, TRANSFER_BACK, REINSTATE,
 CLOSE, CLOSE_PENDING, PENDING_OUT, PENDING_IN, CREDIT_OUT, CREDIT_IN, REOPEN, REOPEN_PENDING) = range(11, 29)
NOBODY = "00000000-0000-0000-0000-000000000000"  # what time did has no request
# Kind: accounts the points leave and come to; "spendable" is available less credit used.
MOVES = {MEMBER: ("", ""), ACCRUE: ("issued", "spendable"), HOLD: ("spendable", "held"), CONFIRM: ("held", "redeemed"),
         CANCEL: ("held", "spendable"), LAPSE: ("held", "spendable"), RELEASE: ("held", "spendable"),
         REVERSE: ("redeemed", "spendable"), EXPIRE: ("spendable", "expired"), FORFEIT: ("spendable", "forfeited"),
         CLAWBACK: ("spendable", "issued"), TRANSFER_OUT: ("spendable", "transfer"),
         TRANSFER_IN: ("transfer", "spendable"), TRANSFER_BACK: ("transfer", "spendable"),
         ADJUST_ADD: ("adjusted", "spendable"), ADJUST_TAKE: ("spendable", "adjusted"), CLOSE: ("spendable", "closed"),
         CREDIT_OUT: ("transfer", "spendable"), CREDIT_IN: ("spendable", "transfer"), PEND: ("issued", "pending"),
         MATURE: ("pending", "spendable"), CLAWBACK_PENDING: ("pending", "issued"), REINSTATE: ("expired", "spendable"),
         CLOSE_PENDING: ("pending", "closed"), PENDING_OUT: ("pending", "transfer"), PENDING_IN: ("transfer", "pending"),
         REOPEN: ("closed", "spendable"), REOPEN_PENDING: ("closed", "pending")}
ENDS_A_HOLD = (CONFIRM, CANCEL, LAPSE)
# Kind of command: the table its answer is kept in.
ANSWERS = {"hold": "redemption", "redeem": "redemption", "confirm": "operation", "cancel": "operation",
           "reverse": "operation", "extend": "operation", "freeze": "operation", "unfreeze": "operation",
           "set_limit": "operation", "claw_back": "operation", "adjust": "operation", "close": "operation",
           "merge": "operation", "transfer": "operation", "accrue": "accrual", "mature": "operation",
           "set_tier": "operation", "reinstate": "operation", "approve": "operation"}

US = "(extract(epoch FROM {0}) * 1000000)::int8"
MINE = "member_id IN (SELECT member_id FROM account WHERE member_ref LIKE '{0}-%')"

ACCOUNT = """SELECT bucket, member_id, member_ref, status, tier, available, held, pending, expired, credit_limit,
    credit_used, counted_on::text AS counted_on, day_points, month_points, journal_seq, encode(chain, 'hex') AS chain,
    coalesce((SELECT sum(points) FROM account_drawn d WHERE d.bucket = account.bucket
    AND d.member_id = account.member_id), 0)::int8 AS drawn FROM account WHERE member_ref LIKE '{0}-%'"""
LOTS = "SELECT member_id, expires_on::text AS expires_on, funding_no, points FROM account_lot WHERE " + MINE
PENDING = """SELECT member_id, matures_on::text AS matures_on, expires_on::text AS expires_on, funding_no, points
    FROM account_pending_lot WHERE """ + MINE
HOLDS = "SELECT member_id, redemption_id, " + US.format("lapse_at") + " AS lapse FROM account_hold WHERE " + MINE
ROWS = {
    "redemption": "SELECT bucket, id, member_id, reason, state, points, confirmed_points, reversed_points, currency, "
                  "gross_minor AS gross, commission_minor AS commission, spendable_after AS spendable, rules_version, "
                  "exposure_minor AS exposure, encode(lines, 'hex') AS lines, "
                  "business_date::text AS date, " + US.format("held_at") + " AS time, " + US.format("lapse_at") +
                  " AS lapse FROM redemption WHERE " + MINE,
    "operation": "SELECT bucket, id, member_id, redemption_id, kind, reason, state_after AS state, points, "
                 "spendable_after AS spendable, currency, gross_minor AS gross, commission_minor AS commission, "
                 "business_date::text AS date, " + US.format("at") + " AS time, " + US.format("lapse_at") +
                 " AS lapse FROM operation WHERE " + MINE,
    "accrual": "SELECT bucket, transaction_ref AS id, id AS name, member_id, points, rules_version, amount_minor, "
               "clawed_points AS clawed, pending_points AS pending, funding_no AS funding, "
               "business_date::text AS date, " + US.format("at") + " AS time FROM accrual WHERE " + MINE,
    "adjustment": "SELECT bucket, id, member_id, state, points, proposed_by, approved_by FROM adjustment WHERE " + MINE,
}
JOURNAL = ("SELECT bucket, member_id, seq, business_date - '1970-01-01' AS day, " + US.format("at") + """ AS time, kind,
    points, available_after AS available, held_after AS held, credit_used_after AS credit_used,
    credit_limit_after AS credit_limit, ref, redemption_id, programme_no, bank_no, merchant_no, store_no, rules_version,
    terms_version, currency, gross_minor AS gross, commission_minor AS commission, encode(hash, 'hex') AS hash,
    pending_after AS pending, encode(lots, 'hex') AS lots FROM journal WHERE """ + MINE)
RULES = ("SELECT bank_id, version, " + US.format("effective_from") + """ AS effective_from, minimum_points,
    expiry_kind, expiry_months, expiry_month, expiry_day, reinstate_grace_days, pending_days, accrual_num, accrual_den,
    settlement_num, settlement_den, request_id, coalesce((SELECT json_agg(json_build_object('tier', tier,
        'per_redemption', per_redemption, 'per_day', per_day, 'per_month', per_month) ORDER BY tier) FROM exchange_cap c
        WHERE (c.bank_no, c.version) = (r.bank_no, r.version)), '[]') AS caps
    FROM exchange_rules r JOIN exchange_rate USING (bank_no, version) JOIN bank USING (bank_no)
    WHERE currency = 'CNY' ORDER BY bank_id, version""")
FUNDINGS = """SELECT bank_id, funding_id, funding_no, cost_num, cost_den, (SELECT json_agg(json_build_array(funder,
    coalesce((SELECT merchant_id FROM merchant m WHERE m.merchant_no = s.merchant_no), ''), share_bp)
    ORDER BY funder, merchant_no) FROM funding_share s WHERE s.funding_no = f.funding_no) AS shares
    FROM funding f JOIN bank USING (bank_no)"""
EXPOSURES = """SELECT bank_id, bucket, limit_minor AS "limit", allotted_minor AS allotted, used_minor AS used FROM exposure
    JOIN bank USING (bank_no) WHERE currency = 'CNY'"""
SETTLED = "SELECT bank_id, request_id FROM exposure_settled JOIN bank USING (bank_no)"
# One snapshot, at any moment: a bank's parts, what is used of them, and what its redemptions say that they take.
EXPOSED = """SELECT bank_id, limit_minor AS "limit", count(*) AS parts, sum(allotted_minor)::int8 AS allotted,
    sum(used_minor)::int8 AS used, (SELECT coalesce(sum(exposure_minor), 0)::int8 FROM redemption r
        WHERE r.bank_no = e.bank_no) AS taken FROM exposure e JOIN bank USING (bank_no) GROUP BY bank_no, bank_id,
    limit_minor"""
TODAY = "SELECT min(business_date)::text AS first, max(business_date)::text AS last FROM fence"
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
        WHEN 18 THEN -points WHEN 19 THEN -points WHEN 23 THEN points WHEN 24 THEN -points ELSE 0 END) AS points, sum(CASE kind WHEN 25 THEN points
        WHEN 26 THEN -points ELSE 0 END) AS credit FROM journal) j WHERE points <> 0 OR credit <> 0""",
    "adjustments that were approved and left undone": "SELECT 1 FROM adjustment WHERE state NOT IN (1, 3, 4)",
    "sums of a closed day's roll-up that are not its journal's": """SELECT 1 FROM (SELECT business_date, kind,
        sum(entry_count) AS n, sum(points) AS points, sum(gross_minor) AS gross FROM day_rollup GROUP BY 1, 2) d
        FULL JOIN (SELECT business_date, kind, count(*) AS n, sum(points) AS points, sum(gross_minor) AS gross FROM journal
        WHERE business_date < (SELECT min(business_date) FROM fence) GROUP BY 1, 2) j USING (business_date, kind)
        WHERE (d.n, d.points, d.gross) IS DISTINCT FROM (j.n, j.points, j.gross)""",
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

    def fundings(self):
        """bank_id -> funding_id -> row."""
        found = {}
        for row in self.rows(FUNDINGS):
            found.setdefault(row["bank_id"], {})[row["funding_id"]] = row
        return found

    def commissions(self):
        return {row["merchant_id"]: row["commission_bp"] for row in self.rows(TERMS)}

    def of_client(self, name):
        """Everything its members have: accounts by member_ref, rows by kind of table."""
        queries = dict(ROWS, account=ACCOUNT, lots=LOTS, pending=PENDING, holds=HOLDS, journal=JOURNAL)
        found = self.read(**{query: sql.format(name) for query, sql in queries.items()})
        accounts = {row["member_ref"]: dict(row, lots={}, pending_lots={}, holds={}, journal=[]) for row in found["account"]}
        members = {row["member_id"]: row for row in accounts.values()}
        for row in found["lots"]:
            members[row["member_id"]]["lots"][row["expires_on"], row["funding_no"]] = row["points"]
        for row in found["pending"]:
            key = (row["matures_on"], row["expires_on"], row["funding_no"])
            members[row["member_id"]]["pending_lots"][key] = row["points"]
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


def read_lines(packed):
    """Order lines as the database packs them (in hex): [name, points, gross, commission, reversed, and of these]."""
    data = bytes.fromhex(packed)
    rows = (struct.unpack("!32s6q", data[at:at + 80]) for at in range(0, len(data), 80))
    return [[row[0].rstrip(b"\0").decode(), *row[1:]] for row in rows]
