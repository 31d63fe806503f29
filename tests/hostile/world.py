"""A small alliance on a server that really runs, and its books checked by a program that shares no code with it.

One bank (bank-a), one merchant (shop-1); every write by the public API. What is said about tables is in BOOKS and
Journal alone.
"""

import datetime
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "interop"))

import grpc  # noqa: E402
import stack as harness  # noqa: E402

STUBS = tempfile.TemporaryDirectory(prefix="alliance-stubs-")
harness.generate_stubs(STUBS.name)

from alliance.v1 import bank_service_pb2 as bank  # noqa: E402
from alliance.v1 import bank_service_pb2_grpc, operator_service_pb2_grpc, redemption_service_pb2_grpc  # noqa: E402
from alliance.v1 import operator_service_pb2 as operator  # noqa: E402
from alliance.v1 import redemption_service_pb2 as redemption  # noqa: E402
from alliance.v1 import types_pb2 as types  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402

Code = grpc.StatusCode


def details(error):
    """ErrorInfo, BadRequest and RetryInfo of a failed call, by name."""
    found = {}
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for packed in status_pb2.Status.FromString(value).details:
                name = packed.type_url.rsplit(".", 1)[-1]
                found[name] = getattr(error_details_pb2, name).FromString(packed.value)
    return found


def reason_of(call, *arguments, **more):
    """OK, or the reason of the refusal."""
    try:
        call(*arguments, **more)
    except grpc.RpcError as error:
        return details(error)["ErrorInfo"].reason if details(error) else error.code().name
    return "OK"


class World:
    """The parties of one programme on one server, and what they do."""

    def __init__(self, stack, server, bank_id="bank-a", shop_id="shop-1"):
        self.stack, self.server, self.bank_id, self.shop_id = stack, server, bank_id, shop_id
        self.operator = operator_service_pb2_grpc.OperatorServiceStub(stack.channel(server, "alliance://operator/ops"))
        self.bank = bank_service_pb2_grpc.BankServiceStub(stack.channel(server, f"alliance://bank/{bank_id}"))
        self.shop = redemption_service_pb2_grpc.RedemptionServiceStub(
            stack.channel(server, f"alliance://merchant/{shop_id}"))
        harness.wait_for(self.serving, what="the server to serve")

    def serving(self):
        """The database answers through the server."""
        return reason_of(self.operator.ListMerchants, operator.ListMerchantsRequest(programme_id="none"),
                         timeout=2) == "PROGRAMME_NOT_FOUND"

    def set_up(self, expiry_months=12, request_id=None, **programme):
        """The programme p with one bank, one merchant and rules: a point for each whole unit spent."""
        self.operator.CreateProgramme(operator.CreateProgrammeRequest(programme=operator.Programme(
            **{"programme_id": "p", **programme})))
        self.operator.RegisterBank(operator.RegisterBankRequest(bank=operator.Bank(
            bank_id=self.bank_id, programme_id="p", name="Bank")))
        merchant = operator.Merchant(merchant_id=self.shop_id, programme_id="p", name="Shop",
                                     stores=[operator.Store(store_id="main", name="Main")],
                                     terms=operator.Terms(commission_bp=250, settlement_currency="CNY"))
        self.operator.ImportMerchants(iter([operator.RegisterMerchantRequest(merchant=merchant)]))
        rules = bank.ExchangeRules(bank_id=self.bank_id, expiry_months=expiry_months,
                                   accrual_rate=types.Ratio(num=1, den=100))
        rules.rates.add(currency_code="CNY", conversion_rate=types.Ratio(num=1, den=1),
                        settlement_rate=types.Ratio(num=7, den=10))
        self.bank.PublishExchangeRules(bank.PublishExchangeRulesRequest(request_id=request_id or harness.uuid7(), rules=rules))

    def push_members(self, names):
        """New members, all of them made."""
        rows = [bank.MemberRow(row_number=n, member=bank.Member(member_ref=name)) for n, name in enumerate(names)]
        requests = (bank.PushMembersRequest(bank_id=self.bank_id, rows=rows[i:i + 500]) for i in range(0, len(rows), 500))
        outcomes = {v.outcome for answer in self.bank.PushMembers(requests) for v in answer.verdicts}
        assert outcomes == {types.ROW_OUTCOME_CREATED}, outcomes

    def earn(self, names, points, at=0):
        """As many points each, by card transactions of that second."""
        rows = []
        for n, name in enumerate(names):
            row = bank.AccrualRow(row_number=n, transaction_ref=harness.uuid7(), member_ref=name,
                                  amount=types.Money(currency_code="CNY", amount_minor=points * 100))
            row.transaction_time.FromSeconds(at or 1767225600)
            rows.append(row)
        requests = (bank.PushAccrualsRequest(bank_id=self.bank_id, rows=rows[i:i + 500]) for i in range(0, len(rows), 500))
        wrong = [v for answer in self.bank.PushAccruals(requests) for v in answer.verdicts if v.points != points]
        assert not wrong, wrong[0]

    def hold_request(self, name, points, seconds=0, **more):
        """What a till sends; 0 seconds leave it to the server when the hold lapses."""
        request = redemption.HoldRedemptionRequest(**{**dict(
            request_id=harness.uuid7(), merchant_id=self.shop_id, store_id="main", bank_id=self.bank_id,
            member_ref=name, points=points), **more})
        if seconds:
            request.lapse_after.FromSeconds(seconds)
        return request

    def hold(self, name, points, seconds=0):
        """The receipt of a hold."""
        return self.shop.HoldRedemption(self.hold_request(name, points, seconds))

    @staticmethod
    def confirm_request(held, points=0):
        """All of the hold, or a part."""
        return redemption.ConfirmRedemptionRequest(request_id=harness.uuid7(), redemption_id=held.redemption_id,
                                                   points=points)

    @staticmethod
    def cancel_request(held):
        """Gives the hold back."""
        return redemption.CancelRedemptionRequest(request_id=harness.uuid7(), redemption_id=held.redemption_id)

    @staticmethod
    def reverse_request(held, points=0):
        """Gives confirmed points back."""
        return redemption.ReverseRedemptionRequest(request_id=harness.uuid7(), redemption_id=held.redemption_id,
                                                   points=points)

    def state(self, held):
        """Its state's name, without what they all begin with."""
        now = self.shop.GetRedemption(redemption.GetRedemptionRequest(redemption_id=held.redemption_id))
        return redemption.RedemptionState.Name(now.state).removeprefix("REDEMPTION_STATE_")

    def balance(self, name):
        """Available and held points."""
        now = self.bank.GetBalance(bank.GetBalanceRequest(bank_id=self.bank_id, member_ref=name))
        return now.available_points, now.held_points

    def lots(self, name):
        """(points, first day they are gone) each."""
        now = self.bank.GetBalance(bank.GetBalanceRequest(bank_id=self.bank_id, member_ref=name))
        return [(lot.points, lot.expires_on) for lot in now.lots]

    def programme(self):
        """As it is now."""
        return self.operator.GetProgramme(operator.GetProgrammeRequest(programme_id="p"))

    def business_date(self):
        """The open day."""
        return self.programme().business_date

    def set_clock(self, text):
        """A sandbox programme's clock, as "2028-02-29T12:00:00+08:00"."""
        request = operator.AdvanceTestClockRequest(programme_id="p")
        request.programme_time.FromDatetime(datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc)
                                            .replace(tzinfo=None))
        self.operator.AdvanceTestClock(request)

    def settle(self, *words):
        """alliance-settle: its exit status and what it said."""
        done = subprocess.run([self.stack.binary("alliance-settle"), *words, "--settings", self.stack.path("alliance.conf")],
                              env={**self.stack.environment, "ALLIANCE_STATEMENTS_DIR": self.stack.path("statements")},
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def close_day(self, date):
        """Closes the open day, which must be that one."""
        status, said = self.settle("day-close", "--programme", "p", "--date", date)
        assert status == 0, said


# Each answers how many rows are wrong.
BOOKS = {
    "lots sum up to what is available":
        "SELECT count(*) FROM account LEFT JOIN (SELECT bucket, member_id, sum(points) AS points FROM account_lot "
        "GROUP BY 1, 2) l USING (bucket, member_id) WHERE available <> coalesce(l.points, 0)",
    "no lot is empty": "SELECT count(*) FROM account_lot WHERE points <= 0",
    "open holds sum up to what is held":
        "SELECT count(*) FROM account LEFT JOIN (SELECT bucket, member_id, sum(points) AS points FROM redemption "
        "WHERE state = 1 GROUP BY 1, 2) r USING (bucket, member_id) WHERE held <> coalesce(r.points, 0)",
    "an account lists just its open holds":
        "SELECT count(*) FROM account_hold h FULL JOIN (SELECT * FROM redemption WHERE state = 1) r "
        "ON r.bucket = h.bucket AND r.member_id = h.member_id AND r.id = h.redemption_id "
        "WHERE r.id IS NULL OR h.redemption_id IS NULL OR r.lapse_at <> h.lapse_at",
    "a hold is in the journal once, and so is its end":
        "SELECT count(*) FROM redemption r LEFT JOIN (SELECT bucket, redemption_id AS id, "
        "count(*) FILTER (WHERE kind = 3) AS made, count(*) FILTER (WHERE kind IN (4, 5, 6)) AS ended FROM journal "
        "GROUP BY 1, 2) j USING (bucket, id) WHERE reason = 'OK' "
        "AND (coalesce(made, 0), coalesce(ended, 0)) <> (1, CASE WHEN state = 1 THEN 0 ELSE 1 END)",
    "a member's business dates never go back":
        "SELECT count(*) FROM (SELECT business_date < lag(business_date) OVER (PARTITION BY bucket, member_id "
        "ORDER BY seq) AS back FROM journal) x WHERE back",
}

# What an entry of each kind does to available + held + pending - credit used; the others move points among them only.
MOVES = {2: 1, 4: -1, 8: 1, 9: -1, 10: -1, 11: 1, 13: -1, 14: -1, 15: 1, 16: -1, 17: -1, 18: 1, 19: 1, 20: 1, 21: -1, 22: -1,
         23: -1, 24: 1, 25: 1, 26: -1}


class Journal:
    """Every entry of one database, member by member; each hash is reckoned anew from what domain/entry.h says."""

    SQL = ("SELECT to_jsonb(j) || jsonb_build_object('day', business_date - '1970-01-01'::date, "
           "'us', (extract(epoch FROM at) * 1000000)::int8) FROM journal j ORDER BY bucket, member_id, seq")
    ACCOUNTS = "SELECT to_jsonb(a) FROM account a"

    def __init__(self, stack):
        self.members, self.accounts = {}, {}
        for line in stack.psql(self.SQL).splitlines():
            entry = json.loads(line)
            self.members.setdefault(entry["member_id"], []).append(entry)
        for line in stack.psql(self.ACCOUNTS).splitlines():
            account = json.loads(line)
            self.accounts[account["member_id"]] = account

    @staticmethod
    def _hash(before, entry):
        content = before + uuid.UUID(entry["member_id"]).bytes + struct.pack(
            ">qiqhqqqqq", entry["seq"], entry["day"], entry["us"], entry["kind"], entry["points"], entry["available_after"],
            entry["held_after"], entry["credit_used_after"], entry["credit_limit_after"])
        content += uuid.UUID(entry["ref"]).bytes + uuid.UUID(entry["redemption_id"]).bytes + struct.pack(
            ">iiiiii4sqq", *(entry[name] for name in ("programme_no", "bank_no", "merchant_no", "store_no", "rules_version",
                                                      "terms_version")),
            entry["currency"].encode(), entry["gross_minor"], entry["commission_minor"])
        pending, lots = entry.get("pending_after", 0), bytes.fromhex(entry.get("lots", "\\x")[2:])
        if pending or lots:
            content += struct.pack(">q", pending) + lots
        return hashlib.sha256(content).digest()

    @staticmethod
    def _total(entry):
        return (entry["available_after"] + entry["held_after"] + entry.get("pending_after", 0) - entry["credit_used_after"])

    def faults(self):
        """A sentence for each member whose entries are not what they must be."""
        found = [f"{member}: an account without a journal" for member in self.accounts if member not in self.members]
        for member, entries in self.members.items():
            chain, total = bytes(32), 0
            for place, entry in enumerate(entries, 1):
                chain = self._hash(chain, entry)
                total += MOVES.get(entry["kind"], 0) * entry["points"]
                if entry["seq"] != place or entry["hash"] != "\\x" + chain.hex():
                    found.append(f"{member}: the chain breaks at {entry['seq']}")
                    break
                if self._total(entry) != total:
                    found.append(f"{member}: points appear or vanish at {entry['seq']}")
                    break
            account = self.accounts[member]
            if (account["chain"], account["journal_seq"]) != (entries[-1]["hash"], len(entries)):
                found.append(f"{member}: the account does not stand where its journal ends")
        return found


def faults_of_books(stack):
    """What is wrong with a database's books: sentences, none when they are right."""
    wrong = {rule: int(stack.psql(sql)) for rule, sql in BOOKS.items()}
    return [f"{rule}: {count} do not" for rule, count in wrong.items() if count] + Journal(stack).faults()
