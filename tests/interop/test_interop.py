#!/usr/bin/env python3
"""The server as a client that is not ours sees it: every kind of call, every kind of refusal, and what survives a crash."""

import concurrent.futures
import os
import shutil
import signal
import tempfile
import time
import unittest
import urllib.request

import grpc

import stack as harness

STUBS = tempfile.mkdtemp(prefix="alliance-stubs-")
harness.generate_stubs(STUBS)

from alliance.v1 import bank_service_pb2 as bank  # noqa: E402
from alliance.v1 import bank_service_pb2_grpc, diagnostics_service_pb2_grpc  # noqa: E402
from alliance.v1 import diagnostics_service_pb2 as diagnostics  # noqa: E402
from alliance.v1 import operator_service_pb2 as operator  # noqa: E402
from alliance.v1 import operator_service_pb2_grpc, redemption_service_pb2_grpc  # noqa: E402
from alliance.v1 import redemption_service_pb2 as redemption  # noqa: E402
from alliance.v1 import types_pb2 as types  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from grpc.health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from grpc.reflection.v1alpha import reflection_pb2, reflection_pb2_grpc  # noqa: E402

Code = grpc.StatusCode


def tearDownModule():
    shutil.rmtree(STUBS, ignore_errors=True)


def details(error):
    """ErrorInfo, BadRequest and RetryInfo of a failed call, by name."""
    found = {}
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for packed in status_pb2.Status.FromString(value).details:
            name = packed.type_url.rsplit(".", 1)[-1]
            found[name] = getattr(error_details_pb2, name).FromString(packed.value)
    return found


class Parties:
    """Stubs of each party on one server."""

    def __init__(self, stack, server):
        self.operator_channel = stack.channel(server, "alliance://operator/ops")
        self.operator = operator_service_pb2_grpc.OperatorServiceStub(self.operator_channel)
        self.bank = bank_service_pb2_grpc.BankServiceStub(stack.channel(server, "alliance://bank/bank-a"))
        self.other_bank = bank_service_pb2_grpc.BankServiceStub(stack.channel(server, "alliance://bank/bank-b"))
        self.shop_channel = stack.channel(server, "alliance://merchant/shop-1")
        self.shop = redemption_service_pb2_grpc.RedemptionServiceStub(self.shop_channel)
        self.other_shop = redemption_service_pb2_grpc.RedemptionServiceStub(
            stack.channel(server, "alliance://merchant/shop-2"))


def set_up_alliance(parties):
    """One programme, two banks, two merchants, rules for bank-a."""
    parties.operator.CreateProgramme(operator.CreateProgrammeRequest(programme=operator.Programme(
        programme_id="p", time_zone="Asia/Shanghai")))
    for name in ("bank-a", "bank-b"):
        parties.operator.RegisterBank(operator.RegisterBankRequest(bank=operator.Bank(
            bank_id=name, programme_id="p", name=name)))
    merchants = [operator.Merchant(merchant_id=f"shop-{n}", programme_id="p", name=f"Shop {n}",
                                   stores=[operator.Store(store_id="main", name="Main")],
                                   terms=operator.Terms(commission_bp=250, settlement_currency="CNY"))
                 for n in (1, 2)]
    answer = parties.operator.ImportMerchants(operator.RegisterMerchantRequest(merchant=m) for m in merchants)
    rules = bank.ExchangeRules(bank_id="bank-a", expiry_months=12, accrual_rate=types.Ratio(num=1, den=100))
    rules.rates.add(currency_code="CNY", conversion_rate=types.Ratio(num=1, den=1),
                    settlement_rate=types.Ratio(num=7, den=10))
    parties.bank.PublishExchangeRules(bank.PublishExchangeRulesRequest(request_id=harness.uuid7(), rules=rules))
    return answer


def push_members(parties, names, credit_limit=0):
    rows = [bank.MemberRow(row_number=n, member=bank.Member(member_ref=name, credit_limit=credit_limit))
            for n, name in enumerate(names)]
    requests = [bank.PushMembersRequest(bank_id="bank-a", rows=rows[i:i + 500]) for i in range(0, len(rows), 500)]
    return [v for answer in parties.bank.PushMembers(iter(requests)) for v in answer.verdicts]


def earn(parties, name, points, ref=None):
    row = bank.AccrualRow(row_number=1, transaction_ref=ref or harness.uuid7(), member_ref=name,
                          amount=types.Money(currency_code="CNY", amount_minor=points * 100))
    row.transaction_time.FromSeconds(int(time.time()))
    request = bank.PushAccrualsRequest(bank_id="bank-a", rows=[row])
    return [v for answer in parties.bank.PushAccruals(iter([request])) for v in answer.verdicts][0]


def hold_request(member, points, **more):
    fields = dict(request_id=harness.uuid7(), merchant_id="shop-1", store_id="main", bank_id="bank-a",
                  member_ref=member, points=points)
    return redemption.HoldRedemptionRequest(**{**fields, **more})


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = harness.Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.server = cls.stack.start_server()
        cls.parties = Parties(cls.stack, cls.server)
        harness.wait_for(cls.serving, what="the server to serve")
        cls.imported = set_up_alliance(cls.parties)
        push_members(cls.parties, ["m1", "m2", "m3"])

    @classmethod
    def serving(cls):
        try:
            diagnostics_service_pb2_grpc.DiagnosticsServiceStub(cls.parties.operator_channel).Ping(
                diagnostics.PingRequest(), timeout=2)
            cls.parties.operator.ListMerchants(operator.ListMerchantsRequest(programme_id="none"), timeout=2)
        except grpc.RpcError as error:
            return error.code() == Code.NOT_FOUND
        return True

    def refused(self, code, reason, call, *arguments, **more):
        """The call fails with exactly that status and reason; returns the details."""
        with self.assertRaises(grpc.RpcError) as caught:
            result = call(*arguments, **more)
            list(result) if hasattr(result, "__iter__") else result
        found = details(caught.exception)
        self.assertEqual((caught.exception.code(), found["ErrorInfo"].reason), (code, reason), caught.exception.details())
        self.assertEqual(found["ErrorInfo"].domain, "alliance.v1")
        return found

    def rows(self):
        """What a refusal must not change."""
        return self.stack.psql("SELECT (SELECT count(*) FROM redemption), (SELECT count(*) FROM operation), "
                               "(SELECT count(*) FROM journal), (SELECT count(*) FROM accrual)")

    def test_a_redemption_from_quote_to_reversal(self):
        shop = self.parties.shop
        self.assertEqual(earn(self.parties, "m1", 1000).points, 1000)
        quote = shop.QuoteRedemption(redemption.QuoteRedemptionRequest(
            merchant_id="shop-1", bank_id="bank-a", price=types.Money(currency_code="CNY", amount_minor=300)))
        request = hold_request("m1", quote.points)
        held = shop.HoldRedemption(request)
        self.assertEqual(shop.HoldRedemption(request), held)
        confirm = redemption.ConfirmRedemptionRequest(request_id=harness.uuid7(), redemption_id=held.redemption_id)
        confirmed = shop.ConfirmRedemption(confirm)
        self.assertEqual((confirmed.gross.amount_minor, confirmed.commission.amount_minor), (210, 5))
        reverse = redemption.ReverseRedemptionRequest(request_id=harness.uuid7(), redemption_id=held.redemption_id)
        self.assertEqual(shop.ReverseRedemption(reverse).gross.amount_minor, -210)
        self.assertEqual(shop.ConfirmRedemption(confirm), confirmed)
        now = shop.GetRedemption(redemption.GetRedemptionRequest(redemption_id=held.redemption_id))
        self.assertEqual(now.state, redemption.REDEMPTION_STATE_REVERSED)
        balance = self.parties.bank.GetBalance(bank.GetBalanceRequest(bank_id="bank-a", member_ref="m1"))
        self.assertEqual((balance.available_points, balance.held_points), (1000, 0))

    def test_streams_give_a_verdict_per_row(self):
        names = [f"s{n}" for n in range(1200)]
        first = push_members(self.parties, names)
        self.assertEqual({v.outcome for v in first}, {types.ROW_OUTCOME_CREATED})
        again = push_members(self.parties, names)
        self.assertEqual([v.row_number for v in again], list(range(1200)))
        self.assertEqual({v.outcome for v in again}, {types.ROW_OUTCOME_UNCHANGED})
        bad = push_members(self.parties, ["ok-1", "4111 1111 1111 1111", "no spaces"])
        self.assertEqual([v.reason for v in bad], ["", "FIELD_INVALID", "FIELD_INVALID"])
        self.assertEqual(push_members(self.parties, ["4111111111111111"])[0].reason, "CARD_NUMBER_REFUSED")

    def test_client_stream_counts(self):
        self.assertEqual((self.imported.created, self.imported.unchanged), (2, 0))

    def test_an_earning_counts_once(self):
        self.assertEqual(earn(self.parties, "m2", 5, "once").outcome, types.ROW_OUTCOME_CREATED)
        self.assertEqual(earn(self.parties, "m2", 6, "once").reason, "TRANSACTION_REUSED")

    def test_refusals_name_their_reason_and_write_nothing(self):
        before, shop = self.rows(), self.parties.shop
        hold = shop.HoldRedemption
        cases = [
            (Code.INVALID_ARGUMENT, "POINTS_NOT_POSITIVE", hold, hold_request("m1", 0)),
            (Code.INVALID_ARGUMENT, "POINTS_NOT_POSITIVE", hold, hold_request("m1", -1)),
            (Code.INVALID_ARGUMENT, "POINTS_TOO_MANY", hold, hold_request("m1", 2**63 - 1)),
            (Code.INVALID_ARGUMENT, "REQUEST_ID_INVALID", hold, hold_request("m1", 1, request_id="x")),
            (Code.INVALID_ARGUMENT, "REQUEST_ID_INVALID", hold,
             hold_request("m1", 1, request_id="6f9619ff-8b86-4011-b42d-00cf4fc964ff")),
            (Code.INVALID_ARGUMENT, "REQUEST_ID_TIME", hold,
             hold_request("m1", 1, request_id="01700000-0000-7000-8000-000000000000")),
            (Code.NOT_FOUND, "MEMBER_NOT_FOUND", hold, hold_request("nobody", 1)),
            (Code.NOT_FOUND, "BANK_NOT_FOUND", hold, hold_request("m1", 1, bank_id="none")),
            (Code.NOT_FOUND, "STORE_NOT_FOUND", hold, hold_request("m1", 1, store_id="elsewhere")),
            (Code.PERMISSION_DENIED, "NOT_YOURS", hold, hold_request("m1", 1, merchant_id="shop-2")),
            (Code.NOT_FOUND, "REDEMPTION_NOT_FOUND", shop.GetRedemption,
             redemption.GetRedemptionRequest(redemption_id=harness.uuid7() + ".0000")),
            (Code.PERMISSION_DENIED, "NOT_YOURS", self.parties.other_bank.GetBalance,
             bank.GetBalanceRequest(bank_id="bank-a", member_ref="m1")),
            (Code.NOT_FOUND, "MEMBER_NOT_FOUND", self.parties.other_bank.GetBalance,
             bank.GetBalanceRequest(bank_id="bank-b", member_ref="m1")),
        ]
        for code, reason, call, request in cases:
            with self.subTest(reason=reason, request=str(request)):
                self.refused(code, reason, call, request)
        self.assertEqual(self.rows(), before)

    def test_a_wrong_field_is_named(self):
        found = self.refused(Code.INVALID_ARGUMENT, "POINTS_NOT_POSITIVE", self.parties.shop.HoldRedemption,
                             hold_request("m1", 0))
        self.assertEqual(found["BadRequest"].field_violations[0].field, "points")

    def test_a_role_may_not_do_anothers_work(self):
        stub = operator_service_pb2_grpc.OperatorServiceStub(self.parties.shop_channel)
        self.refused(Code.PERMISSION_DENIED, "ROLE_NOT_ALLOWED", stub.GetProgramme,
                     operator.GetProgrammeRequest(programme_id="p"))

    def test_another_merchants_redemption_is_not_there(self):
        earn(self.parties, "m3", 100)
        held = self.parties.shop.HoldRedemption(hold_request("m3", 10))
        self.refused(Code.NOT_FOUND, "REDEMPTION_NOT_FOUND", self.parties.other_shop.ConfirmRedemption,
                     redemption.ConfirmRedemptionRequest(request_id=harness.uuid7(), redemption_id=held.redemption_id))
        self.refused(Code.NOT_FOUND, "REDEMPTION_NOT_FOUND", self.parties.other_shop.GetRedemption,
                     redemption.GetRedemptionRequest(redemption_id=held.redemption_id))

    def test_a_request_id_says_one_thing(self):
        earn(self.parties, "m3", 100)
        request = hold_request("m3", 10)
        self.parties.shop.HoldRedemption(request)
        request.points = 11
        self.refused(Code.ALREADY_EXISTS, "REQUEST_ID_REUSED", self.parties.shop.HoldRedemption, request)

    def test_bytes_that_are_no_message(self):
        raw = self.parties.shop_channel.unary_unary("/alliance.v1.RedemptionService/HoldRedemption")
        before = self.rows()
        for what, body in (("garbage", os.urandom(64)), ("truncated", hold_request("m1", 1).SerializeToString()[:-1]),
                           ("bad UTF-8", b"\x0a\x02\xff\xfe"), ("NUL in text", b"\x0a\x02a\x00")):
            with self.subTest(what):
                self.refused(Code.INVALID_ARGUMENT, "MESSAGE_MALFORMED", raw, body)
        with self.assertRaises(grpc.RpcError) as caught:
            raw(b"\x0a" + b"\x80\x80\x80\x01" + b"x" * (2 << 20))
        self.assertEqual(caught.exception.code(), Code.RESOURCE_EXHAUSTED)
        self.assertEqual(self.rows(), before)

    def test_an_unknown_method(self):
        raw = self.parties.shop_channel.unary_unary("/alliance.v1.RedemptionService/Steal")
        self.refused(Code.UNIMPLEMENTED, "METHOD_UNKNOWN", raw, b"")

    def test_a_deadline_that_is_over(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.parties.shop.HoldRedemption(hold_request("m1", 1), timeout=0.000001)
        self.assertEqual(caught.exception.code(), Code.DEADLINE_EXCEEDED)

    def test_health_and_reflection(self):
        health = health_pb2_grpc.HealthStub(self.parties.shop_channel)
        self.assertEqual(health.Check(health_pb2.HealthCheckRequest()).status, health_pb2.HealthCheckResponse.SERVING)
        reflection = reflection_pb2_grpc.ServerReflectionStub(self.parties.shop_channel)
        ask = reflection_pb2.ServerReflectionRequest
        answers = list(reflection.ServerReflectionInfo(iter([
            ask(list_services=""), ask(file_containing_symbol="alliance.v1.RedemptionService")])))
        services = {s.name for s in answers[0].list_services_response.service}
        self.assertLessEqual({"alliance.v1.BankService", "grpc.health.v1.Health"}, services)
        self.assertTrue(answers[1].file_descriptor_response.file_descriptor_proto)

    def test_one_members_points_are_spent_once(self):
        """Twenty at once for the same points: complaint 1 of every points mall."""
        push_members(self.parties, ["hot"])
        earn(self.parties, "hot", 100)
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            calls = [pool.submit(self.parties.shop.HoldRedemption, hold_request("hot", 100)) for _ in range(20)]
        errors = [details(c.exception())["ErrorInfo"].reason for c in calls if c.exception()]
        self.assertEqual(errors, ["INSUFFICIENT_POINTS"] * 19)

    def test_metrics_are_there(self):
        port = harness.read_file(self.stack.path("server.metrics")).strip()
        self.parties.shop.QuoteRedemption(redemption.QuoteRedemptionRequest(
            merchant_id="shop-1", bank_id="bank-a", price=types.Money(currency_code="CNY", amount_minor=1)))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            text = page.read().decode()
        self.assertIn('method="alliance.v1.RedemptionService/QuoteRedemption"', text)


class Trouble(unittest.TestCase):
    """The database goes away, servers are killed and drained; each test has its own installation."""

    def setUp(self):
        self.stack = harness.Stack()
        self.addCleanup(self.stack.close)

    def started(self, name="server"):
        server = self.stack.start_server(name)
        parties = Parties(self.stack, server)
        harness.wait_for(lambda: self.up(parties), what="the server to serve")
        return server, parties

    @staticmethod
    def up(parties):
        try:
            parties.operator.GetProgramme(operator.GetProgrammeRequest(programme_id="none"), timeout=2)
        except grpc.RpcError as error:
            return error.code() == Code.NOT_FOUND
        return True

    def test_no_database_at_the_start(self):
        self.stack.stop_database()
        server = self.stack.start_server()
        parties = Parties(self.stack, server)
        with self.assertRaises(grpc.RpcError) as caught:
            parties.operator.GetProgramme(operator.GetProgrammeRequest(programme_id="p"), timeout=10)
        self.assertEqual(caught.exception.code(), Code.UNAVAILABLE)
        self.assertEqual(details(caught.exception)["ErrorInfo"].reason, "DATABASE_UNREACHABLE")
        self.assertIn("RetryInfo", details(caught.exception))
        self.stack.start_database()
        harness.wait_for(lambda: self.up(parties), what="the server to recover")

    def test_the_database_is_lost_in_flight(self):
        _, parties = self.started()
        set_up_alliance(parties)
        push_members(parties, ["m1"])
        earn(parties, "m1", 1000)
        self.stack.stop_database()
        request = hold_request("m1", 10)
        with self.assertRaises(grpc.RpcError) as caught:
            parties.shop.HoldRedemption(request, timeout=10)
        self.assertEqual(caught.exception.code(), Code.UNAVAILABLE)
        self.assertEqual(details(caught.exception)["ErrorInfo"].reason, "DATABASE_UNREACHABLE")
        self.stack.start_database()
        receipt = harness.wait_for(lambda: self.tried(parties, request), what="the hold to succeed")
        self.assertEqual(receipt.points, 10)
        self.assertEqual(self.stack.psql("SELECT count(*) FROM redemption"), "1")

    @staticmethod
    def tried(parties, request):
        try:
            return parties.shop.HoldRedemption(request, timeout=5)
        except grpc.RpcError as error:
            if error.code() != Code.UNAVAILABLE:
                raise
            return None

    def test_drain_lets_the_stream_finish(self):
        server, parties = self.started()
        set_up_alliance(parties)
        sent, go_on = [], []

        def requests():
            yield bank.PushMembersRequest(bank_id="bank-a", rows=[bank.MemberRow(
                row_number=1, member=bank.Member(member_ref="before"))])
            sent.append(True)
            harness.wait_for(lambda: go_on, what="the signal")
            yield bank.PushMembersRequest(bank_id="bank-a", rows=[bank.MemberRow(
                row_number=2, member=bank.Member(member_ref="after"))])

        answers = parties.bank.PushMembers(requests())
        self.assertEqual(next(answers).verdicts[0].row_number, 1)
        server.process.send_signal(signal.SIGTERM)
        harness.wait_for(lambda: self.turned_away(parties), what="new calls to be turned away")
        go_on.append(True)
        self.assertEqual(next(answers).verdicts[0].outcome, types.ROW_OUTCOME_CREATED)
        self.assertRaises(StopIteration, lambda: next(answers))
        self.assertEqual(server.process.wait(30), 0)
        self.assertEqual(self.stack.psql("SELECT count(*) FROM account"), "2")

    @staticmethod
    def turned_away(parties):
        try:
            parties.operator.GetProgramme(operator.GetProgrammeRequest(programme_id="p"), timeout=2)
        except grpc.RpcError as error:
            return error.code() == Code.UNAVAILABLE
        return False

    def test_killed_in_the_middle_of_a_push(self):
        server, parties = self.started()
        set_up_alliance(parties)
        names = [f"k{n}" for n in range(20000)]
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            push = pool.submit(push_members, parties, names)
            harness.wait_for(lambda: int(self.stack.psql("SELECT count(*) FROM account")) > 500, what="some rows")
            server.stop(signal.SIGKILL)
            self.assertIsInstance(push.exception(), grpc.RpcError)
        _, parties = self.started("second")
        verdicts = push_members(parties, names)
        self.assertLessEqual({v.outcome for v in verdicts}, {types.ROW_OUTCOME_CREATED, types.ROW_OUTCOME_UNCHANGED})
        self.assertEqual(self.stack.psql("SELECT count(*), sum(journal_seq) FROM account"), "20000|20000")

    def test_two_servers_share_one_truth(self):
        _, one = self.started("one")
        set_up_alliance(one)
        _, two = self.started("two")
        push_members(one, ["shared"])
        earn(two, "shared", 1000)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            calls = [pool.submit((one, two)[n % 2].shop.HoldRedemption, hold_request("shared", 100)) for n in range(40)]
        held = [c for c in calls if not c.exception()]
        refused = {details(c.exception())["ErrorInfo"].reason for c in calls if c.exception()}
        self.assertEqual((len(held), refused), (10, {"INSUFFICIENT_POINTS"}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
