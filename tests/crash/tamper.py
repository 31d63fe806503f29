"""Does the check find what is wrong? One deed after the other is done to a copy of a database that is in order.

A row a deed: what it is, its SQL, and a word of the finding it must lead to. (Kinds 18 and 19 of operations are steps of
a transfer, whose receipts nobody is given.)
"""

# Kinds of commands that must have been done before there is something to do each deed to.
NEEDED = {"accrue", "hold", "redeem", "confirm", "reverse", "claw_back", "adjust", "approve", "mature", "set_tier", "transfer"}
NEWEST = "(SELECT max(ctid) FROM {0} WHERE {1})"
DEEDS = (
    ("a point too many on an account", "UPDATE account SET available = available + 1 WHERE ctid = "
     + NEWEST.format("account", "available > 0"), "lots are"),
    ("an account whose points are gone, lots and all", "UPDATE account SET available = 0, lots = '' WHERE ctid = "
     + NEWEST.format("account", "available > 0"), "available is 0"),
    ("an account that is frozen", "UPDATE account SET status = 2 WHERE ctid = " + NEWEST.format("account", "status = 1"),
     "status is 2"),
    ("an account that is gone", "DELETE FROM account WHERE ctid = " + NEWEST.format("account", "true"), "not in the"),
    ("an open hold that its member does not know", "UPDATE account SET holds = '' WHERE ctid = "
     + NEWEST.format("account", "holds <> ''"), "open holds"),
    ("a redemption that is gone", "DELETE FROM redemption WHERE ctid = " + NEWEST.format("redemption", "state = 2"),
     "not in the"),
    ("a refusal that is gone", "DELETE FROM redemption WHERE ctid = " + NEWEST.format("redemption", "state = 0"),
     "not in the"),
    ("an operation that is gone", "DELETE FROM operation WHERE ctid = " + NEWEST.format("operation", "reason = 'OK'"),
     "not in the"),
    ("an accrual that is gone", "DELETE FROM accrual WHERE ctid = " + NEWEST.format("accrual", "true"), "not in the"),
    ("another answer to an operation", "UPDATE operation SET spendable_after = spendable_after + 1 WHERE ctid = "
     + NEWEST.format("operation", "reason = 'OK' AND kind IN (4, 5, 8)"), "spendable was answered"),
    ("another state of a redemption", "UPDATE redemption SET reversed_points = reversed_points + 1 WHERE ctid = "
     + NEWEST.format("redemption", "state = 2 AND reversed_points < confirmed_points"), "reversed points"),
    ("a redemption in two buckets", "CREATE TABLE twin AS SELECT * FROM redemption WHERE ctid = "
     + NEWEST.format("redemption", "state <> 0") + "; UPDATE twin SET bucket = (bucket + 1) % 4; "
     "INSERT INTO redemption SELECT * FROM twin", "is there twice"),
    ("a redemption that nobody asked for", "CREATE TABLE twin AS SELECT * FROM redemption WHERE ctid = "
     + NEWEST.format("redemption", "state = 2") + "; UPDATE twin SET id = gen_random_uuid(); "
     "INSERT INTO redemption SELECT * FROM twin", "nobody asked for it"),
    ("a journal entry that is changed", "UPDATE journal SET points = points + 1 WHERE (bucket, member_id, seq) = "
     "(SELECT bucket, member_id, seq FROM journal WHERE kind = 4 LIMIT 1)", "chain is broken"),
    ("a journal entry that is gone", "DELETE FROM journal WHERE (bucket, member_id, seq) = "
     "(SELECT bucket, member_id, seq FROM journal WHERE seq > 2 LIMIT 1)", "missing"),
    ("the newest entry of a journal that is gone", "DELETE FROM journal WHERE (bucket, member_id, seq) = (SELECT bucket, "
     "member_id, journal_seq FROM account WHERE journal_seq > 2 LIMIT 1)", "newest entry"),
    ("a pending point too many", "UPDATE account SET pending = pending + 1 WHERE ctid = " + NEWEST.format("account", "true"),
     "pending lots are"),
    ("another tier", "UPDATE account SET tier = tier + 1 WHERE ctid = " + NEWEST.format("account", "true"), "tier is"),
    ("points that never expired", "UPDATE account SET expired = expired + 1 WHERE ctid = " + NEWEST.format("account", "true"),
     "expired is"),
    ("less room under a cap", "UPDATE account SET month_points = month_points + 1 WHERE ctid = "
     + NEWEST.format("account", "true"), "points of the month"),
    ("a lot that others pay for", "UPDATE account SET lots = overlay(lots PLACING int4send(99) FROM 5 FOR 4) WHERE ctid = "
     + NEWEST.format("account", "lots <> ''"), "lots is"),
    ("another share of a funding", "UPDATE funding_share SET share_bp = share_bp - 1 WHERE funder = 2", "fundings are"),
    ("an order line that is changed", "UPDATE redemption SET lines = overlay(lines PLACING int8send(packed_int8(lines, 32) + 1)"
     " FROM 33 FOR 8) WHERE ctid = " + NEWEST.format("redemption", "lines <> '' AND state <> 0"), "order lines are"),
    ("an accrual that was clawed back more", "UPDATE accrual SET clawed_points = clawed_points + 1 WHERE ctid = "
     + NEWEST.format("accrual", "clawed_points < points"), "clawed, pending"),
    ("a second person who was none", "UPDATE adjustment SET approved_by = 'ops' WHERE ctid = "
     + NEWEST.format("adjustment", "approved_by <> ''"), "state and approver"),
    ("a correction that is gone", "DELETE FROM adjustment WHERE ctid = " + NEWEST.format("adjustment", "abs(points) > 400"),
     "not in the"),
    ("more exposure in use", "UPDATE exposure SET used_minor = used_minor + 1 WHERE ctid = "
     + NEWEST.format("exposure", "true"), "exposure used is"),
    ("exposure moved between two parts", "UPDATE exposure SET used_minor = used_minor + CASE bucket WHEN 0 THEN 1 ELSE -1 END "
     "WHERE bank_no = 1 AND bucket < 2", "bucket 0: exposure used is"),
    ("a part that allows too much", "UPDATE exposure SET allotted_minor = allotted_minor + 1000000000 WHERE ctid = "
     + NEWEST.format("exposure", "true"), "exposure parts are"),
    ("a settled sum that is gone", "DELETE FROM exposure_settled WHERE ctid = " + NEWEST.format("exposure_settled", "true"),
     "settled exposure"),
    ("a closed day's sum", "UPDATE day_rollup SET points = points + 1 WHERE ctid = " + NEWEST.format("day_rollup", "true"),
     "roll-up"),
    ("rules that are gone", "DELETE FROM exchange_rate WHERE (bank_no, version) = (1, (SELECT max(version) FROM "
     "exchange_rules WHERE bank_no = 1))", "rules"),
)


def prove(run, say):
    """True when each deed is found. run has a database that was found in order."""
    good = True
    for what, sql, word in DEEDS:
        run.database.psql("DROP DATABASE IF EXISTS tampered", "postgres")
        run.database.psql("CREATE DATABASE tampered TEMPLATE alliance", "postgres")
        before = run.database.psql("SELECT pg_current_wal_insert_lsn()", "tampered")
        run.database.psql(sql, "tampered")
        changed = run.database.psql("SELECT pg_current_wal_insert_lsn()", "tampered") != before
        found = run.compare("tampered")
        told = [one for one in found.lost + found.findings if word in one]
        good = good and changed and bool(told)
        say(f"{'found' if changed and told else 'NOT FOUND' if changed else 'THERE WAS NOTHING TO DO IT TO'}: {what}")
    return good
