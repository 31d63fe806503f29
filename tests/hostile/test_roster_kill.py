#!/usr/bin/env python3
"""A bank's lists go in while the server is killed again and again; what came of them is told by a naive list.

Every batch is applied once: members, their limits and states, the sums of verdicts and the number of journal entries are
those of a program that never fell. The file is pushed by the command line, as a bank's night job does: again under the
same number when it gives up.
"""

import random
import subprocess
import threading
import unittest

import world
from world import harness

MEMBERS, BATCHES, KILLS, UNDONE = 4000, 5, 10, 12000
ACTIVE, CLOSED = 1, 3


class Books:
    """What the lists say, one after the other."""

    def __init__(self):
        self.limits, self.closed, self.entries, self.sums = {}, set(), {}, {}

    def take(self, number, rows, full):
        """rows: limit by member. Nobody who was closed comes back."""
        created = [ref for ref in rows if ref not in self.limits]
        changed = [ref for ref in rows if ref in self.limits and self.limits[ref] != rows[ref]]
        gone = [ref for ref in self.limits if full and ref not in rows and ref not in self.closed]
        for ref in created + changed + gone:
            self.entries[ref] = self.entries.get(ref, 0) + 1
        self.limits.update(rows)
        self.closed.update(gone)
        self.sums[number] = (len(created), len(changed), len(rows) - len(created) - len(changed), len(gone))


class RosterKill(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(20261123)
        self.stack = harness.Stack()
        self.addCleanup(self.stack.close)
        self.server = self.stack.start_server()
        world.World(self.stack, self.server).set_up()
        self.port = self.server.port
        settings = harness.read_file(self.stack.path("alliance.conf"))
        with open(self.stack.path("alliance.conf"), "w", encoding="utf-8") as conf:
            conf.write(settings.replace("listen = 127.0.0.1:0\nmetrics", f"listen = 127.0.0.1:{self.port}\nmetrics"))
        for person in ("ann", "ben"):
            self.stack.issue(person, f"alliance://bank/bank-a/person/{person}")
        self.books, self.kills, self.over, self.alive = Books(), 0, threading.Event(), (0.1, 1.2)

    def write(self, number, rows):
        """The file of a batch."""
        path = self.stack.path(f"list-{number}.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("member_ref,credit_limit\n")
            file.writelines(f"{ref},{limit}\n" for ref, limit in rows.items())
        return path

    def type(self, person, *words):
        """A line of the command line, as that person of the bank."""
        line = [self.stack.binary("alliance"), *words, "--server", f"localhost:{self.port}",
                *(word for name, file in (("ca", "ca.pem"), ("cert", f"{person}.pem"), ("key", f"{person}.key"))
                  for word in (f"--{name}", self.stack.path(f"pki/{file}")))]
        return subprocess.run(line, capture_output=True, text=True, check=False, env=self.stack.environment)

    def push(self, number, path, full):
        """Until the command line says that it is done; how often it gave up before."""
        words = ["roster", "push", path, str(number), f"2026-01-{number:02d}", *(["--full"] if full else [])]
        for given_up in range(20):
            done = self.type("ann", *words)
            if done.returncode == 0:
                return given_up
            # In the middle of it, or before the first call got through.
            self.assertRegex(done.stderr, "push the same file under the same batch number to go on|repeat it")
        raise AssertionError(f"batch {number} never went in: {done.stderr}")

    def fall(self):
        """On another thread: SIGKILL, and up again."""
        while not self.over.wait(self.rng.uniform(*self.alive)):
            if self.kills < KILLS:
                self.server.process.kill()
                self.server.process.wait()
                self.server = self.stack.start_server()
                self.kills += 1

    def make(self, number):
        """A list that changes a tenth, adds some and, when it is a full one, leaves a few out."""
        full = number % 2 == 1
        known = [ref for ref in self.books.limits if ref not in self.books.closed]
        chosen = known if full else self.rng.sample(known, len(known) // 4)
        left_out = set(self.rng.sample(chosen, len(chosen) // 200)) if full else set()
        rows = {ref: self.rng.randint(0, 9) if self.rng.random() < 0.1 else self.books.limits[ref]
                for ref in chosen if ref not in left_out}
        rows.update((f"m-{number}-{n}", n % 7) for n in range(MEMBERS if number == 1 else 300))
        return rows, full

    def faults(self):
        """Where the database tells otherwise than the books."""
        members = {ref: (int(limit), int(status), int(entries)) for ref, limit, status, entries in (
            row.split("|") for row in self.stack.psql(
                "SELECT member_ref, credit_limit, status, (SELECT count(*) FROM journal j WHERE j.bucket = a.bucket AND "
                "j.member_id = a.member_id) FROM account a").splitlines())}
        wanted = {ref: (limit, CLOSED if ref in self.books.closed else ACTIVE, self.books.entries[ref])
                  for ref, limit in self.books.limits.items()}
        sums = {int(number): tuple(map(int, rest)) for number, *rest in (
            row.split("|") for row in self.stack.psql(
                "SELECT batch_number, created, changed, unchanged, closed FROM roster_batch WHERE state = 6").splitlines())}
        return [(ref, members.get(ref), wanted.get(ref)) for ref in sorted(members.keys() | wanted.keys())
                if members.get(ref) != wanted.get(ref)] + \
            [(number, sums.get(number), wanted_sums) for number, wanted_sums in self.books.sums.items()
             if sums.get(number) != wanted_sums]

    def test_every_list_goes_in_once(self):
        killer = threading.Thread(target=self.fall)
        killer.start()
        try:
            number = 0
            while number < BATCHES or (self.kills < KILLS and number < 4 * BATCHES):
                number += 1
                rows, full = self.make(number)
                self.books.take(number, rows, full)
                self.push(number, self.write(number, rows), full)
        finally:
            self.over.set()
            killer.join()
        self.assertGreaterEqual(self.kills, 5)
        self.assertEqual(self.faults()[:5], [])
        # The books would have told.
        self.stack.psql("UPDATE account SET credit_limit = credit_limit + 1 WHERE member_ref = 'm-1-17'")
        self.stack.psql("DELETE FROM journal WHERE ctid = (SELECT min(ctid) FROM journal WHERE kind = 1)")
        self.assertGreaterEqual(len(self.faults()), 2)

    def members(self):
        """What is to come back: everything of a member but its journal."""
        return self.stack.psql(
            "SELECT member_ref, status, tier, available, pending, credit_limit, encode(credit, 'hex'), "
            "encode(profile_hash, 'hex'), encode(lots, 'hex'), next_due FROM account WHERE member_ref LIKE 'm-1-%' "
            "ORDER BY 1")

    def entries(self, condition):
        """How many entries of which kind, of the members whose name is so."""
        return self.stack.psql("SELECT kind, count(*), sum(points) FROM journal JOIN account USING (bucket, member_id) "
                               f"WHERE member_ref {condition} GROUP BY 1 ORDER BY 1").split()

    def undo(self, person):
        """Until the command line has seen the end of it."""
        for _ in range(60):
            done = self.type(person, "roster", "roll-back", "2", "--reason", "the wrong file")
            if done.returncode == 0:
                return done.stdout
        raise AssertionError(f"never rolled back: {done.stderr}")

    def test_a_list_is_rolled_back_whole(self):
        names = [f"m-1-{n}" for n in range(UNDONE)]
        self.assertEqual(self.push(1, self.write(1, {name: n % 7 for n, name in enumerate(names)}), True), 0)
        world.World(self.stack, self.server).earn(names[:60], 11)
        before = self.members()
        wrong = {name: 9 for name in names[30:]} | {f"m-2-{n}": 5 for n in range(300)}
        self.assertEqual(self.push(2, self.write(2, wrong), True), 0)
        self.assertNotEqual(self.members(), before)
        self.assertIn("APPLIED", self.undo("ann"))
        self.alive = (0.02, 0.4)
        killer = threading.Thread(target=self.fall)
        killer.start()
        try:
            said = self.undo("ben")
        finally:
            self.over.set()
            killer.join()
        self.assertGreaterEqual(self.kills, 2)
        self.assertIn("ROLLED_BACK", said)
        self.assertEqual(self.members(), before)
        # Each member once: 11,970 changed and changed back, 30 closed with 11 points and opened, 300 made and closed.
        self.assertEqual(self.entries("LIKE 'm-1-%'"), [f"1|{UNDONE * 3}|0", "2|60|660", "21|30|330", "27|30|330"])
        self.assertEqual(self.entries("LIKE 'm-2-%'"), ["1|600|0"])
        self.assertEqual(self.stack.psql("SELECT count(*), sum(credit_limit) FROM account WHERE member_ref LIKE 'm-2-%' "
                                         "AND status = 3").strip(), "300|0")


if __name__ == "__main__":
    unittest.main()
