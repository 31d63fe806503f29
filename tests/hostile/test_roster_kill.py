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

MEMBERS, BATCHES, KILLS = 4000, 5, 10
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
        self.stack.issue("ann", "alliance://bank/bank-a/person/ann")
        self.books, self.kills, self.over = Books(), 0, threading.Event()

    def write(self, number, rows):
        """The file of a batch."""
        path = self.stack.path(f"list-{number}.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("member_ref,credit_limit\n")
            file.writelines(f"{ref},{limit}\n" for ref, limit in rows.items())
        return path

    def push(self, number, path, full):
        """Until the command line says that it is done; how often it gave up before."""
        words = [self.stack.binary("alliance"), "roster", "push", path, str(number), f"2026-01-{number:02d}",
                 *(["--full"] if full else []), "--server", f"localhost:{self.port}",
                 *(word for name, file in (("ca", "ca.pem"), ("cert", "ann.pem"), ("key", "ann.key"))
                   for word in (f"--{name}", self.stack.path(f"pki/{file}")))]
        for given_up in range(20):
            done = subprocess.run(words, capture_output=True, text=True, check=False, env=self.stack.environment)
            if done.returncode == 0:
                return given_up
            self.assertIn("push the same file under the same batch number to go on", done.stderr, done.stdout)
        raise AssertionError(f"batch {number} never went in: {done.stderr}")

    def fall(self):
        """On another thread: SIGKILL, and up again."""
        while not self.over.wait(self.rng.uniform(0.1, 1.2)):
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


if __name__ == "__main__":
    unittest.main()
