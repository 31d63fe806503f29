#!/usr/bin/env python3
"""Page tokens that nobody was given: each list answers with a page or PAGE_TOKEN_INVALID, never with a fault of its own.

A token's hash keeps honest callers from mistakes and is no secret (server/service/page.h): whoever reads that file can
make a token of any key. So keys come here that no list has ever written.
"""

import base64
import hashlib
import random
import unittest

import world
from world import harness

from alliance.v1 import settlement_service_pb2 as settlement
from alliance.v1 import settlement_service_pb2_grpc

ROLES = {"bank": 1, "operator": 8}
ID = "0190a5c2-7b1c-7def-8123-456789abcdef"
NASTY = ["0", "-1", "+1", " 1", "1 ", "1x", "007", "9" * 18, "9" * 19, "9" * 200, "-" + "9" * 19, "9223372036854775807", "/", "//", "é", "\t",
         "\u4e2d" * 60, "'; --", "%s%n", ID, ID + "/", ID + "/0", ID + "/-1", ID + "/99999999999999999999", ID.upper() + "/0",
         "shop-1", "~" * 200] + [f"{bucket}/{ID}/{days}/{ahead}" for bucket in (0, -1, 3, 2 ** 31 - 1, 2 ** 32)
                                 for days in (0, 20000, 2 ** 31 - 1, -2 ** 31, 2 ** 40) for ahead in (0, 7, -2 ** 31)]


def token(role, party, method, filters, key):
    """As server/service/page.c makes it."""
    inner = hashlib.sha256(f"{ROLES[role]}/{party}/{method}".encode() + b"\0" + filters.encode()).digest()
    return base64.b64encode(hashlib.sha256(inner + key.encode()).digest()[:8] + key.encode()).decode()


def keys():
    """What is nasty, and 300 keys made of parts of it; the same in every run."""
    dice = random.Random(1)
    yield from NASTY
    for _ in range(300):
        key = "/".join(dice.choice(NASTY)[:40] for _ in range(dice.randint(1, 4)))
        place = dice.randrange(len(key) + 1)
        yield key[:place] + dice.choice(["", "-", "0", "/", "\x7f", "\u20ac"]) + key[place:]


class ForgedTokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = harness.Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.world = world.World(cls.stack, cls.stack.start_server())
        cls.settlement = settlement_service_pb2_grpc.SettlementServiceStub(
            cls.stack.channel(cls.world.server, "alliance://operator/ops"))
        cls.world.set_up()
        cls.world.push_members(["m1"])
        cls.world.earn(["m1"], 1000)

    def rows(self):
        """method, stub, who, filters, request without its token."""
        operator, bank, today = world.operator, world.bank, self.world.business_date()
        yield from [
            ("ListMerchants", self.world.operator, "operator", "p", operator.ListMerchantsRequest(programme_id="p")),
            ("ListShipments", self.world.operator, "operator", "p", operator.ListShipmentsRequest(programme_id="p")),
            ("ListStatements", self.settlement, "operator", "p/2026-01/0",
             settlement.ListStatementsRequest(programme_id="p", period="2026-01")),
            ("ListJournal", self.world.bank, "bank", "bank-a/m1/0",
             bank.ListJournalRequest(bank_id="bank-a", member_ref="m1")),
            ("ListExpiryNotices", self.world.bank, "bank", f"bank-a/{today}",
             bank.ListExpiryNoticesRequest(bank_id="bank-a", business_date=today)),
        ]

    def test_no_key_is_a_fault(self):
        for method, stub, role, filters, request in self.rows():
            party, outcomes = "bank-a" if role == "bank" else "ops", set()
            for key in keys():
                key = key.encode()[:200].decode(errors="ignore")
                with self.subTest(method=method, key=key):
                    request.page_token = token(role, party, method, filters, key)
                    outcome = world.reason_of(getattr(stub, method), request, timeout=10)
                    self.assertIn(outcome, ("OK", "PAGE_TOKEN_INVALID"))
                    outcomes.add(outcome)
            with self.subTest(method=method):
                # The forgery is good: what is refused is refused for its key.
                request.page_token = token(role, party, method, filters, "1" if method == "ListJournal" else ID + "/0"
                                           if method == "ListShipments" else f"0/{ID}/20000/7"
                                           if method == "ListExpiryNotices" else "shop-0")
                self.assertEqual(world.reason_of(getattr(stub, method), request), "OK")
                request.page_token = token(role, party + "x", method, filters, "1")
                self.assertEqual(world.reason_of(getattr(stub, method), request), "PAGE_TOKEN_INVALID")


if __name__ == "__main__":
    unittest.main(verbosity=2)
