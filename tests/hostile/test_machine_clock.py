#!/usr/bin/env python3
"""The machine's clock is set back two hours and forward two days while holds are open: none is lost, none ends twice.

PostgreSQL and the server both run under libfaketime, which reads how far off the clock is from one file, at each call;
the monotonic clock is left alone, as setting a clock leaves it alone. The client's clock is always right.

What the design promises, and what is held here: a hold lapses by the database's clock, in every answer; the business
date comes from the fence, so no clock moves it; a journal's order is its seq, and `at` is what the database's clock said,
which may go back; request ids are judged by the server's clock; deadlines by the monotonic one.
"""

import glob
import os
import threading
import time
import unittest

import grpc

import world
from test_overload import Lock
from world import harness

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
SHARED = "/dev/shm/*faketime_s*_[0-9]*"
HOURS, DAYS = 3600, 86400


class FakedStack(harness.Stack):
    """A stack whose programs, certificates included, see a clock that `set_off` moves; a day slow while it is made.

    What is made then is valid and in force also at every time the tests go back to.
    """

    def _build(self):
        libraries = glob.glob(LIBRARY)
        assert libraries, "libfaketime is missing: apt-get install libfaketime"
        self.file, self.shared_before = self.path("clock"), set(glob.glob(SHARED))
        self.set_off(-DAYS)
        os.environ.update(LD_PRELOAD=libraries[0], FAKETIME_TIMESTAMP_FILE=self.file, FAKETIME_NO_CACHE="1",
                          FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("ALLIANCE_")}
        super()._build()

    def set_off(self, seconds):
        """From now on the machine's clock is off by that much. A rename, so that nobody reads half of it."""
        with open(self.file + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.chmod(self.file + ".new", 0o644)
        os.replace(self.file + ".new", self.file)

    def close(self):
        super().close()
        for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC"):
            os.environ.pop(name, None)
        # The library leaves shared memory behind where a program ends without its leave.
        for file in set(glob.glob(SHARED)) - self.shared_before:
            if not os.path.exists("/proc/" + file.rsplit("_", 1)[1]):
                os.remove(file)

    def off(self):
        """How far the database's clock is off, to the second, by what it says itself."""
        return round(float(self.psql("SELECT extract(epoch FROM clock_timestamp())")) - time.time())


def id_of(seconds_off):
    """A request id as a client makes it whose clock is off by that much."""
    right = int(harness.uuid7().replace("-", ""), 16)
    return str(harness.uuid.UUID(int=right + (seconds_off * 1000 << 80)))


class MachineClock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = FakedStack()
        cls.addClassCleanup(cls.stack.close)
        cls.server = cls.stack.start_server()
        cls.world = world.World(cls.stack, cls.server)
        cls.world.set_up(request_id=id_of(-DAYS))
        cls.day = cls.world.business_date()

    def setUp(self):
        self.set_off(0)
        self.name = "m-" + self.id().rsplit(".", 1)[-1].replace("_", "-")[-40:]
        self.world.push_members([self.name])
        self.world.earn([self.name], 1000)

    def tearDown(self):
        self.assertEqual(world.faults_of_books(self.stack), [])

    def set_off(self, seconds):
        """Moves the clock, and sees to it that the database and the server believe it."""
        self.stack.set_off(seconds)
        self.assertLessEqual(abs(self.stack.off() - seconds), 2)

    def balance_is(self, available, held):
        self.assertEqual(self.world.balance(self.name), (available, held))

    def swept(self, held):
        """The sweeper, not a reader, has ended it."""
        bucket_id = held.redemption_id.split(".")[0]
        return self.stack.psql(f"SELECT state FROM redemption WHERE id = '{bucket_id}' AND reason = 'OK'") != "1"

    def entries(self):
        """This member's journal, oldest first."""
        journal = world.Journal(self.stack)
        member = next(key for key, account in journal.accounts.items() if account["member_ref"] == self.name)
        return journal.members[member]

    def test_set_back_two_hours(self):
        shop = self.world.shop
        short, long = self.world.hold(self.name, 100), self.world.hold(self.name, 200, 3 * HOURS)
        self.set_off(-2 * HOURS)
        # Open they stay: there is only more time left. What is said of them is what was said.
        self.assertEqual((self.world.state(short), self.world.state(long)), ("HELD", "HELD"))
        self.balance_is(700, 300)
        confirmed = shop.ConfirmRedemption(world.redemption.ConfirmRedemptionRequest(
            request_id=id_of(-2 * HOURS), redemption_id=short.redemption_id))
        self.assertEqual(confirmed.points, 100)
        self.assertEqual(world.reason_of(shop.ConfirmRedemption, world.redemption.ConfirmRedemptionRequest(
            request_id=id_of(-2 * HOURS), redemption_id=short.redemption_id)), "REDEMPTION_ENDED")
        # A hold made now lapses a quarter of an hour after what the clock says now.
        later = shop.HoldRedemption(self.world.hold_request(self.name, 50, request_id=id_of(-2 * HOURS)))
        self.assertLess(later.lapse_time.ToSeconds(), short.lapse_time.ToSeconds() - HOURS)
        self.assertEqual(self.world.state(later), "HELD")
        # The journal goes on, on the same business date, though the clock says an earlier time.
        entries = self.entries()
        self.assertEqual([e["seq"] for e in entries], list(range(1, len(entries) + 1)))
        self.assertEqual({e["business_date"] for e in entries}, {self.day})
        self.assertLess(entries[-1]["us"], entries[-3]["us"])
        # Right again: the hold of the wrong time is past its own time, and its points are there at once.
        self.set_off(0)
        self.assertEqual((self.world.state(later), self.world.state(long)), ("LAPSED", "HELD"))
        self.balance_is(700, 200)
        self.assertEqual(world.reason_of(shop.CancelRedemption, self.world.cancel_request(later)), "HOLD_LAPSED")
        self.assertEqual(world.reason_of(shop.CancelRedemption, self.world.cancel_request(long)), "OK")
        self.balance_is(900, 0)

    def test_set_forward_two_days(self):
        shop = self.world.shop
        short, long, ended = (self.world.hold(self.name, points, seconds)
                              for points, seconds in ((100, 0), (200, 3 * DAYS), (50, 0)))
        shop.ConfirmRedemption(self.world.confirm_request(ended))
        self.set_off(2 * DAYS)
        self.assertEqual([self.world.state(held) for held in (short, long, ended)], ["LAPSED", "HELD", "CONFIRMED"])
        self.balance_is(750, 200)
        harness.wait_for(lambda: self.swept(short), what="the sweeper")
        self.assertEqual(world.reason_of(shop.ConfirmRedemption, self.world.confirm_request(short)), "HOLD_LAPSED")
        # No clock moves the business date: only a day close does.
        self.assertEqual(self.world.business_date(), self.day)
        self.assertEqual({e["business_date"] for e in self.entries()}, {self.day})
        # Right again: what has lapsed stays lapsed, the rest goes its way.
        self.set_off(0)
        self.assertEqual([self.world.state(held) for held in (short, long)], ["LAPSED", "HELD"])
        self.assertEqual(world.reason_of(shop.ConfirmRedemption, self.world.confirm_request(short)), "HOLD_LAPSED")
        self.assertEqual(shop.ConfirmRedemption(self.world.confirm_request(long, 150)).points, 150)
        self.assertEqual(shop.ReverseRedemption(self.world.reverse_request(ended)).points, 50)
        self.balance_is(850, 0)
        self.assertEqual(sum(e["kind"] == 6 for e in self.entries()), 1)

    def test_request_ids_are_judged_by_the_servers_clock(self):
        """35 days back, 5 minutes ahead, of a clock that may be wrong; a first answer is not lost by it."""
        first = self.world.hold_request(self.name, 10)
        receipt = self.world.shop.HoldRedemption(first)
        cases = [(0, 0, "OK"), (0, -36 * DAYS, "REQUEST_ID_TIME"), (0, 600, "REQUEST_ID_TIME"),
                 (-2 * HOURS, 0, "REQUEST_ID_TIME"), (-2 * HOURS, -2 * HOURS, "OK"), (-240, 0, "OK"),
                 (2 * DAYS, 0, "OK"), (2 * DAYS, 2 * DAYS, "OK"), (2 * DAYS, -34 * DAYS, "REQUEST_ID_TIME")]
        for server, client, expected in cases:
            with self.subTest(server=server, client=client):
                self.set_off(server)
                request = self.world.hold_request(self.name, 10, request_id=id_of(client))
                self.assertEqual(world.reason_of(self.world.shop.HoldRedemption, request), expected)
        # The same id again: while the clock is back it is refused as one of the future, and then it has its answer.
        self.set_off(-2 * HOURS)
        self.assertEqual(world.reason_of(self.world.shop.HoldRedemption, first), "REQUEST_ID_TIME")
        for right in (2 * DAYS, 0):
            self.set_off(right)
            self.assertEqual(self.world.shop.HoldRedemption(first), receipt)

    def test_deadlines_do_not_follow_it(self):
        """A call waits for a lock while the clock jumps: its deadline is as far away as before."""
        for off in (-2 * HOURS, 2 * DAYS):
            with self.subTest(off=off):
                self.set_off(0)
                answers = []
                with Lock(self.stack):
                    waits = threading.Thread(target=lambda: answers.append(world.reason_of(
                        self.world.shop.HoldRedemption, self.world.hold_request(self.name, 10), timeout=60)))
                    waits.start()
                    harness.wait_for(lambda: self.stack.psql(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0", what="the wait")
                    self.set_off(off)
                    late = self.expires(off, 20)
                    self.expires(off, 1)  # begins when that has expired: by its end the server knows of it too
                waits.join(60)
                self.assertEqual(answers, ["OK"])
                # The late one was dropped, not run: its id is free.
                self.assertEqual(self.stack.psql(f"SELECT count(*) FROM redemption WHERE id = '{late.request_id}'"), "0")
                self.assertEqual(self.world.shop.HoldRedemption(late).points, 20)

    def expires(self, off, points):
        """A hold whose deadline passes while it waits."""
        request = self.world.hold_request(self.name, points, request_id=id_of(off))
        with self.assertRaises(grpc.RpcError) as caught:
            self.world.shop.HoldRedemption(request, timeout=0.5)
        self.assertEqual(caught.exception.code(), world.Code.DEADLINE_EXCEEDED)
        return request

    def test_velocity_forgets_a_clock_that_ran_ahead(self):
        """Three holds an hour: those of a clock two days ahead do not lock the member out once it is right."""
        def publish(holds):
            rules = world.bank.ExchangeRules(bank_id="bank-a", expiry_months=12,
                                             accrual_rate=world.types.Ratio(num=1, den=100))
            rules.rates.add(currency_code="CNY", conversion_rate=world.types.Ratio(num=1, den=1),
                            settlement_rate=world.types.Ratio(num=7, den=10))
            if holds:
                rules.member_velocity.window.FromSeconds(HOURS)
                rules.member_velocity.max_holds = holds
            self.world.bank.PublishExchangeRules(world.bank.PublishExchangeRulesRequest(
                request_id=harness.uuid7(), rules=rules))

        publish(3)
        self.addCleanup(publish, 0)
        for off in (2 * DAYS, 0):
            self.set_off(off)
            outcomes = [world.reason_of(self.world.hold, self.name, 1) for _ in range(4)]
            self.assertEqual(outcomes, ["OK", "OK", "OK", "VELOCITY_MEMBER"])

    def test_back_and_forth_under_load(self):
        """Holds come and go while the clock jumps about; each ends once, and the books are right."""
        offs = [0, -2 * HOURS, 2 * DAYS, -2 * HOURS, 0, 2 * DAYS, 0]
        open_holds = []
        for round_number in range(4 * len(offs)):
            off = offs[round_number % len(offs)]
            self.set_off(off)
            for points, seconds in ((5, 0), (7, 3 * DAYS)):
                held = self.world.shop.HoldRedemption(
                    self.world.hold_request(self.name, points, seconds, request_id=id_of(min(off, 0))))
                open_holds.append((held, points))
            held, points = open_holds.pop(round_number % len(open_holds))
            request = world.redemption.ConfirmRedemptionRequest(request_id=id_of(min(off, 0)), redemption_id=held.redemption_id)
            first, again = (world.reason_of(self.world.shop.ConfirmRedemption, request) for _ in range(2))
            self.assertEqual(first, again)
            self.assertIn(first, ("OK", "HOLD_LAPSED"))
        self.set_off(6 * DAYS)
        for held, _ in open_holds:
            self.assertEqual(self.world.state(held), "LAPSED")
        spent = sum(e["points"] for e in self.entries() if e["kind"] == 4)
        self.balance_is(1000 - spent, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
