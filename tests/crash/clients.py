"""Clients: each a thread that owns some members and does one thing at a time, until told to stop.

What it sends and what it is told is in its log before anything else happens: a line a fact, written at once.
    {"n": 7, "do": "hold", "fields": {...}}   command 7 is sent for the first time
    {"n": 7, "try": 2}                        and again, because nobody knows what became of it
    {"n": 7, "answer": {...}}                 it was acknowledged
    {"n": 7, "refused": "REASON"}             it was refused by a rule: an acknowledgement, too
"""

import collections
import datetime
import json
import os
import random
import re
import threading

import grpc

import commands
import stack

CALL_S, CALL_MAX_S = 2.5, 20  # of the first attempt: shorter than the longest pauses; later ones wait for a slow machine
BACKOFF_S, BACKOFF_MAX_S = 0.02, 1.0
UNKNOWN = object()  # nobody knows what became of it: ask again
# After these the same request may be sent again.
PASSING = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED")
# What the transport itself says of a call whose server died: no word of ours in it.
TORN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED)
REPEAT, REUSE = 0.05, 0.03  # of all that is done


def reasons(*statuses):
    """The words that the list of all words gives one of these gRPC statuses."""
    rows = stack.read_file(os.path.join(stack.ROOT, "server", "base", "reason.def"))
    return {word for word, status in re.findall(r"REASON\((\w+),\s*(\w+),", rows) if status in statuses}


def reason_of(error):
    """The ErrorInfo's word of a failed call; empty when the transport failed."""
    from google.rpc import error_details_pb2, status_pb2
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for packed in status_pb2.Status.FromString(value).details:
                if packed.type_url.endswith("google.rpc.ErrorInfo"):
                    return error_details_pb2.ErrorInfo.FromString(packed.value).reason
    return ""


class Log:
    """An append-only file; a line is with the kernel when write returns."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, *facts):
        os.write(self.file, "".join(json.dumps(fact, separators=(",", ":")) + "\n" for fact in facts).encode())

    def close(self):
        os.close(self.file)


class Caller:
    """Sends commands of one kind over one way, to whichever server, and says what is known of each."""

    def __init__(self, shared):
        self.shared = shared
        self.stubs = {}

    def stub(self, server, party, service):
        key = (server, party, service)
        if key not in self.stubs:
            self.stubs[key] = self.shared.messages.stubs[service](self.shared.world.channel(server, party))
        return self.stubs[key]

    def send(self, server, way, group, patience_s):
        """group is [(kind, fields)]. One outcome a command: a dictionary, a reason, or UNKNOWN."""
        stub = getattr(self.stub(server, way.party(group[0][1]), way.service), way.rpc)
        message = way.pack(self.shared.messages, group)
        try:
            answer = list(stub(iter([message]), timeout=patience_s)) if way.streams else [stub(message, timeout=patience_s)]
        except grpc.RpcError as error:
            return [self.judge(reason_of(error), error.code(), group)] * len(group)
        if len(answer) != 1:
            return [UNKNOWN] * len(group)
        return [self.judge(one, None, group) if isinstance(one, str) else one for one in way.unpack(answer[0])]

    def judge(self, reason, code, group):
        if reason in self.shared.passing or (not reason and code in TORN):
            return UNKNOWN
        if not reason or reason == "INTERNAL":
            self.shared.wrong(f"answered {reason or code} to {group[0]}")
            return UNKNOWN
        return reason


class Client(threading.Thread):
    """One of many. It never sends a second command of a member before the first is acknowledged."""

    def __init__(self, number, seed, shared):
        super().__init__(name=f"c{number}", daemon=True)
        self.shared = shared
        self.rng = random.Random(f"{seed}/{number}")
        self.bank = commands.BANKS[number % len(commands.BANKS)]
        self.log_path = shared.world.path(f"log/{self.name}.log")
        self.log = Log(self.log_path)
        self.caller = Caller(shared)
        self.members = {}      # ref -> what is known
        self.redemptions = []  # commands.Redemption, the newest last
        self.recent = collections.deque(maxlen=64)  # (kind, fields, answer) that were acknowledged
        self.earned = collections.deque(maxlen=64)  # accruals, for claw-backs
        self.pending = collections.deque(maxlen=32)  # those that wait for an event
        self.waiting = {}  # adjustments that wait for a second person, by id
        self.n = 0
        self.counts = collections.Counter()
        self.failure = None

    def any_member(self):
        return self.rng.choice(list(self.members.values())[-12:])["ref"]

    def run(self):
        try:
            for _ in range(4):
                self.perform(commands.KINDS["set_member"])
            while not self.shared.stop.is_set():
                self.step()
            self.leave_hold()
        except Exception as error:  # the supervisor tells of it; when all is given up, channels close under our feet
            if not self.shared.give_up.is_set():
                self.failure = error
                raise
        finally:
            self.log.close()

    def step(self):
        chance = self.rng.random()
        if self.recent and chance < REPEAT:
            self.repeat()
        elif self.recent and chance < REPEAT + REUSE:
            self.reuse()
        else:
            self.perform(self.any_kind(commands.KINDS.values()))

    def leave_hold(self):
        """One that is open when all is over, if the rules let it."""
        for _ in range(self.shared.last_holds):
            self.perform(commands.KINDS["hold"])
            known = self.redemptions[-1] if self.redemptions else None
            if self.shared.give_up.is_set() or (known and known.state == "held" and known.fields["lapse_s"] in (0, 3600)):
                break

    def any_kind(self, kinds):
        kinds = list(kinds)
        return self.rng.choices(kinds, [kind.weight for kind in kinds])[0]

    def make_group(self, kind, way):
        """Commands of different members and one party, as many as the way takes together: [(kind, fields)]."""
        group, fitting = {}, [other for other in commands.KINDS.values() if way.rpc in other.ways]
        for _ in range(self.rng.randint(1, way.together)):
            fields = kind.make(self)
            first = next(iter(group.values()), (kind, fields))[1]
            if fields and way.party(fields) == way.party(first):
                group[fields["member_ref"]] = (kind.name, fields)
            kind = self.any_kind(fitting)
        return list(group.values())

    def perform(self, kind):
        """Commands, together as far as the way allows, until each is acknowledged."""
        way = commands.WAYS[self.rng.choice(kind.ways)]
        numbered = []
        for name, fields in self.make_group(kind, way):
            self.n += 1
            numbered.append((self.n, name, fields))
        self.log.write(*({"n": n, "do": name, "fields": fields, "by": way.rpc} for n, name, fields in numbered))
        for n, name, fields, answer, tries in self.until_known(way, numbered):
            refused = isinstance(answer, str)
            self.log.write({"n": n, "refused" if refused else "answer": answer})
            self.counts["refused" if refused else "done"] += 1
            self.counts[name, "refused" if refused else "done"] += 1
            if refused:
                self.counts[answer, "met"] += 1
            if name == "set_member" and tries > 1:
                # An attempt of unknown fate may still come; it would undo a later change. So there is none.
                self.members[fields["member_ref"]]["doubtful"] = True
            if not refused:
                commands.KINDS[name].learn(self, fields, answer)
                self.recent.append((commands.KINDS[name], fields, answer))

    def until_known(self, way, numbered, log=True):
        """Yields (n, kind, fields, answer, tries) as they are acknowledged."""
        tries = 0
        while numbered and not self.shared.give_up.is_set():
            tries += 1
            if tries > 1:
                self.counts["retried"] += len(numbered)
                if log:
                    self.log.write(*({"n": n, "try": tries} for n, *_ in numbered))
                self.shared.give_up.wait(self.rng.uniform(0, min(BACKOFF_MAX_S, BACKOFF_S * 2 ** tries)))
            server = self.rng.randrange(len(self.shared.world.servers))
            self.counts["sent"] += len(numbered)
            outcomes = self.caller.send(server, way, [command[1:] for command in numbered],
                                        min(CALL_S * tries, CALL_MAX_S))
            known = [(*command, one, tries) for command, one in zip(numbered, outcomes) if one is not UNKNOWN]
            numbered = [command for command, one in zip(numbered, outcomes) if one is UNKNOWN]
            self.counts["acknowledged"] += len(known)
            yield from known

    def ask_again(self, kind, fields):
        way = commands.WAYS[self.rng.choice(kind.ways)]
        for *_, answer, _ in self.until_known(way, [(0, kind.name, fields)], log=False):
            return answer
        return UNKNOWN

    def repeat(self):
        """The same id and content is answered as the first time, whichever way it comes."""
        kind, fields, first = self.rng.choice(self.recent)
        if kind.name == "set_member":
            return  # has no request_id: a repeat is a command of its own
        answer = self.ask_again(kind, fields)
        self.counts["repeated"] += 1
        if first.get("adjusted") == 1 and (answer == "MEMBER_CLOSED" or isinstance(answer, dict)):
            return  # is answered as it stands by then
        if answer is not UNKNOWN and (isinstance(answer, str) or commands.lasting(answer) != commands.lasting(first)):
            told = answer if isinstance(answer, str) else {k: v for k, v in answer.items() if first.get(k) != v}
            before = first if isinstance(answer, str) else {k: first.get(k) for k in told}
            self.shared.wrong(f"member {fields['member_ref']}, {kind.name} {fields.get('request_id', '')}: was answered "
                              f"{before}, and when repeated {told}")

    def reuse(self):
        """The same id and other content is refused."""
        kind, fields, _ = self.rng.choice(self.recent)
        if kind.twist is None:
            return
        answer = self.ask_again(kind, kind.twist(fields))
        self.counts["reused"] += 1
        if answer is not UNKNOWN and answer not in ("REQUEST_ID_REUSED", "TRANSACTION_REUSED"):
            self.shared.wrong(f"member {fields['member_ref']}, {kind.name} {fields.get('request_id', '')}: with other "
                              f"content was answered {answer}")


class Shared:
    """What clients have in common."""

    def __init__(self, world, messages):
        self.world, self.messages = world, messages
        self.stop = threading.Event()     # finish what you do
        self.give_up = threading.Event()  # leave it
        self.passing = reasons(*PASSING)
        self.findings = []
        self.last_holds = 0  # tries of each client to leave a hold open at the end
        self.today = None  # the open business date, as far as is known

    def day(self, ahead):
        """That many days after the open one."""
        return (self.today + datetime.timedelta(days=ahead)).isoformat()

    def wrong(self, finding):
        self.findings.append(finding)
