#!/usr/bin/env python3
"""Midnights, ends of months and years, a leap day and a change to summer time, by the test clock of a sandbox programme.

Everything is judged by programme time and business date: a hold by its own time, whatever day it is; points by the open
business date, which a day close alone moves; a day ends at midnight of the programme's zone.
"""

import unittest

import world
from world import harness


class Calendar(unittest.TestCase):
    def start(self, zone, clock, date, expiry_months=1):
        """A sandbox programme in that zone, at that time, on that day; one member without points."""
        stack = harness.Stack()
        self.addCleanup(stack.close)
        self.addCleanup(lambda: self.assertEqual(world.faults_of_books(stack), []))
        self.stack, self.world = stack, world.World(stack, stack.start_server())
        programme = world.operator.Programme(time_zone=zone, sandbox=True, business_date=date)
        programme.programme_time.FromJsonString(clock)
        self.world.set_up(expiry_months, time_zone=zone, sandbox=True, business_date=date,
                          programme_time=programme.programme_time)
        self.world.push_members(["m1"])

    def day_is_open_until(self, date, end):
        """The day cannot be closed a second before that instant, and can be at it."""
        before = self.at(end, -1)
        self.world.set_clock(before)
        status, said = self.world.settle("day-close", "--programme", "p", "--date", date)
        self.assertNotEqual(status, 0, said)
        self.assertIn("DAY_NOT_OVER", said)
        self.assertEqual(self.world.business_date(), date)
        self.world.set_clock(end)
        # Midnight alone moves nothing.
        self.assertEqual(self.world.business_date(), date)
        self.world.close_day(date)

    @staticmethod
    def at(text, seconds):
        """An instant some seconds from another, in the same offset."""
        moment = world.datetime.datetime.fromisoformat(text) + world.datetime.timedelta(seconds=seconds)
        return moment.isoformat()

    def booked_on(self, call, request):
        """The business date that the answer names."""
        return call(request).business_date

    def test_a_hold_across_midnight_month_and_year(self):
        self.start("Asia/Shanghai", "2027-12-31T15:50:00Z", "2027-12-31", expiry_months=1)  # 23:50 there
        shop = self.world.shop
        self.world.earn(["m1"], 100)
        self.assertEqual(self.world.lots("m1"), [(100, "2028-02-01")])
        held, other = self.world.hold("m1", 60), self.world.hold("m1", 10, 600)
        self.assertEqual(held.business_date, "2027-12-31")
        self.day_is_open_until("2027-12-31", "2028-01-01T00:00:00+08:00")
        self.assertEqual(self.world.business_date(), "2028-01-01")
        # One has lapsed at midnight sharp, the other has five minutes more, on another day, month and year.
        self.assertEqual((self.world.state(held), self.world.state(other)), ("HELD", "LAPSED"))
        self.assertEqual(self.booked_on(shop.ConfirmRedemption, self.world.confirm_request(held, 20)), "2028-01-01")
        self.world.earn(["m1"], 7)
        self.assertEqual(self.world.lots("m1"), [(80, "2028-02-01"), (7, "2028-03-01")])
        dates = [[e["business_date"] for e in entries] for entries in world.Journal(self.stack).members.values()][0]
        self.assertEqual(dates, sorted(dates))
        self.assertEqual(set(dates), {"2027-12-31", "2028-01-01"})
        # December is whole and closed; what was confirmed in January is none of it.
        self.assertEqual(self.stack.psql("SELECT sum(entry_count) FROM day_seal WHERE business_date = '2027-12-31'"),
                         str(dates.count("2027-12-31")))

    def test_points_are_over_at_the_end_of_a_leap_february(self):
        self.start("UTC", "2028-01-31T23:00:00Z", "2028-01-31")
        self.world.earn(["m1"], 100)
        self.assertEqual(self.world.lots("m1"), [(100, "2028-03-01")])
        long = self.world.shop.HoldRedemption(self.world.hold_request("m1", 30, 30 * 86400))
        for day in range(31 + 28):
            date = world.datetime.date(2028, 1, 31) + world.datetime.timedelta(days=day)
            if date.isoformat() == "2028-02-29":
                break
            self.world.set_clock(f"{date + world.datetime.timedelta(days=1)}T00:00:00+00:00")
            self.world.close_day(date.isoformat())
        # The 29th is a day like any other: all of it they may be spent.
        self.assertEqual(self.world.business_date(), "2028-02-29")
        self.assertEqual(self.world.state(self.world.hold("m1", 40)), "HELD")
        self.world.set_clock("2028-02-29T23:59:59+00:00")
        late = self.world.hold("m1", 10, 7200)
        spent = self.world.hold("m1", 5)
        self.assertEqual(self.booked_on(self.world.shop.ConfirmRedemption, self.world.confirm_request(spent)), "2028-02-29")
        # Midnight has passed, but the day is not closed: the date, not the clock, decides.
        self.world.set_clock("2028-03-01T00:30:00+00:00")
        self.assertEqual(self.booked_on(self.world.shop.HoldRedemption, self.world.hold_request("m1", 5)), "2028-02-29")
        self.world.close_day("2028-02-29")
        self.assertEqual(self.world.business_date(), "2028-03-01")
        self.assertEqual(world.reason_of(self.world.hold, "m1", 1), "INSUFFICIENT_POINTS")
        # A hold of before keeps its points until it ends; given back they are over.
        self.assertEqual(self.world.shop.ConfirmRedemption(self.world.confirm_request(late, 4)).points, 4)
        self.world.set_clock("2028-03-01T23:00:00+00:00")
        self.assertEqual(self.world.state(long), "LAPSED")
        self.assertEqual(world.reason_of(self.world.hold, "m1", 1), "INSUFFICIENT_POINTS")
        self.assertEqual(self.world.balance("m1"), (0, 0))

    def test_a_leap_day_a_year_later(self):
        """Twelve months from the 29th of February end with February of a year that has none."""
        self.start("UTC", "2028-02-29T12:00:00Z", "2028-02-29", expiry_months=12)
        self.world.earn(["m1"], 10)
        self.assertEqual(self.world.lots("m1"), [(10, "2029-03-01")])

    def test_the_day_of_23_hours_and_the_day_of_25(self):
        self.start("America/New_York", "2028-03-11T12:00:00Z", "2028-03-11", expiry_months=12)
        self.world.earn(["m1"], 100)
        self.day_is_open_until("2028-03-11", "2028-03-12T00:00:00-05:00")
        # Half an hour before the clocks go from two to three: a hold of an hour is an hour long, and no more.
        self.world.set_clock("2028-03-12T01:30:00-05:00")
        held = self.world.hold("m1", 10, 3600)
        self.world.set_clock("2028-03-12T03:29:59-04:00")
        self.assertEqual(self.world.state(held), "HELD")
        self.world.set_clock("2028-03-12T03:30:00-04:00")
        self.assertEqual(self.world.state(held), "LAPSED")
        self.day_is_open_until("2028-03-12", "2028-03-13T00:00:00-04:00")
        status, said = self.world.settle("day-close", "--programme", "p", "--until", "2028-11-04")
        self.assertNotEqual(status, 0, said)
        self.world.set_clock("2028-11-05T00:00:00-04:00")
        status, said = self.world.settle("day-close", "--programme", "p", "--until", "2028-11-04")
        self.assertEqual((status, self.world.business_date()), (0, "2028-11-05"), said)
        # The hour from one to two comes twice; a hold of an hour lapses in the second of them.
        self.world.set_clock("2028-11-05T01:30:00-04:00")
        held = self.world.hold("m1", 10, 3600)
        self.world.set_clock("2028-11-05T01:29:59-05:00")
        self.assertEqual(self.world.state(held), "HELD")
        self.world.set_clock("2028-11-05T01:30:00-05:00")
        self.assertEqual(self.world.state(held), "LAPSED")
        self.day_is_open_until("2028-11-05", "2028-11-06T00:00:00-05:00")

    def test_the_clock_never_goes_back(self):
        self.start("Asia/Shanghai", "2028-02-29T12:00:00Z", "2028-02-29")
        self.world.set_clock("2028-02-29T12:00:01+00:00")
        self.assertEqual(world.reason_of(self.world.set_clock, "2028-02-29T12:00:00+00:00"), "CLOCK_BACKWARD")
        self.world.set_clock("2028-02-29T12:00:01+00:00")
        # Years ahead, no day is closed by it.
        self.world.set_clock("2031-01-01T00:00:00+00:00")
        self.assertEqual(self.world.business_date(), "2028-02-29")
        self.world.earn(["m1"], 3)
        self.assertEqual(self.world.hold("m1", 3).business_date, "2028-02-29")


if __name__ == "__main__":
    unittest.main(verbosity=2)
