#!/usr/bin/env python3
"""The crash test: what was acknowledged is there, once, whatever is killed.

A supervisor runs PostgreSQL (fsync on), a proxy before it (proxy.py) and two servers on one database (world.py), and
many clients (clients.py, commands.py) that work through random commands on members of their own, log every request
before it is sent and every answer, and ask again with the same request_id until they are answered. It kills what KILLS
lists, at random; the seed it prints gives the same order of kills and the same choices of the clients again (not the
same instants). When the last kill is over everything is let finish, and check.py compares the logs with the database
(ledger.py has all the SQL) and with the replay of each member's commands through a model of its own (model.py).

    crash.py --folder DIR [--kills N] [--seed S] [--seconds-between S] [--clients N] [--prove]

--prove shows that the test can fail. It runs the same with a fault: the proxy answers COMMIT before PostgreSQL has it;
acknowledged calls that are lost must be found. Then, after a short honest run, everything that tamper.py lists is done
to copies of the database, each of which must be found. It succeeds only if all that is so.
"""

import argparse
import collections
import datetime
import os
import queue
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "interop"))

import grpc  # noqa: E402

import check  # noqa: E402
import clients  # noqa: E402
import commands  # noqa: E402
import ledger  # noqa: E402
import stack  # noqa: E402
import tamper  # noqa: E402
import world as worlds  # noqa: E402

EARLY_MS = 150    # how much later PostgreSQL gets a COMMIT that was answered already
SHOWN = 20        # findings printed; all are in findings.txt
VERSIONS_MAX = 50  # of each bank's rules
FIXED_LIMIT = 300000  # minor units of exposure
VARIETY = 5       # each kind of command is done at least so often
LAST_HOLDS = 60   # tries of a client to leave a hold open at the end; most take two or three
SETTLING = "settling what a bank owes"
LONG = 100        # kills; shorter runs have less to do at a time, and chance need not bring everything in them
CLIENTS = 24      # of a long run; half as many of a short one


class TimeIsUp(Exception):
    """The whole run takes longer than it may."""


# --- kills: each is given the supervisor and answers what it did -------------------------------------------------------

def kill_server(run):
    server = run.any_server()
    server.kill()
    time.sleep(run.rng.uniform(0, 0.5))
    server.start()
    return f"{server.name}: SIGKILL, started again"


def stop_server(run):
    server, seconds = run.any_server(), run.rng.choice((0.3, 1.5, 4.0))
    server.signal(signal.SIGSTOP)
    time.sleep(seconds)
    server.signal(signal.SIGCONT)
    return f"{server.name}: SIGSTOP, SIGCONT {seconds} s later"


def terminate_backend(run):
    pid = run.any_backend()
    run.database.psql(f"SELECT pg_terminate_backend({pid})")
    return f"backend {pid}: pg_terminate_backend"


def kill_backend(run):
    pid = run.any_backend()
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return f"backend {pid}: was gone already"
    return f"backend {pid}: SIGKILL, so that the postmaster restarts all"


def kill_postmaster(run):
    run.database.down(signal.SIGKILL)
    time.sleep(run.rng.uniform(0, 0.5))
    run.database.up()
    return "postmaster: SIGKILL, started again"


def stop_immediately(run):
    run.database.down(signal.SIGQUIT)  # what pg_ctl stop -m immediate sends
    time.sleep(run.rng.uniform(0, 0.5))
    run.database.up()
    return "postmaster: immediate shutdown, started again"


def cut_connections(run):
    seconds = run.rng.choice((0, 0, 1.5))
    run.proxy.order(*(("refuse", seconds) if seconds else ("cut",)))
    return f"connections to the database: cut{f', refused for {seconds} s' if seconds else ''}"


def delay_connections(run):
    ms, seconds = run.rng.choice((5, 50, 300)), 2.0
    run.proxy.order("delay", ms, seconds)
    time.sleep(seconds)
    return f"connections to the database: each piece {ms} ms late for {seconds} s"


def stall_connections(run):
    seconds = run.rng.choice((0.5, 2.0, 3.5))
    run.proxy.order("stall", seconds)
    time.sleep(seconds)
    if run.rng.random() < 0.5:
        return f"connections to the database: stalled for {seconds} s"
    run.proxy.order("cut")
    return f"connections to the database: stalled for {seconds} s, then cut"


def drop_commit_answers(run):
    count = run.rng.randint(1, 4)
    run.proxy.order("drop", count)
    for _ in range(count):
        run.proxy.dropped.get(timeout=worlds.PATIENCE_S)
    return f"answer to COMMIT: dropped {count} times, and the connection cut"


KILLS = {
    "server SIGKILL": kill_server,
    "server SIGSTOP": stop_server,
    "backend terminated": terminate_backend,
    "backend SIGKILL": kill_backend,
    "postmaster SIGKILL": kill_postmaster,
    "immediate shutdown": stop_immediately,
    "connections cut": cut_connections,
    "connections delayed": delay_connections,
    "connections stalled": stall_connections,
    "COMMIT answer dropped": drop_commit_answers,
}
# With the fault, what loses nothing by itself, or needs answers to COMMIT, is left out.
PROVING = ("server SIGKILL", "backend SIGKILL", "postmaster SIGKILL", "immediate shutdown", "connections cut")


def plan(rng, count, kinds):
    """Every kind as often as every other, in random order."""
    found = []
    while len(found) < count:
        found += rng.sample(kinds, len(kinds))
    return found[:count]


# --- the alliance ------------------------------------------------------------------------------------------------------

def insist(call, request, patience_s=worlds.PATIENCE_S):
    """A registration, repeated until it is answered: a repeat is no harm."""
    end = time.monotonic() + patience_s
    while True:
        try:
            return call(request, timeout=5)
        except grpc.RpcError as error:
            if time.monotonic() > end or clients.reason_of(error) not in ("", *clients.reasons(*clients.PASSING)):
                raise
            time.sleep(0.1)


class Worker(threading.Thread):
    """Does something again and again beside the clients; the supervisor tells when it fails."""

    def __init__(self, name, shared, rng, pause_s):
        super().__init__(name=name, daemon=True)
        self.shared, self.rng, self.pause_s = shared, rng, pause_s
        self.failure = None

    def run(self):
        try:
            while not self.shared.stop.wait(self.pause_s):
                self.work()
        except Exception as error:  # the supervisor tells of it
            if not self.shared.give_up.is_set():
                self.failure = error
                raise

    def work(self):
        raise NotImplementedError


class Office(Worker):
    """What the banks and the operator do all the time: rules get new versions, so that lots of many expiry dates come
    and go; the first bank's exposure limit is set anew, and what the second owes is settled."""

    def __init__(self, shared, rng):
        super().__init__("office", shared, rng, 3.0)
        self.published = set()
        self.count = collections.Counter()
        self.settled = {bank: {} for bank in commands.BANKS[1:]}  # request_id -> (amount, acknowledged)
        self.limits = {commands.BANKS[0]: [], commands.BANKS[1]: [FIXED_LIMIT]}  # all that were asked for
        self.used = 0

    def ask(self, party, service, rpc, request):
        """The answer, however often it takes; or the word of a refusal, or None when all is given up."""
        while True:
            stub = self.shared.messages.stubs[service](self.shared.world.channel(self.rng.randrange(2), party))
            try:
                return getattr(stub, rpc)(request, timeout=10)
            except grpc.RpcError as error:
                reason = clients.reason_of(error)
                if reason not in ("", *self.shared.passing):
                    return reason
                if self.shared.give_up.wait(0.2):
                    return None

    def publish(self, bank):
        m, rng = self.shared.messages, self.rng
        kind = rng.choice((1, 2, 2, 3))
        rules = m.bank.ExchangeRules(
            bank_id=bank, expiry_months=rng.choice((1, 1, 1, 2, 12)), minimum_points=rng.randint(1, 12), expiry_kind=kind,
            expiry_day=rng.choice(("02-29", "07-01", "12-31")) if kind == 3 else "", pending_days=rng.choice((0, 0, 2)),
            reinstate_grace_days=rng.choice((0, 5)), accrual_rate=m.types.Ratio(num=1, den=100))
        # The second bank's rate never changes: so its exposure never passes its limit.
        rate = 500 if bank in self.settled else rng.randint(1, 1500)
        rules.rates.add(currency_code="CNY", conversion_rate=m.types.Ratio(num=1, den=1),
                        settlement_rate=m.types.Ratio(num=rate, den=1000))
        for tier in (0, 2) if rng.random() < 0.7 else ():
            rules.caps.add(tier=tier, per_redemption=rng.choice((0, 3000)), per_day=rng.choice((0, 1500, 4000)),
                           per_month=rng.choice((0, 3000, 9000)))
        request = m.bank.PublishExchangeRulesRequest(request_id=stack.uuid7(), rules=rules)
        made = self.ask(f"bank/{bank}", "bank", "PublishExchangeRules", request)
        if made is None:
            return
        if isinstance(made, str):
            raise AssertionError(f"rules of {bank} were refused for {made}")
        self.published.add((bank, request.request_id, made.version, commands.instant_us(made.effective_from)))
        self.count[bank] += 1

    def limit(self, bank, minor):
        """So many minor units; None to choose, now and then less than is used."""
        if minor is None:
            minor = max(self.used + self.rng.choice((-20000, 20000, 100000, 400000)), 0)
        self.limits[bank].append(minor)
        money = self.shared.messages.types.Money(currency_code="CNY", amount_minor=minor)
        answer = self.ask(f"bank/{bank}", "bank", "SetExposureLimit",
                          self.shared.messages.bank.SetExposureLimitRequest(bank_id=bank, limit=money))
        if isinstance(answer, str):
            raise AssertionError(f"the limit {minor} of {bank} was refused for {answer}")
        self.used = answer.used.amount_minor if answer else 0

    def settle(self, bank):
        """Most of what is used."""
        m = self.shared.messages
        known = self.ask(f"bank/{bank}", "bank", "GetExposure", m.bank.GetExposureRequest(bank_id=bank, currency_code="CNY"))
        minor = known.used.amount_minor * 7 // 10 if known else 0
        if minor < 1:
            return
        name = stack.uuid7()
        self.settled[bank][name] = (minor, False)
        answer = self.ask(commands.OPERATOR, "operator", "RecordSettledExposure", m.bank.RecordSettledExposureRequest(
            request_id=name, bank_id=bank, amount=m.types.Money(currency_code="CNY", amount_minor=minor)))
        if isinstance(answer, str) and answer != "BEYOND_EXPOSURE":
            raise AssertionError(f"settling {minor} of {bank} was refused for {answer}")
        self.settled[bank][name] = (minor, answer is not None and not isinstance(answer, str))

    def has_settled(self):
        return any(known for mine in self.settled.values() for _, known in list(mine.values()))

    def work(self):
        for bank in commands.BANKS:
            if self.count[bank] < VERSIONS_MAX:
                self.publish(bank)
            if bank in self.settled:
                self.settle(bank)
            else:
                self.limit(bank, None)


DAYS_KEPT = 3


class Calendar(Worker):
    """Days end, some at a time: lots expire, pending points mature, counters begin anew."""

    def __init__(self, shared, rng, days_max):
        super().__init__("calendar", shared, rng, 0.7)
        self.days_max = days_max  # a tick
        self.said = ""

    def work(self, days=None):
        """Until the day's end is reached or the database is gone; what is left is done the next time. A long run comes to
        the real day, which is not over: some days are kept for the end."""
        over = (datetime.datetime.now(datetime.timezone.utc).date() - self.shared.today).days - 1
        days = days or min(self.rng.randint(1, self.days_max), over - DAYS_KEPT)
        if days < 1:
            return True
        self.said, good = self.shared.world.close_days(self.shared.day(days - 1))
        closed = [line.split()[0] for line in self.said.splitlines() if line.endswith("sealed")]
        if closed:
            self.shared.today = datetime.date.fromisoformat(closed[-1]) + datetime.timedelta(days=1)
        return good


def found_alliance(world, messages):
    """One programme, two banks, two merchants; all channels are made here, before there are threads."""
    m = messages
    operator = m.stubs["operator"](world.channel(0, commands.OPERATOR))
    insist(operator.CreateProgramme, m.operator.CreateProgrammeRequest(programme=m.operator.Programme(
        programme_id="p", time_zone="Asia/Shanghai", business_date=check.FIRST_DAY)))
    for bank in commands.BANKS:
        insist(operator.RegisterBank, m.operator.RegisterBankRequest(bank=m.operator.Bank(
            bank_id=bank, programme_id="p", name=bank)))
    for place, merchant in enumerate(commands.MERCHANTS):
        insist(operator.RegisterMerchant, m.operator.RegisterMerchantRequest(merchant=m.operator.Merchant(
            merchant_id=merchant, programme_id="p", name=merchant,
            stores=[m.operator.Store(store_id="main", name="Main")],
            terms=m.operator.Terms(commission_bp=250 + 83 * place, settlement_currency="CNY"))))
    for place, bank in enumerate(commands.BANKS):
        stub = m.stubs["bank"](world.channel(0, f"bank/{bank}"))
        for name, shares in commands.FUNDINGS.items():
            insist(stub.RegisterFunding, m.bank.RegisterFundingRequest(funding=m.bank.Funding(
                bank_id=bank, funding_id=name, currency_code="CNY", cost_rate=m.types.Ratio(num=1, den=2),
                shares=[m.bank.FundingShare(funder=funder, merchant_id=merchant, share_bp=bp)
                        for funder, merchant, bp in shares])))
        if place:
            insist(stub.SetExposureLimit, m.bank.SetExposureLimitRequest(bank_id=bank, limit=m.types.Money(
                currency_code="CNY", amount_minor=FIXED_LIMIT)))
    for index in range(len(world.servers)):
        for party in (commands.OPERATOR, commands.SECOND_OPERATOR, *(f"bank/{bank}" for bank in commands.BANKS),
                      *(f"merchant/{merchant}" for merchant in commands.MERCHANTS)):
            world.channel(index, party)


def knows_all(world, messages):
    """A server learns within a second what was registered at the other; until then it answers NOT_FOUND."""
    m = messages
    for index in range(len(world.servers)):
        for bank in commands.BANKS:
            for merchant in commands.MERCHANTS:
                stub = m.stubs["redemption"](world.channel(index, f"merchant/{merchant}"))
                try:
                    stub.QuoteRedemption(m.redemption.QuoteRedemptionRequest(
                        merchant_id=merchant, bank_id=bank, price=m.types.Money(currency_code="CNY", amount_minor=1)),
                        timeout=5)
                except grpc.RpcError:
                    return False
    return True


# --- the run -----------------------------------------------------------------------------------------------------------

class Run:
    """One run, from the first kill to the verdict. needed: kinds of commands, refusals and SETTLING that it waits for."""

    def __init__(self, options, needed=None):
        self.options = options
        self.rng = random.Random(options.seed)
        self.world = self.database = self.proxy = None
        self.shared, self.clients = None, []
        self.office = self.calendar = None
        self.long = options.kills >= LONG
        self.needed = needed or ({*commands.KINDS, *commands.REFUSALS, SETTLING} if self.long and not options.prove else set())
        self.kills = collections.Counter()
        self.began = time.monotonic()

    def say(self, text):
        seconds = int(time.monotonic() - self.began)
        print(f"{seconds // 60:2}:{seconds % 60:02}  {text}", flush=True)

    def any_server(self):
        return self.rng.choice(self.world.servers)

    def any_backend(self):
        return stack.wait_for(self.backends, worlds.PATIENCE_S, "a backend of a server")[0]

    def backends(self):
        try:
            return self.database.backends()
        except OSError:
            return []
        except stack.subprocess.CalledProcessError:
            return []  # it is starting up

    def acknowledged(self):
        return sum(client.counts["acknowledged"] for client in self.clients)

    def begin(self, stubs):
        stack.generate_stubs(stubs)
        messages = commands.Messages()
        self.world = worlds.World(self.options.folder, EARLY_MS if self.options.prove else 0)
        self.database, self.proxy = self.world.database, self.world.proxy
        os.makedirs(self.world.path("log"))
        found_alliance(self.world, messages)
        self.shared = clients.Shared(self.world, messages)
        self.shared.last_holds = 0 if self.options.prove else LAST_HOLDS
        self.shared.today = datetime.date.fromisoformat(check.FIRST_DAY)
        self.office = Office(self.shared, random.Random(f"{self.options.seed}/rules"))
        self.calendar = Calendar(self.shared, random.Random(f"{self.options.seed}/days"), 10 if self.long else 4)
        self.office.limit(commands.BANKS[0], FIXED_LIMIT)
        for bank in commands.BANKS:
            self.office.publish(bank)
        stack.wait_for(lambda: knows_all(self.world, messages), worlds.PATIENCE_S, "both servers to know all parties")
        self.clients = [clients.Client(n, self.options.seed, self.shared) for n in range(self.options.clients)]
        for thread in (self.office, self.calendar, *self.clients):
            thread.start()

    def wait_for_progress(self):
        """Every client is answered again."""
        before = [client.counts["acknowledged"] for client in self.clients]

        def moved():
            self.look()
            return all(client.counts["acknowledged"] > count for client, count in zip(self.clients, before))
        stack.wait_for(moved, worlds.PATIENCE_S, "an answer to every client")

    def look(self):
        """Nothing may end but by our hand."""
        for server in self.world.servers:
            if server.ended():
                raise AssertionError(f"{server.name} ended by itself with {server.process.returncode}; its log is "
                                     f"{server.log}")
        for thread in (self.office, self.calendar, *self.clients):
            if thread.failure:
                raise AssertionError(f"{thread.name} failed: {thread.failure!r}")

    def kill(self):
        kinds = list(PROVING if self.options.prove else KILLS)
        for number, kind in enumerate(plan(self.rng, self.options.kills, kinds), 1):
            self.wait_for_progress()
            self.look_at_exposure()
            time.sleep(self.rng.uniform(0.3, 1.7) * self.options.seconds_between)
            did = KILLS[kind](self)
            self.kills[kind] += 1
            self.say(f"kill {number:3} of {self.options.kills}  {did}  ({self.acknowledged()} acknowledged)")
        self.wait_for_progress()

    def missing(self):
        """What was done too seldom, or not met: what is never done would be tested by nobody."""
        counts = sum((client.counts for client in self.clients), collections.Counter())
        return [kind for kind in commands.KINDS if counts[kind, "done"] < VARIETY] + \
            [refusal for refusal in commands.REFUSALS if not counts[refusal, "met"]] + \
            ([] if self.office.has_settled() else [SETTLING])

    def wait_for_variety(self, needed):
        """Until nothing of what is needed is missing; a short run needs nothing and says what it did without."""
        def varied():
            self.look()
            return not needed.intersection(self.missing())
        stack.wait_for(varied, worlds.PATIENCE_S, f"{VARIETY} of each kind of command, and each refusal that must be met")
        if not self.options.prove and self.missing():
            self.say(f"note: a run of less than {LONG} kills; too seldom for it to say much of them: "
                     + ", ".join(self.missing()))

    def finish(self):
        self.wait_for_variety(self.needed)
        self.shared.stop.set()
        end = time.monotonic() + worlds.PATIENCE_S
        for thread in (*self.clients, self.office, self.calendar):
            thread.join(max(end - time.monotonic(), 0.1))
        self.shared.give_up.set()
        for client in self.clients:
            client.join(10)
        self.look()
        stack.wait_for(lambda: self.calendar.work(1), worlds.PATIENCE_S, "the end of the open day")

    def look_at_exposure(self):
        """In one snapshot, whenever it is taken: parts are no more than the limit, and what redemptions say that they
        take is used, less what was settled. The second bank's rate never changes: it is never past its limit."""
        def rows():
            try:
                return ledger.Ledger(self.database).rows(ledger.EXPOSED)
            except (OSError, stack.subprocess.CalledProcessError):
                return []  # it is starting up
        for row in stack.wait_for(rows, worlds.PATIENCE_S, "the database"):
            good = row["allotted"] <= row["limit"]
            if row["bank_id"] in self.office.settled:
                good = good and row["used"] <= row["limit"]
            else:
                good = good and row["used"] == row["taken"]
            if not good and not self.options.prove:
                self.shared.wrong(f"exposure of a bank in a snapshot: {row}")

    def check(self):
        """Servers are ended first: what is compared stands still."""
        self.world.hang_up()
        for server in self.world.servers:
            server.signal(signal.SIGTERM)
        for server in self.world.servers:
            if server.process.wait(worlds.PATIENCE_S) != 0:
                self.shared.wrong(f"{server.name} ended with {server.process.returncode}; its log is {server.log}")
        self.say("servers ended")
        checked = self.compare("alliance")
        checked.findings += self.shared.findings
        return checked

    def compare(self, name):
        """A database with the logs and the model."""
        checked = check.Check(self.database, name)
        for client in self.clients:
            checked.client(client.name, client.log_path)
        checked.everything()
        checked.published(self.office.published)
        checked.exposures(self.office.settled, self.office.limits)
        return checked

    def report(self, checked):
        counts = sum((client.counts for client in self.clients), collections.Counter())
        totals = checked.ledger.totals()
        print(f"\ncalls sent {counts['sent']}, acknowledged {counts['acknowledged']} ({counts['done']} done, "
              f"{counts['refused']} refused by a rule), retried {counts['retried']}, acknowledged ones repeated "
              f"{counts['repeated']}, ids reused {counts['reused']}")
        print("done/refused: " + ", ".join(f"{kind} {counts[kind, 'done']}/{counts[kind, 'refused']}"
                                           for kind in commands.KINDS))
        print("refusals: " + ", ".join(f"{word} {counts[word, 'met']}" for word in commands.REFUSALS) +
              f"; business date {self.shared.today}")
        print("kills: " + ", ".join(f"{kind} {count}" for kind, count in self.kills.items()))
        print(f"checked: {checked.counts['commands']} commands of {checked.counts['members']} members against the "
              f"database, {checked.counts['replayed']} members replayed, {checked.counts['entries']} journal entries "
              f"chained, {len(checked.sums)} sums of a bucket and day, {len(self.office.published)} versions of rules")
        print("in the database: " + ", ".join(f"{count} {what}" for what, count in totals.items()))
        found = [f"LOST: {one}" for one in checked.lost] + [f"WRONG: {one}" for one in checked.findings]
        with open(self.world.path("findings.txt"), "w", encoding="utf-8") as file:
            file.write("".join(one + "\n" for one in found))
        for one in found[:SHOWN]:
            print(one[:400])
        if found:
            print(f"{len(found)} findings; all are in {self.world.path('findings.txt')}, the clients' logs in "
                  f"{self.world.path('log')}, the servers' beside it; seed {self.options.seed}")

    def run(self, afterwards=None):
        """The check; or None when it could not be made. afterwards(self, check) may look at the database, too."""
        stubs = tempfile.mkdtemp(prefix="alliance-stubs-")
        options = self.options
        self.say(f"seed {options.seed}: {options.kills} kills, {options.clients} clients, 2 servers"
                 f"{', COMMIT answered early' if options.prove else ''}")
        try:
            self.begin(stubs)
            self.kill()
            self.finish()
            self.say("everything was let finish")
            checked = self.check()
            self.say("everything was compared")
            self.report(checked)
            if afterwards:
                afterwards(self, checked)
            return checked
        except (AssertionError, queue.Empty, TimeIsUp) as error:
            print(f"FAILED: {error or repr(error)}; logs are in {options.folder}, seed {options.seed}")
            return None
        finally:
            if self.shared:
                self.shared.stop.set()
                self.shared.give_up.set()
            for client in self.clients:
                client.join(5)
            if self.world:
                self.world.close()
            shutil.rmtree(stubs, ignore_errors=True)


def within(options, name, **changes):
    """The same options for a run in a folder of its own."""
    folder = os.path.join(options.folder, name)
    os.makedirs(folder, mode=0o755)
    return argparse.Namespace(**{**vars(options), "folder": folder, **changes})


def prove(options):
    """A server that answers before COMMIT is found out; and whatever is done to a good database is found."""
    early = Run(within(options, "early", kills=4, clients=12)).run()
    if not early or not early.lost:
        print("NOT PROVED: the server answered before COMMIT, and nothing was found missing")
        return 1
    print(f"proved: {len(early.lost)} calls that were answered before COMMIT were found missing\n")
    found = []
    honest = Run(within(options, "honest", kills=1, clients=3, prove=False), tamper.NEEDED | {SETTLING}).run(
        lambda run, checked: found.append(tamper.prove(run, run.say)))
    if not found or honest.lost or honest.findings:
        print("NOT PROVED: the honest run was not in order")
        return 1
    if not found[0]:
        print("NOT PROVED: something that was done to the database was not found")
        return 1
    print("proved: whatever was done to the database was found")
    return 0


def time_is_up(*_):
    raise TimeIsUp("the whole run took longer than it may (--limit)")


def main():
    parser = argparse.ArgumentParser(prog="crash")
    parser.add_argument("--folder", required=True, help="everything lies below it; must be empty")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--seconds-between", type=float, default=1.0, help="between recovery and the next kill, on average")
    parser.add_argument("--clients", type=int, help=f"{CLIENTS} if not given, half of that for less than {LONG} kills")
    parser.add_argument("--limit", type=float, help="seconds the whole run may take; 300 and 30 a kill if not given")
    parser.add_argument("--prove", action="store_true", help="answer COMMIT early, and succeed if loss is found")
    options = parser.parse_args()
    options.clients = options.clients or (CLIENTS if options.kills >= LONG else CLIENTS // 2)
    signal.signal(signal.SIGALRM, time_is_up)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.setitimer(signal.ITIMER_REAL, options.limit or 300 + 30 * options.kills)
    if options.prove:
        return prove(options)
    checked = Run(options).run()
    return 1 if checked is None or checked.lost or checked.findings else 0


if __name__ == "__main__":
    sys.exit(main())
