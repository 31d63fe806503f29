"""After the last kill: what clients were told, against what is in the database, against the model.

Each member's commands are replayed in the order its one client sent them. What time did in between (a hold that lapsed)
stands in the journal, which says when; whether it was allowed to then is checked. A finding is a sentence that names
the member and the request. After its first one a member is left alone, but for acknowledged calls that are lost: those
are all told.
"""

import collections
import datetime
import json

import clients
import commands
import ledger
import model

KEPT = clients.reasons("FAILED_PRECONDITION")  # refusals by the state of things: a repeat is refused for the same

NOT_KEPT = ("SECOND_PERSON_NEEDED", "APPROVAL_DIFFERS", "FIELD_INVALID")
FIRST_DAY = "2014-01-01"  # business date of the programme's beginning: there are days to close for hours
SENDS = {"transfer": "send", "merge": "send_all"}  # what the giver's model calls its part


def read_log(path):
    """Commands in the order they were sent: n -> {"do", "fields", and "answer" or "refused"}."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fact = json.loads(line)
            found.setdefault(fact.pop("n"), {}).update(fact)
    return found


def name_of(command):
    """What the database calls it; members have no request_id."""
    fields = command["fields"]
    return fields.get("request_id") or fields.get("transaction_ref") or ""


def kept_in(command):
    """The table its answer is kept in; None when it is kept nowhere."""
    if command.get("answer", {}).get("adjusted") == model.WAITING:
        return "adjustment"
    return None if command.get("refused") in NOT_KEPT else ledger.ANSWERS.get(command["do"])


class Wrong(Exception):
    """A finding about the member at hand."""


class Replay:
    """One member: its account and journal, and the model beside it. peers are the client's other members."""

    def __init__(self, check, ref, account, rows, peers):
        self.check, self.ref, self.account, self.rows, self.peers = check, ref, account, rows, peers
        self.left_alone = False
        self.refused = None  # why the command at hand was
        bank = check.banks[ref]
        fundings = {name: row["funding_no"] for name, row in check.fundings.get(bank, {}).items()}
        self.model = model.Member(check.rules.get(bank, []), check.commissions, fundings, commands.ADJUST_LIMIT)
        self.date = check.first_date  # of the newest thing known
        self.at = 0      # how far the journal is accounted for
        self.time = None  # of the newest thing known

    def read_journal(self):
        """Sequence, chain, balances that follow from the entries, holds that end once; and both sides' sums."""
        ref, account = self.ref, self.account
        chain, spendable, held, pending = "00" * 32, 0, 0, 0
        ended = collections.Counter()
        for place, entry in enumerate(account["journal"], 1):
            if entry["seq"] != place:
                raise Wrong(f"member {ref}: journal entry {place} is missing; {entry['seq']} comes instead")
            if ledger.entry_hash(chain, entry) != entry["hash"]:
                raise Wrong(f"member {ref}: the chain is broken at journal entry {place}")
            chain = entry["hash"]
            if entry["kind"] in ledger.ENDS_A_HOLD:
                ended[entry["redemption_id"]] += 1
                if ended[entry["redemption_id"]] > 1:
                    raise Wrong(f"member {ref}, hold {entry['redemption_id']}: ended twice, again by entry {place}")
            source, target = ledger.MOVES[entry["kind"]]
            sides = {source: -entry["points"], target: entry["points"]}
            # The member's own two count as its balances moved, the others as the kind of entry says.
            sides["spendable"] = entry["available"] - entry["credit_used"] - spendable
            sides["held"] = entry["held"] - held
            sides["pending"] = entry["pending"] - pending
            for side, points in sides.items():
                self.check.sums[entry["bucket"], entry["day"]] += points if side else 0
            spendable = entry["available"] - entry["credit_used"]
            held, pending = entry["held"], entry["pending"]
            self.check.counts["entries"] += 1
        if chain != account["chain"]:
            raise Wrong(f"member {ref}: the account's chain is not its newest entry's")
        if sum(account["lots"].values()) != account["available"]:
            raise Wrong(f"member {ref}: lots are {account['lots']}, available is {account['available']}")
        if sum(account["pending_lots"].values()) != account["pending"]:
            raise Wrong(f"member {ref}: pending lots are {account['pending_lots']}, pending is {account['pending']}")

    def wrong(self, command, text):
        raise Wrong(f"member {self.ref}, {command['do']} {name_of(command)}: {text}")

    def next_entry(self):
        journal = self.account["journal"]
        return journal[self.at] if self.at < len(journal) else None

    @property
    def no_room(self):
        """What the bank's other members hold is not known here: whether there was room is believed."""
        return self.refused == "EXPOSURE_LIMIT"

    def run(self, command):
        """Next in the order of the client. A gap leads to nonsense in the model; the finding says where it began."""
        involved = [self] + [self.peers[ref] for ref in (command["fields"].get("to_member_ref"),) if ref]
        if any(replay.left_alone for replay in involved):
            for replay in involved:
                replay.left_alone = True
            return
        self.refused = command.get("refused")
        try:
            if command["do"] in SENDS:
                self.transfer(command, involved[1])
            else:
                self.replay(command)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            self.wrong(command, f"cannot be replayed, because of an earlier finding or a gap in the model: {error!r}")

    def transfer(self, command, other):
        """Out of one, into the other; or back, when the other is closed."""
        row, ref = self.row_of(command), command["fields"]["request_id"]
        steps = {step: self.rows["operation"].get(ledger.step_id(ref, step)) for step in ("receive", "settle")}
        sent = row is not None and row["reason"] == "OK"
        self.lapse_before(command if not sent else dict(command, refused=None), row)
        decided = row["reason"] if row else command.get("refused", "OK")
        reason, receipt = self.decide_until(command, SENDS[command["do"]], row, decided)
        for expected in self.model.expected:
            self.take(command, expected, row)
        if reason == "OK":
            received = {model.CLOSED: "MEMBER_CLOSED", model.DECEASED: "MEMBER_DECEASED"}.get(other.model.status, "OK")
            taker, step, kind = {"OK": (other, "receive", ledger.TRANSFER_IN)}.get(
                received, (self, "settle", ledger.TRANSFER_BACK))
            for missing in (name for name, kept in steps.items() if not kept):
                self.wrong(command, f"step {missing} is not in the database")
            parcel, kept = receipt.pop("parcel"), steps[step]
            taker.catch_up(parcel.points() or parcel.pending_points() or parcel.credit or taker is self, kept)
            taker.model.expected = []
            taker.model.take_in(parcel, kind, ledger.step_id(ref, step), kept["time"], kept["date"])
            for expected in taker.model.expected:
                taker.take(command, expected, steps[step])
            taker.time, taker.date = kept["time"], kept["date"]
            reason = received
        if reason != command.get("refused", "OK"):
            self.wrong(command, f"was answered {command.get('refused', 'OK')}, and the rules say {reason}")
        if "answer" in command:
            self.compare(command, row, receipt)

    def replay(self, command):
        do, fields = command["do"], command["fields"]
        refused = command.get("refused")
        row = self.row_of(command)
        self.lapse_before(command, row)
        time = row["time"] if row else self.time or self.check.first_time
        ref = fields.get("request_id") or (row["name"] if do == "accrue" and row else None)
        if refused == "FIELD_INVALID" and fields.get("expires_on", self.check.last_date) < self.check.last_date:
            return  # the day had come before the request was answered
        reason, receipt = self.decide(do, fields, time, row, ref)
        while not self.fits(command, reason, receipt) and not self.leaves_entry(command) and self.lapse_one():
            # It lapsed while the command waited for its turn.
            reason, receipt = self.decide(do, fields, time, row, ref)
        if reason != (refused or "OK"):
            self.wrong(command, f"was answered {refused or 'OK'}, and the rules say {reason}")
        self.compare(command, row, receipt)
        for expected in self.model.expected:
            self.take(command, expected, row)

    def leaves_entry(self, command):
        """Its place among the journal's entries is known by its own."""
        if command["do"] == "accrue" and (self.row_of(command) or {"points": 0})["points"] == 0:
            return False
        return not command.get("refused") and self.model.leaves_entry(command["do"], command["fields"])

    @staticmethod
    def fits(command, reason, receipt):
        told = command.get("answer", {})
        return reason == command.get("refused", "OK") and \
            (not receipt or told.get("spendable") == receipt.get("spendable") or "refused" in command)

    def lapse_before(self, command, row):
        """What time did before the command; then nothing may be left that should have been done."""
        self.catch_up(self.leaves_entry(command), row)
        if not row:
            return
        # A batch that began a moment later may have had the account first, and ended them at its own time.
        while self.overdue(row) and self.at < len(self.account["journal"]) and self.is_times(self.account["journal"][self.at]):
            self.lapse_one()
        for name in self.overdue(row):
            self.wrong(command, f"found hold {name} open although its time was over")
        if self.model.due(row["date"]):
            self.wrong(command, f"found {self.model.due(row['date'])} although their day, {row['date']}, had come")

    def overdue(self, row):
        return [name for name, hold in self.model.open_holds().items() if hold.lapse <= row["time"]]

    def catch_up(self, leaves, row):
        """All that time did here when the command left an entry behind it; otherwise what its row says was before it."""
        due, at, later = 0, self.at, None
        while at < len(self.account["journal"]) and self.is_times(self.account["journal"][at]):
            entry = self.account["journal"][at]
            at += 1
            if entry["kind"] in (ledger.LAPSE, ledger.FORFEIT):
                before = row and entry["time"] <= row["time"]
                later = later if before else entry["time"]
            else:  # what a later lapse gave back may expire with it, on the day of the command
                before = row and entry["time"] != later and self.check.date_of(entry["day"]) <= row["date"]
            due = at if leaves or before else due
        while self.at < due:
            self.lapse_one()

    def is_times(self, entry):
        return entry["kind"] == ledger.LAPSE or entry["ref"] == ledger.NOBODY or \
            (entry["kind"] == ledger.FORFEIT and entry["ref"] == entry["redemption_id"])

    def decide_until(self, command, do, row, wanted):
        """decide; when it is refused otherwise than it was, holds may have lapsed while it waited for its turn."""
        while True:
            reason, receipt = self.decide(do, command["fields"], row["time"] if row else self.time, row,
                                          command["fields"]["request_id"])
            if reason == wanted or reason == "OK" or not self.lapse_one():
                if reason != wanted:
                    self.wrong(command, f"was decided as {wanted}, and the rules say {reason}")
                return reason, receipt

    def decide(self, do, fields, time, row, ref):
        self.model.expected = []
        self.model.no_room = self.no_room
        return getattr(self.model, do)(fields, time, row["date"] if row else self.date, ref)

    def row_of(self, command):
        """Where the answer is kept; None when it is not."""
        table = kept_in(command)
        if not table or table == "adjustment":
            return None
        row = self.rows[table].get(name_of(command))
        if row:
            if row["member_id"] != self.account["member_id"]:
                self.wrong(command, f"is in the database as another member's, {row['member_id']}")
            self.time, self.date = row["time"], row["date"]
        return row

    def compare(self, command, row, receipt):
        """The answer, the row that keeps it and the model's receipt say the same."""
        if "refused" in command:
            if row and row["reason"] != command["refused"]:
                self.wrong(command, f"was refused for {command['refused']}; the database says {row['reason']}")
            told = {}
        else:
            told, table = command["answer"], ledger.ANSWERS.get(command["do"])
            kept = row if row else receipt
            for key in ("points", "spendable", "gross", "commission", "date", "time"):
                if key in told and key in kept and not (table == "redemption" and key in ("gross", "commission")):
                    if told[key] != kept[key]:
                        self.wrong(command, f"{key} was answered {told[key]}; the database says {kept[key]}")
        if "redemption_id" in told:
            name, hash16 = told["redemption_id"].split(".")
            wanted = command["fields"].get("redemption_id", command["fields"]["request_id"]).split(".")[0]
            if name != wanted or int(hash16, 16) % self.check.buckets != self.account["bucket"]:
                self.wrong(command, f"was answered for redemption {told['redemption_id']}")
        if receipt:
            for key, value in receipt.items():
                if key in told and told[key] != value:
                    self.wrong(command, f"{key} was answered {told[key]}, and the model says {value}")
        if row and "rules_version" in row and command["do"] == "accrue" and \
                row["rules_version"] != self.model.rules_at(row["time"])["version"]:
            self.wrong(command, f"earned by rules version {row['rules_version']}, which was not in force")

    def take(self, command, expected, row):
        """The next entry of the journal is the one expected."""
        entry = self.next_entry()
        if entry is None:
            self.wrong(command, f"left no journal entry of kind {expected['kind']}; the journal ends at {self.at}")
        for key, value in expected.items():
            if (key == "ref" and command["do"] == "set_member") or (key == "redemption_id" and value is None):
                continue
            if entry[key] != value:
                self.wrong(command, f"{key} of journal entry {entry['seq']} is {entry[key]}, and the model says {value}")
        if row and entry["time"] != row["time"]:
            self.wrong(command, f"journal entry {entry['seq']} is of another time than its answer")
        self.at += 1

    def lapse_all(self):
        """Everything that the journal says lapsed here."""
        while self.lapse_one():
            pass

    def lapse_one(self):
        """Does what the journal's next entry says time did; False when it says something else."""
        entry = self.next_entry()
        if not entry or not self.is_times(entry):
            return False
        date, self.model.expected = self.check.date_of(entry["day"]), []
        if entry["kind"] == ledger.LAPSE:
            self.lapse(entry, date)
        elif entry["kind"] in (ledger.MATURE, ledger.EXPIRE):
            (self.model.ripen_due if entry["kind"] == ledger.MATURE else self.model.expire_due)(date)
        if not self.model.expected:
            raise Wrong(f"member {self.ref}: journal entry {entry['seq']} (kind {entry['kind']}) says that time did what "
                        f"was not due on {date}")
        for expected in self.model.expected:
            self.take({"do": "time", "fields": {"request_id": entry["ref"]}}, expected, None)
        self.date = max(self.date, date)
        return True

    def lapse(self, entry, date):
        name = entry["redemption_id"]
        hold = self.model.redemptions.get(name)
        if hold is None or hold.state != model.HELD:
            raise Wrong(f"member {self.ref}, hold {name}: journal entry {entry['seq']} lapses what is not held")
        if entry["time"] < hold.lapse:
            raise Wrong(f"member {self.ref}, hold {name}: lapsed before its time")
        self.model.lapse(name, entry["time"], date)

    def finish(self):
        """What is left over: nothing but lapses; and the account is as the model has it."""
        self.lapse_all()
        entry, account, mine = self.next_entry(), self.account, self.model
        if entry:
            raise Wrong(f"member {self.ref}: journal entry {entry['seq']} (kind {entry['kind']}, {entry['points']} "
                        f"points, request {entry['ref']}) belongs to no command, or is there twice")
        lots = {key: points for key, points in mine.lots.items() if points}
        holds = {name: hold.lapse for name, hold in mine.open_holds().items()}
        for what, there, expected in (
                ("status", account["status"], mine.status), ("tier", account["tier"], mine.tier),
                ("pending", account["pending"], mine.pending), ("expired", account["expired"], mine.expired),
                ("pending lots", account["pending_lots"], mine.pending_lots),
                ("points of the day", account["day_points"], mine.redeemed(account["counted_on"])),
                ("points of the month", account["month_points"], mine.redeemed(account["counted_on"][:7])),
                ("available", account["available"], mine.available),
                ("held", account["held"], mine.held), ("credit limit", account["credit_limit"], mine.limit),
                ("credit used by days", account["drawn"], mine.credit_used),
                ("credit used", account["credit_used"], mine.credit_used), ("lots", account["lots"], lots),
                ("open holds", account["holds"], holds), ("journal_seq", account["journal_seq"], self.at)):
            if there != expected:
                raise Wrong(f"member {self.ref}: {what} is {there}, and the replay gives {expected}")
        for name, hold in mine.redemptions.items():
            row = self.rows["redemption"][name]
            there = (row["state"], row["confirmed_points"], row["reversed_points"])
            if there != (hold.state, hold.confirmed, hold.reversed):
                raise Wrong(f"member {self.ref}, hold {name}: state, confirmed and reversed points are {there}, and the "
                            f"replay gives {(hold.state, hold.confirmed, hold.reversed)}")
            lines = [line.row() for line in hold.lines]
            if ledger.read_lines(row["lines"]) != lines:
                raise Wrong(f"member {self.ref}, hold {name}: order lines are {ledger.read_lines(row['lines'])}, and the "
                            f"replay gives {lines}")
            if row["exposure"] != hold.exposure():
                raise Wrong(f"member {self.ref}, hold {name}: exposure is {row['exposure']}, and the replay gives "
                            f"{hold.exposure()}")
            self.check.exposed[self.check.banks[self.ref], account["bucket"]] += hold.exposure()
        self.finish_small()

    def finish_small(self):
        """What accruals and corrections that waited came to."""
        for name, accrual in self.model.accruals.items():
            row = self.rows["accrual"][name]
            there, mine = (row["clawed"], row["pending"], row["funding"]), (accrual.clawed, accrual.pending, accrual.funding)
            if there != mine:
                raise Wrong(f"member {self.ref}, accrual {name}: clawed, pending and funding are {there}, and the replay "
                            f"gives {mine}")
        for name, (state, _) in self.model.adjustments.items():
            row = self.rows["adjustment"][name]
            approver = "" if state == model.WAITING else commands.SECOND_OPERATOR.split("/")[1]
            if (row["state"], row["approved_by"]) != (state, approver):
                raise Wrong(f"member {self.ref}, adjustment {name}: state and approver are "
                            f"{(row['state'], row['approved_by'])}, and the replay gives {(state, approver)}")


class Check:
    """All clients, one after the other: only one client's rows are in memory at a time."""

    def __init__(self, database, name="alliance"):
        self.ledger = ledger.Ledger(database, name)
        self.rules, self.commissions = self.ledger.rules(), self.ledger.commissions()
        self.fundings = self.ledger.fundings()
        self.first_date, self.last_date = FIRST_DAY, self.ledger.rows(ledger.TODAY)[0]["last"]
        self.exposed = collections.Counter()  # (bank_id, bucket) -> minor units, as the replays have it
        self.buckets = self.ledger.totals()["buckets"]
        self.first_time = max(versions[0]["effective_from"] for versions in self.rules.values())
        self.findings, self.lost = [], []
        self.counts = collections.Counter()
        self.sums = collections.Counter()  # (bucket, day) -> points over all accounts of the ledger
        self.banks = {}  # member_ref -> bank_id

    @staticmethod
    def date_of(day):
        return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()

    def client(self, name, log):
        """Everything one client did."""
        log = read_log(log)
        accounts, rows = self.ledger.of_client(name)
        by_member = collections.defaultdict(list)
        transfers = {name_of(command) for command in log.values() if command["do"] in SENDS}
        for n, command in sorted(log.items()):
            self.banks[command["fields"]["member_ref"]] = self.banks.get(
                command["fields"]["member_ref"], command["fields"].get("bank_id"))
            if "answer" not in command and "refused" not in command:
                self.findings.append(f"command {n} of {name} was never acknowledged: {command['fields']}")
            by_member[command["fields"]["member_ref"]].append(command)
        believed = {name_of(command) for command in log.values()}
        believed |= {ledger.step_id(name, step) for name in believed if name for step in ("receive", "settle")
                     if name in transfers}
        replays = {ref: Replay(self, ref, accounts.get(ref), rows, {}) for ref in by_member}
        for ref, mine in by_member.items():
            replays[ref].peers = replays
            self.member(replays[ref], mine, rows)
        for _, command in sorted(log.items()):
            self.guard(replays[command["fields"]["member_ref"]], "run", command)
        for replay in replays.values():
            self.guard(replay, "finish")
            self.counts["replayed"] += not replay.left_alone
        self.strangers(name, accounts, rows, by_member, believed)

    def guard(self, replay, method, *arguments):
        """After its first finding a member is left alone."""
        try:
            if not replay.left_alone:
                getattr(replay, method)(*arguments)
        except Wrong as wrong:
            self.findings.append(str(wrong))
            replay.left_alone = True

    def member(self, replay, commands, rows):
        """What can be said without a replay: is everything there, and is the journal one."""
        ref = replay.ref
        self.counts["commands"] += len(commands)
        self.counts["members"] += 1
        lost = [command for command in commands if self.is_lost(command, replay.account, rows)]
        self.lost += [f"member {ref}, {command['do']} {name_of(command)}: was acknowledged with "
                      f"{command.get('answer', command.get('refused'))} and is not in the database" for command in lost]
        if replay.account is None:
            replay.left_alone = True
            return
        self.guard(replay, "read_journal")
        replay.left_alone = replay.left_alone or bool(lost)

    @staticmethod
    def is_lost(command, account, rows):
        """Acknowledged, and not there: successes, and the refusals that are kept."""
        table = kept_in(command)
        if "answer" in command and table is None:
            return account is None
        kept = table not in (None, "accrual") and command.get("refused") in KEPT
        if "answer" in command or kept:
            return name_of(command) not in rows[table]
        return False

    def strangers(self, name, accounts, rows, by_member, believed):
        """Rows that no command asked for."""
        for ref in accounts.keys() - by_member.keys():
            self.findings.append(f"member {ref} of client {name}: nobody created it")
        for table, found in rows.items():
            for row in found.keys() - believed:
                self.findings.append(f"{table} {row} of client {name}: nobody asked for it")

    def everything(self):
        """What belongs to no client."""
        self.findings += self.ledger.broken()
        self.findings += self.ledger.twice
        self.findings += [f"bucket {bucket}, {self.date_of(day)}: the sum over all accounts is {points}, not 0"
                          for (bucket, day), points in sorted(self.sums.items()) if points]

    def exposures(self, settled, asked):
        """Parts of the banks' limits: what is used of them is what the replays say, less what was settled; settled is
        bank_id -> request_id -> (amount, acknowledged), asked bank_id -> every limit that was asked for."""
        rows = self.ledger.rows(ledger.EXPOSURES)
        there = {(row["bank_id"], row["request_id"]) for row in self.ledger.rows(ledger.SETTLED)}
        for bank in asked:
            parts = [row for row in rows if row["bank_id"] == bank]
            if sorted(row["bucket"] for row in parts) != list(range(self.buckets)):
                self.findings.append(f"bank {bank}: exposure has parts {parts}")
                continue
            if any(row["limit"] not in asked[bank] for row in parts) or \
                    sum(row["allotted"] for row in parts) > parts[0]["limit"]:
                self.findings.append(f"bank {bank}: exposure parts are more than the limit, or the limit is none: {parts}")
            mine = settled.get(bank, {})
            self.lost += [f"bank {bank}: settled exposure {name} was acknowledged and is not in the database"
                          for name, (_, known) in mine.items() if known and (bank, name) not in there]
            paid = sum(amount for name, (amount, _) in mine.items() if (bank, name) in there)
            used, taken = sum(row["used"] for row in parts), sum(self.exposed[bank, b] for b in range(self.buckets))
            if used != taken - paid:
                self.findings.append(f"bank {bank}: exposure used is {used}; the replay gives {taken} less {paid} settled")
            if not mine:
                self.findings += [f"bank {bank}, bucket {row['bucket']}: exposure used is {row['used']}, and the replay "
                                  f"gives {self.exposed[bank, row['bucket']]}" for row in parts
                                  if row["used"] != self.exposed[bank, row["bucket"]]]
            found = {name: tuple(map(tuple, row["shares"])) for name, row in self.fundings.get(bank, {}).items()}
            if found != commands.FUNDINGS:
                self.findings.append(f"bank {bank}: fundings are {found}")

    def published(self, acknowledged):
        """(bank_id, request_id, version, effective_from) of rules: each there, once, and no other."""
        there = {(bank, row["request_id"], row["version"], row["effective_from"])
                 for bank, versions in self.rules.items() for row in versions}
        self.lost += [f"rules {one}: were acknowledged and are not in the database" for one in acknowledged - there]
        self.findings += [f"rules {one}: nobody published them" for one in there - acknowledged]
