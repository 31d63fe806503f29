#!/usr/bin/env python3
"""demo.py FOLDER --ops OPS --var VAR: the main job on the files of FOLDER, by the `alliance` and `alliance-settle` commands only.

Goes on where an earlier run stopped: the programme says which day is open, every step may be repeated, and the
request ids of what is published are kept before the first attempt.
"""
import argparse
import csv
import datetime
import glob
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid

DAY = datetime.timedelta(days=1)


class Stopped(Exception):
    """A command failed; the message is its own."""


class Tools:
    """The two programs, and the files they work on."""

    def __init__(self, ops, var, folder):
        self.ops, self.var, self.folder = ops, var, folder
        self.bin = os.path.join(os.path.dirname(ops), "build", "release", "bin")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLIANCE_")}

    def file(self, *parts):
        return os.path.join(self.folder, *parts)

    def run(self, command, allowed=(0,), text=None):
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                              env={**self.environment, "ALLIANCE_HOME": self.var, "ALLIANCE_VAR": self.var})
        if done.returncode not in allowed:
            raise Stopped(f"{' '.join(command[:4])}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def alliance(self, profile, *words, allowed=(0,)):
        return self.run([os.path.join(self.bin, "alliance"), *words, "--profile", profile], allowed)

    def ask(self, profile, *words):
        """The reply as JSON."""
        return json.loads(self.alliance(profile, *words, "--json"))

    def settle(self, *words):
        # Its settings are those of the stack, and not of the environment.
        command = [os.path.join(self.bin, "alliance-settle"), *words, "--settings", os.path.join(self.var, "alliance.conf")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.environment)
        if done.returncode != 0:
            raise Stopped(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")

    def parties(self, of_role):
        self.run([os.path.join(self.ops, "dev"), "parties"], text="".join(f"{role} {name}\n" for role, name in of_role))


class Kept:
    """A JSON file that is written whole before anything depends on it."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, encoding="utf-8") as file:
                self.content = json.load(file)
        except OSError:
            self.content = {}

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.content, file, indent=1)
        os.replace(self.path + ".new", self.path)

    def request_id(self, name):
        """A UUIDv7 of now, the same again for the same name."""
        if name not in self.content:
            head = int(time.time() * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64
            self.content[name] = str(uuid.UUID(int=head | 2 << 62 | secrets.randbits(62)))
            self.save()
        return self.content[name]


class Bar:
    """How far the job is: a bar on a terminal, a line a month elsewhere."""

    def __init__(self, total):
        self.total, self.begun, self.month = total, time.monotonic(), ""
        self.terminal = sys.stderr.isatty()

    def show(self, done, day):
        seconds = int(time.monotonic() - self.begun)
        if self.terminal:
            filled = 40 * done // self.total
            sys.stderr.write(f"\r  [{'#' * filled}{'.' * (40 - filled)}] {day}  {done}/{self.total} days  {seconds} s ")
            sys.stderr.flush()
        elif day[:7] != self.month:
            print(f"  {day[:7]}  {seconds} s", flush=True)
        self.month = day[:7]

    def end(self):
        if self.terminal:
            sys.stderr.write("\r" + " " * 90 + "\r")


def port_of(tools, simulator):
    with open(os.path.join(tools.var, "run", f"{simulator}-simulator.port"), encoding="ascii") as file:
        return int(file.read())


def merchants_with_webhook(tools, path):
    """The first merchant is told of its confirmations; the simulator knows the secret by its file."""
    with open(os.path.join(tools.var, "keys", "webhook.secret"), encoding="ascii") as file:
        secret = file.read().strip()
    with open(tools.file("merchants.jsonl"), encoding="utf-8") as file:
        merchants = [json.loads(line) for line in file]
    merchants[0]["webhook"] = {"url": f"http://127.0.0.1:{port_of(tools, 'merchant')}/webhook", "secret": secret}
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(merchant) + "\n" for merchant in merchants)
    return [merchant["merchantId"] for merchant in merchants]


def carrier_with_port(tools, path):
    with open(tools.file("carrier.json"), encoding="utf-8") as file:
        carrier = json.load(file)
    carrier["baseUrl"] = f"http://127.0.0.1:{port_of(tools, 'carrier')}"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(carrier, file)


def set_up(tools, programme, kept):
    """Parties, rules, terms and members. All of it may be repeated."""
    name = programme["programmeId"]
    os.makedirs(tools.file("run"), exist_ok=True)
    operator = "operator"
    tools.alliance(operator, "programme", "create", name, "--sandbox", "--time-zone", programme["timeZone"],
                   "--business-date", programme["first"], "--clock", instant(programme, programme["first"]))
    for bank in programme["banks"]:
        tools.alliance(operator, "bank", "register", bank, "--programme", name, "--name", f"Bank {bank}")
    carrier_with_port(tools, tools.file("run", "carrier.json"))
    tools.alliance(operator, "carrier", "register", tools.file("run", "carrier.json"))
    merchants = merchants_with_webhook(tools, tools.file("run", "merchants.jsonl"))
    tools.alliance(operator, "merchants", "import", tools.file("run", "merchants.jsonl"))
    tools.alliance(operator, "good", "register", tools.file("good.json"))
    for terms in sorted(os.listdir(tools.file("terms"))):
        tools.alliance(operator, "terms", "publish", tools.file("terms", terms), "--request-id", kept.request_id(f"terms {terms}"))
    tools.parties([("bank", bank) for bank in programme["banks"]] + [("merchant", merchant) for merchant in merchants])
    for bank, versions in programme["banks"].items():
        for version in range(1, versions + 1):
            tools.alliance(f"bank-{bank}", "rules", "publish", tools.file("rules", f"{bank}-{version}.json"),
                           "--request-id", kept.request_id(f"rules {bank} {version}"))
        tools.alliance(f"bank-{bank}", "members", "push", tools.file("members", f"{bank}.csv"))
    kept.content["set up"] = True
    kept.save()


def instant(programme, day, hours=0):
    midnight = datetime.datetime.fromisoformat(day) + datetime.timedelta(hours=hours - programme["utcOffsetHours"])
    return midnight.isoformat() + "Z"


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Job:
    """The days, one after the other."""

    def __init__(self, tools, programme, kept, tally):
        self.tools, self.programme, self.kept, self.tally = tools, programme, kept, tally
        self.now = ""            # programme time
        self.redemptions = {}    # key -> redemption_id: later days reverse by it
        self.read_receipts()

    def advance(self, to):
        if self.now < to:
            self.tools.alliance("operator", "clock", "advance", self.programme["programmeId"], to)
            self.now = to

    def day(self, day):
        """Noon: spend, then redemptions; midnight: the day is closed."""
        self.advance(instant(self.programme, day, 12))
        spent = self.push_spend(day)
        self.redeem(day)
        self.advance(instant(self.programme, (datetime.date.fromisoformat(day) + DAY).isoformat()))
        self.tools.settle("day-close", "--programme", self.programme["programmeId"], "--date", day)
        self.tally.content[day] = spent
        self.tally.save()

    def push_spend(self, day):
        path = self.tools.file("days", day, "accruals.csv")
        if not rows_of(path):
            return {}
        reply = self.tools.ask(f"bank-{self.programme['spendingBank']}", "accruals", "push", path, "--allow-refused")
        return {name: int(value) for name, value in reply.items()}

    def redeem(self, day):
        """A reversal of an earlier day's redemption names it by its id."""
        rows = rows_of(self.tools.file("days", day, "redemptions.csv"))
        if not rows:
            return
        held = {row["key"] for row in rows if row["action"] == "hold"}
        for row in rows:
            if row["key"] not in held:
                row["key"] = self.redemptions[row["key"]]
        path, receipts = self.tools.file("run", f"{day}.csv"), self.tools.file("run", f"{day}.receipts.csv")
        with open(path + ".new", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(path + ".new", path)
        self.tools.alliance("operator", "redemptions", "run", path, "--profiles-dir", os.path.join(self.tools.var, "profiles"),
                            "--ship-to", self.tools.file("ship-to.json"), "--receipts", receipts, "--allow-refused")
        self.take_receipts(receipts)

    def take_receipts(self, path):
        for row in rows_of(path):
            if row["action"] == "hold" and row["redemption_id"]:
                self.redemptions[row["key"]] = row["redemption_id"]

    def read_receipts(self):
        for path in glob.glob(self.tools.file("run", "*.receipts.csv")):
            self.take_receipts(path)


def months(tools, programme):
    return {month["period"]: month for month in tools.ask("operator", "settlement", "periods", programme["programmeId"]).get("periods", [])}


def months_settled(tools, programme):
    return {period for period, month in months(tools, programme).items() if month["state"].endswith("_ISSUED")}


def settle_month(tools, programme, month):
    """One calculates, another approves what was calculated, then it is signed and final."""
    name = programme["programmeId"]
    tools.settle("period-close", "--programme", name, "--period", month, "--by", "settlement-desk")
    tools.alliance("operator", "settlement", "approve", name, month, months(tools, programme)[month]["manifestSha256"])
    tools.settle("issue", "--programme", name, "--period", month)


def days_of(programme, through):
    day, last = datetime.date.fromisoformat(programme["first"]), datetime.date.fromisoformat(programme["last"])
    while day <= last and day.isoformat()[:7] <= through:
        yield day.isoformat()
        day += DAY


def run(tools, programme, through):
    kept = Kept(tools.file("kept.json"))
    if not kept.content.get("set up"):
        print(f"  registering {', '.join(programme['banks'])}, {programme['merchants']} merchants and "
              f"{sum(programme['members'].values()):,} members, with certificates, rules and terms", flush=True)
        set_up(tools, programme, kept)
    shown = tools.ask("operator", "programme", "show", programme["programmeId"])
    settled = months_settled(tools, programme)
    job = Job(tools, programme, kept, Kept(tools.file("tally.json")))
    job.now = shown["programmeTime"]
    days = list(days_of(programme, through))
    bar = Bar(len(days))
    for number, day in enumerate(days, 1):
        if day[:7] in settled:
            continue
        bar.show(number - 1, day)
        if day >= shown["businessDate"]:
            job.day(day)
        if (datetime.date.fromisoformat(day) + DAY).day == 1:
            settle_month(tools, programme, day[:7])
    bar.end()
    print(f"  {len(days)} days are closed, {len({day[:7] for day in days})} months settled", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--ops", required=True)
    parser.add_argument("--var", required=True)
    parser.add_argument("--through", default="9999-12")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with open(os.path.join(asked.folder, "programme.json"), encoding="utf-8") as file:
        programme = json.load(file)
    try:
        run(Tools(asked.ops, asked.var, asked.folder), programme, asked.through)
    except Stopped as why:
        sys.exit(f"\ndemo: {why}")


if __name__ == "__main__":
    main()
