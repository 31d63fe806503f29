"""What clients do to members: a row a kind of command, and a row a way it travels.

A command is a kind and its fields (plain numbers and text, so that a log line holds it). To add one: a row in KINDS, a
way when it needs another rpc, a request in REQUESTS, a method of that name in model.Member, the table that keeps its
answer in ledger.ANSWERS, and the accounts its journal entries move in ledger.MOVES.
"""

import collections
import time

import stack

BANKS = ("bank-a", "bank-b")
MERCHANTS = ("shop-1", "shop-2")
OPERATOR, SECOND_OPERATOR = "operator/ops", "operator/second"
ADJUST_LIMIT = 400  # what an operator may correct alone
# funding_id -> shares (funder, merchant_id, basis points); funder as in bank_service.proto
FUNDINGS = {"shared": ((1, "", 5000), (2, "", 3000), (3, "shop-1", 2000)), "shop": ((3, "shop-2", 10000),)}
HOLDS_KNOWN = 200  # what a client remembers of redemptions; older ones are left as they are

# weight: how often it is chosen; make(client) gives fields, or None when there is nothing to do it to; ways: how it may
# travel, the same command by any of them; learn(client, fields, answer) after an acknowledged success; twist(fields)
# makes other content of the same id.
Kind = collections.namedtuple("Kind", "name weight make ways learn twist")
# rpc of a service; party(fields) calls it; pack(messages, [(kind, fields)]) makes the request, and unpack(answer) gives
# one outcome a command: a dictionary, or the word of a refusal. together: how many commands one message may carry.
Way = collections.namedtuple("Way", "service rpc streams party pack unpack together")


class Redemption:
    """What a client knows of one it made."""

    def __init__(self, fields, redemption_id):
        self.id, self.fields = redemption_id, fields
        self.left = fields["points"]  # held, or confirmed and not reversed
        self.state = "held"


class Messages:
    """The message classes; they exist only once the stubs were made."""

    def __init__(self):
        from alliance.v1 import bank_service_pb2, operator_service_pb2, redemption_service_pb2, types_pb2
        from alliance.v1 import bank_service_pb2_grpc, operator_service_pb2_grpc, redemption_service_pb2_grpc
        self.bank, self.operator, self.redemption = bank_service_pb2, operator_service_pb2, redemption_service_pb2
        self.types = types_pb2
        self.stubs = {"bank": bank_service_pb2_grpc.BankServiceStub,
                      "operator": operator_service_pb2_grpc.OperatorServiceStub,
                      "redemption": redemption_service_pb2_grpc.RedemptionServiceStub}


# --- making a command ------------------------------------------------------------------------------------------------

def make_member(client):
    """A new member, or another status and limit for one whose last change nobody had to ask for twice."""
    rng = client.rng
    settled = [m for m in client.members.values() if not m["doubtful"]]
    if settled and rng.random() < 0.7:
        ref = rng.choice(settled)["ref"]
    else:
        ref = f"{client.name}-m{len(client.members)}"
        client.members[ref] = {"ref": ref, "doubtful": False}
    return {"bank_id": client.bank, "member_ref": ref, "credit_limit": rng.choice((0, 0, 500, 3000)),
            "status": rng.choices((1, 2, 4), (90, 9, 1))[0]}


def make_accrual(client):
    return {"bank_id": client.bank, "member_ref": client.any_member(), "transaction_ref": stack.uuid7(),
            "amount_minor": client.rng.choice((client.rng.randint(1, 500), client.rng.randint(100, 200000))),
            "time": int(time.time()), "funding": client.rng.choice(("", "", "shared", "shop")),
            **client.rng.choices(({"event": False, "until": ""}, {"event": True, "until": ""},
                                  {"event": False, "until": client.shared.day(client.rng.randint(0, 8))}),
                                 (70, 15, 15))[0]}


def make_lines(rng, points):
    """Splits points over two to five lines; most redemptions have none."""
    count = min(points, rng.randint(2, 5))
    if rng.random() < 0.6 or count < 2:
        return []
    cuts = [0, *sorted(rng.sample(range(1, points), count - 1)), points]
    return [[f"line-{n}", after - before] for n, (before, after) in enumerate(zip(cuts, cuts[1:]))]


def make_hold(client):
    rng = client.rng
    merchant = rng.choice(MERCHANTS)
    points = rng.choice((rng.randint(1, 20), rng.randint(1, 900), rng.randint(1, 5000)))
    return {"request_id": stack.uuid7(), "merchant_id": merchant, "store_id": rng.choice(("", "main")),
            "bank_id": client.bank, "member_ref": client.any_member(),
            "points": points, "lines": make_lines(rng, points),
            "lapse_s": rng.choices((0, rng.randint(1, 5), 3600), (10, 15, 75))[0]}


def of_redemption(client, *states, **more):
    """Fields of a command on a redemption in one of these states; sometimes in another, to be refused."""
    known = [r for r in client.redemptions if r.state in states]
    if client.rng.random() < 0.05:
        known = client.redemptions
    if not known:
        return None
    chosen = client.rng.choice(known)
    fields = {"request_id": stack.uuid7(), "redemption_id": chosen.id, "member_ref": chosen.fields["member_ref"],
              "merchant_id": chosen.fields["merchant_id"]}
    if "points" in more:
        part = client.rng.randint(1, max(chosen.left, 1))
        fields["points"] = client.rng.choices((0, part, chosen.left, chosen.left + 1), (40, 45, 10, 5))[0]
    return fields


def make_confirm(client):
    return of_redemption(client, "held", points=True)


def make_cancel(client):
    return of_redemption(client, "held")


def make_reverse(client):
    fields = of_redemption(client, "confirmed", points=True)
    lines = fields and next((r.fields["lines"] for r in client.redemptions if r.id == fields["redemption_id"]), [])
    if lines and client.rng.random() < 0.5:
        fields["line_id"] = client.rng.choice([name for name, _ in lines] + ["line-9"])
    return fields


def make_on_member(client):
    """Members whose last PushMembers is of unknown fate are left alone: it may still come, and would undo this."""
    settled = [m["ref"] for m in client.members.values() if not m["doubtful"]]
    return settled and {"request_id": stack.uuid7(), "bank_id": client.bank, "member_ref": client.rng.choice(settled)}


def make_limit(client):
    fields = make_on_member(client)
    return fields and dict(fields, credit_limit=client.rng.choice((0, 500, 3000)))


def make_adjustment(client):
    """Half of them need a second person."""
    points = client.rng.choice((-1, 1)) * client.rng.randint(1, 2 * ADJUST_LIMIT)
    return {"request_id": stack.uuid7(), "bank_id": client.bank, "member_ref": client.any_member(), "points": points,
            "reason_code": "GOODWILL", "funding_id": client.rng.choice(("", "shared")) if points > 0 else ""}


def make_approval(client):
    """Now and then by whom it must not be, or of another number. Once it was approved it is not approved anew."""
    if not client.waiting:
        return None
    known = client.rng.choice(list(client.waiting.values()))
    fields = {"request_id": known["request_id"], "bank_id": client.bank, "member_ref": known["member_ref"],
              "points": known["points"], "by": SECOND_OPERATOR, "proposed_by": OPERATOR}
    wrong = client.rng.random()
    if wrong < 0.1:
        return dict(fields, by=OPERATOR)
    if wrong < 0.2:
        return dict(fields, points=fields["points"] + 1)
    del client.waiting[known["request_id"]]
    return fields


def make_tier(client):
    fields = make_on_member(client)
    return fields and dict(fields, tier=client.rng.choice((0, 1, 2, 5)))


def make_mature(client):
    if not client.pending:
        return None
    known = client.rng.choice(client.pending)
    points = client.rng.choice((0, client.rng.randint(1, max(1, known["points"])), known["points"]))
    return {"request_id": stack.uuid7(), "bank_id": client.bank, "member_ref": known["member_ref"],
            "transaction_ref": known["transaction_ref"], "points": points}


def make_reinstatement(client):
    return {"request_id": stack.uuid7(), "bank_id": client.bank, "member_ref": client.any_member(),
            "points": client.rng.choice((client.rng.randint(1, 10), client.rng.randint(1, 200))),
            "expires_on": client.shared.day(client.rng.randint(30, 90))}


def make_merge(client):
    fields = make_on_member(client)
    receiver = client.any_member()
    return None if not fields or fields["member_ref"] == receiver else dict(fields, to_member_ref=receiver)


def make_claw_back(client):
    if not client.earned:
        return None
    known = client.rng.choice(client.earned)
    points = client.rng.choice((0, client.rng.randint(1, max(1, known["points"])), known["points"]))
    return {"request_id": stack.uuid7(), "bank_id": client.bank, "member_ref": known["member_ref"],
            "transaction_ref": known["transaction_ref"], "points": points}


def make_transfer(client):
    giver, receiver = client.any_member(), client.any_member()
    if giver == receiver:
        return None
    return {"request_id": stack.uuid7(), "bank_id": client.bank, "member_ref": giver, "to_member_ref": receiver,
            "points": client.rng.choice((client.rng.randint(1, 50), client.rng.randint(1, 1500)))}


def make_redeem(client):
    return dict(make_hold(client), lapse_s=0)


def make_extend(client):
    fields = of_redemption(client, "held")
    return fields and dict(fields, lapse_s=client.rng.choice((1, 3, 7200)))


# --- what is learnt from an answer -----------------------------------------------------------------------------------

def learn_nothing(client, fields, answer):
    del client, fields, answer


def learn_hold(client, fields, answer):
    client.redemptions.append(Redemption(fields, answer["redemption_id"]))
    if len(client.redemptions) > HOLDS_KNOWN:
        client.redemptions.pop(client.rng.randrange(len(client.redemptions)))


def learn_accrual(client, fields, answer):
    client.earned.append(dict(fields, points=answer["points"]))
    if fields["event"]:
        client.pending.append(client.earned[-1])


def learn_adjustment(client, fields, answer):
    if answer["adjusted"] == 1:
        client.waiting[fields["request_id"]] = fields


def learn_redeem(client, fields, answer):
    learn_hold(client, fields, answer)
    client.redemptions[-1].state = "confirmed"


def learner(state):
    def learn(client, fields, answer):
        for known in client.redemptions:
            if known.id == fields["redemption_id"]:
                known.left = answer["points"] if state == "confirmed" else known.left - answer["points"]
                known.state = "ended" if known.left == 0 else state if state != "reversed" else "confirmed"
    return learn


# --- the same id, other content --------------------------------------------------------------------------------------

def twist_points(fields):
    twisted = dict(fields, points=fields["points"] + 1)
    if fields.get("lines"):
        (name, points), *others = fields["lines"]
        twisted["lines"] = [[name, points + 1], *others]
    return twisted


def twist_adjustment(fields):
    return dict(fields, points=fields["points"] * 2)


def twist_tier(fields):
    return dict(fields, tier=fields["tier"] + 1)


def twist_lapse(fields):
    return dict(fields, lapse_s=fields["lapse_s"] + 1)


def twist_amount(fields):
    return dict(fields, amount_minor=fields["amount_minor"] + 1)


# --- messages --------------------------------------------------------------------------------------------------------

def instant_us(timestamp):
    return timestamp.seconds * 1000000 + timestamp.nanos // 1000


def read_receipt(receipt):
    money = receipt.gross
    return {"redemption_id": receipt.redemption_id, "state": receipt.state, "points": receipt.points,
            "spendable": receipt.spendable_points, "currency": money.currency_code, "gross": money.amount_minor,
            "commission": receipt.commission.amount_minor, "date": receipt.business_date,
            "time": instant_us(receipt.time), "lapse": instant_us(receipt.lapse_time)}


def read_member_receipt(receipt):
    return {"points": receipt.points, "spendable": receipt.spendable_points, "state": receipt.status,
            "date": receipt.business_date, "time": instant_us(receipt.time)}


def lasting(answer):
    """What is the same each time: a push says UNCHANGED of what it CREATED before; a correction that waits goes on."""
    return {k: v for k, v in answer.items() if k != "outcome"}


def read_rows(answer):
    """Verdicts of a push."""
    return [v.reason if v.reason else {"points": v.points, "outcome": v.outcome} for v in answer.verdicts]


def hold_request(m, fields):
    message = m.redemption.HoldRedemptionRequest(**{k: v for k, v in fields.items() if k not in ("lapse_s", "lines")})
    for name, points in fields["lines"]:
        message.lines.add(line_id=name, points=points)
    if fields["lapse_s"]:
        message.lapse_after.seconds = fields["lapse_s"]
    return message


def operation_request(name):
    def make(m, fields):
        message = getattr(m.redemption, name)(request_id=fields["request_id"], redemption_id=fields["redemption_id"])
        if "points" in fields:
            message.points = fields["points"]
        if "line_id" in fields:
            message.line_id = fields["line_id"]
        if "lapse_s" in fields:
            message.lapse_after.seconds = fields["lapse_s"]
        return message
    return make


# What a kind of command is in a message of its own; a batch has a field of the kind's name for each.
REQUESTS = {"hold": hold_request, "redeem": hold_request, "confirm": operation_request("ConfirmRedemptionRequest"),
            "cancel": operation_request("CancelRedemptionRequest"),
            "reverse": operation_request("ReverseRedemptionRequest"), "extend": operation_request("ExtendHoldRequest")}


def bank_request(name, **names):
    """Fields are called as in the message, but for those that names gives another name."""
    def make(m, fields):
        return getattr(m.bank, name)(**{names.get(field, field): value for field, value in fields.items()})
    return make


REQUESTS |= {"freeze": bank_request("MemberRequest"), "unfreeze": bank_request("MemberRequest"),
             "close": bank_request("MemberRequest"), "set_limit": bank_request("SetCreditLimitRequest"),
             "claw_back": bank_request("AccrualRequest"),
             "transfer": bank_request("TransferPointsRequest", member_ref="from_member_ref"),
             "merge": bank_request("MergeMembersRequest", member_ref="from_member_ref", to_member_ref="into_member_ref"),
             "set_tier": bank_request("SetTierRequest"), "mature": bank_request("AccrualRequest"),
             "adjust": lambda m, fields: m.operator.AdjustPointsRequest(**fields),
             "approve": lambda m, fields: m.operator.ApproveAdjustmentRequest(
                 adjustment_id=fields["request_id"], bank_id=fields["bank_id"], member_ref=fields["member_ref"],
                 points=fields["points"]),
             "reinstate": lambda m, fields: m.operator.ReinstatePointsRequest(**fields)}


def pack_one(m, commands):
    kind, fields = commands[0]
    return REQUESTS[kind](m, fields)


def pack_writes(m, commands):
    request = m.redemption.WriteRedemptionsRequest()
    for kind, fields in commands:
        getattr(request.writes.add(), kind).CopyFrom(REQUESTS[kind](m, fields))
    return request


def read_verdicts(answer):
    return [v.reason or read_receipt(v.receipt) for v in answer.verdicts]


def pack_members(m, commands):
    request = m.bank.PushMembersRequest(bank_id=commands[0][1]["bank_id"])
    for number, (_, fields) in enumerate(commands):
        request.rows.add(row_number=number, member=m.bank.Member(
            member_ref=fields["member_ref"], credit_limit=fields["credit_limit"], status=fields["status"]))
    return request


def pack_accruals(m, commands):
    request = m.bank.PushAccrualsRequest(bank_id=commands[0][1]["bank_id"])
    for number, (_, fields) in enumerate(commands):
        row = request.rows.add(row_number=number, transaction_ref=fields["transaction_ref"],
                               member_ref=fields["member_ref"], amount=m.types.Money(
                                   currency_code="CNY", amount_minor=fields["amount_minor"]),
                               funding_id=fields["funding"], pending_until=fields["until"],
                               pending_event=fields["event"])
        row.transaction_time.FromSeconds(fields["time"])
    return request


def by_bank(fields):
    return "bank/" + fields["bank_id"]


def by_operator(fields):
    return fields.get("by", OPERATOR)


def by_merchant(fields):
    return "merchant/" + fields["merchant_id"]


def one_receipt(answer):
    return [read_receipt(answer)]


def one_member_receipt(answer):
    return [read_member_receipt(answer)]


def one_adjustment(answer):
    return [dict(read_member_receipt(answer.receipt) if answer.HasField("receipt") else {}, adjusted=answer.state)]


WAYS = {way.rpc: way for way in (
    Way("bank", "PushMembers", True, by_bank, pack_members, read_rows, 3),
    Way("bank", "PushAccruals", True, by_bank, pack_accruals, read_rows, 8),
    Way("redemption", "HoldRedemption", False, by_merchant, pack_one, one_receipt, 1),
    Way("redemption", "RedeemPoints", False, by_merchant, pack_one, one_receipt, 1),
    Way("redemption", "ConfirmRedemption", False, by_merchant, pack_one, one_receipt, 1),
    Way("redemption", "CancelRedemption", False, by_merchant, pack_one, one_receipt, 1),
    Way("redemption", "ReverseRedemption", False, by_merchant, pack_one, one_receipt, 1),
    Way("redemption", "ExtendHold", False, by_merchant, pack_one, one_receipt, 1),
    Way("bank", "FreezeMember", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "UnfreezeMember", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "SetCreditLimit", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "ClawBackAccrual", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "TransferPoints", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "CloseMember", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "MergeMembers", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "SetTier", False, by_bank, pack_one, one_member_receipt, 1),
    Way("bank", "MatureAccrual", False, by_bank, pack_one, one_member_receipt, 1),
    Way("operator", "ReinstatePoints", False, by_operator, pack_one, one_member_receipt, 1),
    Way("operator", "ApproveAdjustment", False, by_operator, pack_one, one_adjustment, 1),
    Way("operator", "AdjustPoints", False, by_operator, pack_one, one_adjustment, 1),
    Way("redemption", "WriteRedemptions", False, by_merchant, pack_writes, read_verdicts, 8),
    Way("redemption", "StreamRedemptions", True, by_merchant, pack_writes, read_verdicts, 8),
)}
MANY = ("WriteRedemptions", "StreamRedemptions")

KINDS = {kind.name: kind for kind in (
    Kind("set_member", 3, make_member, ("PushMembers",), learn_nothing, None),
    Kind("accrue", 22, make_accrual, ("PushAccruals",), learn_accrual, twist_amount),
    Kind("hold", 30, make_hold, ("HoldRedemption", *MANY), learn_hold, twist_points),
    Kind("redeem", 8, make_redeem, ("RedeemPoints", *MANY), learn_redeem, twist_points),
    Kind("confirm", 20, make_confirm, ("ConfirmRedemption", *MANY), learner("confirmed"), twist_points),
    Kind("cancel", 8, make_cancel, ("CancelRedemption", *MANY), learner("ended"), None),
    Kind("reverse", 15, make_reverse, ("ReverseRedemption", *MANY), learner("reversed"), twist_points),
    Kind("extend", 5, make_extend, ("ExtendHold", *MANY), learn_nothing, twist_lapse),
    Kind("freeze", 1, make_on_member, ("FreezeMember",), learn_nothing, None),
    Kind("unfreeze", 3, make_on_member, ("UnfreezeMember",), learn_nothing, None),
    Kind("set_limit", 2, make_limit, ("SetCreditLimit",), learn_nothing, None),
    Kind("claw_back", 4, make_claw_back, ("ClawBackAccrual",), learn_nothing, twist_points),
    Kind("adjust", 4, make_adjustment, ("AdjustPoints",), learn_adjustment, twist_adjustment),
    Kind("approve", 4, make_approval, ("ApproveAdjustment",), learn_nothing, None),
    Kind("set_tier", 3, make_tier, ("SetTier",), learn_nothing, twist_tier),
    Kind("mature", 5, make_mature, ("MatureAccrual",), learn_nothing, twist_points),
    Kind("reinstate", 5, make_reinstatement, ("ReinstatePoints",), learn_nothing, twist_points),
    Kind("close", 1, make_on_member, ("CloseMember",), learn_nothing, None),
    Kind("merge", 2, make_merge, ("MergeMembers",), learn_nothing, None),
    Kind("transfer", 8, make_transfer, ("TransferPoints",), learn_nothing, twist_points),
)}
REFUSALS = ("CAP_REDEMPTION", "CAP_DAY", "CAP_MONTH", "EXPOSURE_LIMIT")  # each must be met
