#!/usr/bin/env python3
"""Ten times as many calls as the server takes: the rest is told at once to come back, and nothing grows, hangs or is lost.

Timings are printed, never asserted. The load is the C generator of tests/bench, since a Python client is the slower side.
"""

import subprocess
import sys
import unittest

import grpc

import world
from world import harness

MEMBERS = 6000
POINTS = 1000000
LOADS = 2
SLACK_KB = 16 * 1024  # what an allocator may keep


def memory_kb(process, field):
    """VmRSS or VmHWM."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))


class Lock:
    """A row lock on every fence, which each batch needs: no lane goes on while it is held."""

    def __init__(self, stack):
        host = stack.conninfo.split()[0].removeprefix("host=")
        self.session = subprocess.Popen(["psql", "-h", host, "-U", "alliance", "-d", "alliance", "-AtXq"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.session.stdin.write("BEGIN; SELECT 'locked' FROM fence ORDER BY bucket FOR UPDATE;\n")
        self.session.stdin.flush()
        assert self.session.stdout.readline().strip() == "locked"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.communicate("ROLLBACK;\n", timeout=30)


class Overload(unittest.TestCase):
    def start(self, **settings):
        """A stack with these settings, one lane and members that never run out of points."""
        stack = harness.Stack()
        self.addCleanup(stack.close)
        with open(stack.path("alliance.conf"), "a", encoding="utf-8") as conf:
            conf.write("lanes = 1\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        self.stack, self.server = stack, stack.start_server()
        self.world = world.World(stack, self.server, "bench", "bench-shop")
        self.world.set_up(business_date="")
        names = [f"member-{n}" for n in range(MEMBERS)]
        self.world.push_members(names)
        self.world.earn(names, POINTS)

    def load(self, outstanding, seconds):
        """That many holds at a time, by several processes; waits for nothing."""
        certificate = self.stack.path("pki/merchant-bench-shop")
        command = [self.stack.binary("load"), "--method", "hold", "--server", f"localhost:{self.server.port}", "--ca",
                   self.stack.path("pki/ca.pem"), "--cert", certificate + ".pem", "--key", certificate + ".key",
                   "--outstanding", str(outstanding // LOADS), "--channels", "8", "--seconds", str(seconds), "--warm", "0",
                   "--members", str(MEMBERS)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                     for _ in range(LOADS)]
        for process in processes:
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
        return processes

    def ended(self, processes):
        """The figures of all of them: counts are added, the slowest quantile is kept. Every call has had its answer."""
        figures = {}
        for process in processes:
            out, err = process.communicate(timeout=120)
            # Figures are printed once nothing is outstanding; its status only says whether any call was taken in time.
            self.assertIn("\ncalls ", out, err)
            for line in out.splitlines():
                key, value, _ = line.split()
                figures[key] = max(figures.get(key, 0), int(value)) if key.endswith("_us") else figures.get(key, 0) + int(value)
        refusals = {key for key in figures if key.startswith("failed_")}
        # TRY_AGAIN: a lane waited longer for the lock than it may.
        self.assertLessEqual(refusals, {"failed_OVERLOADED", "failed_TOO_MANY_OPEN_HOLDS", "failed_TRY_AGAIN"})
        return figures

    def refused_now(self):
        """A call of another client is turned away: how."""
        request = self.world.hold_request("member-0", 10)
        try:
            self.world.shop.HoldRedemption(request, timeout=2)
        except grpc.RpcError as error:
            return error if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED else None
        return None

    def check_refusal(self, error):
        """It says that it may be repeated, and when."""
        found = world.details(error)
        self.assertEqual((found["ErrorInfo"].reason, found["ErrorInfo"].domain), ("OVERLOADED", "alliance.v1"))
        self.assertGreater(found["RetryInfo"].retry_delay.ToNanoseconds(), 0)

    def serves_again(self):
        """The next call is taken, at the first attempt."""
        self.world.push_members(["fresh"])
        self.world.earn(["fresh"], 100)
        receipt = self.world.hold("fresh", 60)
        self.assertEqual((receipt.points, receipt.spendable_points), (60, 40))
        self.assertEqual(world.faults_of_books(self.stack), [])

    def tell(self, story, figures):
        print(f"{story}: {figures['calls']} taken, {figures.get('failed_OVERLOADED', 0)} turned away, p50 "
              f"{figures['p50_us'] / 1000:.1f} ms, p99 {figures['p99_us'] / 1000:.1f} ms, resident "
              f"{memory_kb(self.server.process, 'VmRSS') // 1024} MB, at most {memory_kb(self.server.process, 'VmHWM') // 1024} MB",
              file=sys.stderr)
        return figures

    def test_ten_times_the_calls_that_may_be_in_the_works(self):
        capacity = 256
        self.start(max_in_flight=capacity)
        before = self.tell("at capacity", self.ended(self.load(capacity - 16, 3)))
        self.assertNotIn("failed_OVERLOADED", before)
        processes = self.load(10 * capacity, 4)
        self.check_refusal(harness.wait_for(self.refused_now, what="a refusal"))
        figures = self.tell("ten times", self.ended(processes))
        self.assertGreater(figures["failed_OVERLOADED"], 0)
        self.assertGreater(figures["calls"], 0)
        peak = memory_kb(self.server.process, "VmHWM")
        self.tell("ten times, longer", self.ended(self.load(10 * capacity, 6)))
        self.assertLess(memory_kb(self.server.process, "VmHWM"), peak + peak // 4 + SLACK_KB)
        self.serves_again()

    def test_a_lane_whose_queue_is_full(self):
        queue, own = 4096, 32  # QUEUE_CALLER_MAX of base/limits.h; calls of our own that waited in it and were dropped
        self.start(max_in_flight=100000)
        peaks = []
        for _ in range(3):  # the first fills what is kept for the next
            rows = int(self.stack.psql("SELECT count(*) FROM redemption"))
            with Lock(self.stack):
                processes = self.load(8192, 6)
                self.check_refusal(harness.wait_for(self.refused_now, what="a full queue"))
                self.assertEqual(int(self.stack.psql("SELECT count(*) FROM redemption")), rows)
            figures = self.tell("behind a lock", self.ended(processes))
            written = int(self.stack.psql("SELECT count(*) FROM redemption")) - rows
            self.assertGreaterEqual(written + figures.get("failed_TRY_AGAIN", 0) + own, queue)
            self.assertGreater(figures["failed_OVERLOADED"], 0)
            peaks.append(memory_kb(self.server.process, "VmHWM"))
        self.assertLess(peaks[2], peaks[1] + peaks[1] // 4 + SLACK_KB)
        self.serves_again()


if __name__ == "__main__":
    unittest.main(verbosity=2)
