"""What the crash test runs and kills: one PostgreSQL, the proxy before it, and two servers that reach it only through that.

Everything lies below one folder. Each process dies with the supervisor (pdeathsig, or its standard input's end);
PostgreSQL is stopped by World.close, and by ops/crash should even that be killed.
"""

import os
import queue
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc

import stack
from commands import ADJUST_LIMIT

PROXY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "proxy.py")
PATIENCE_S = 300  # for anything that must happen at last, on however slow a machine


def free_port():
    """A port that nobody has, below those the system gives to outgoing connections: a killed server gets it again."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port between 20000 and 32000")


class Database:
    """PostgreSQL with fsync on, and every way to hurt it."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "pg")
        self.directory = ""

    def start(self):
        conninfo = self._ops("start")
        self.directory = conninfo.split()[0].removeprefix("host=")

    def stop(self):
        self._ops("stop")

    def _ops(self, action):
        script = os.path.join(stack.ROOT, "ops", "lib", "postgres")
        done = subprocess.run([script, action, self.folder], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=PATIENCE_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"postgres {action}: {done.stderr.strip()}")
        return done.stdout.strip()

    def socket(self):
        return os.path.join(self.directory, ".s.PGSQL.5432")

    def psql(self, sql, database="alliance"):
        """The bare answer, one line a row. Does not go through the proxy."""
        return subprocess.run(["psql", "-h", self.directory, "-U", "alliance", "-d", database, "-AtXqc", sql],
                              check=True, text=True, stdout=subprocess.PIPE, timeout=10 * PATIENCE_S,
                              env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning")).stdout.strip()

    def postmaster(self):
        return int(stack.read_file(os.path.join(self.folder, "data", "postmaster.pid")).split()[0])

    def backends(self):
        """Those that work for a server, the busy ones first."""
        found = self.psql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = "
                          "'alliance' AND pid <> pg_backend_pid() ORDER BY state = 'idle', random()")
        return [int(line) for line in found.split()]

    def down(self, how):
        """Sends the postmaster that signal, and waits until it is gone."""
        pid = self.postmaster()
        os.kill(pid, how)
        stack.wait_for(lambda: not os.path.exists(f"/proc/{pid}"), PATIENCE_S, "the postmaster's end")

    def up(self):
        """After a SIGKILL the next postmaster has to wait for the last backend of the one before."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.start()
                return
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)


class Proxy:
    """tests/crash/proxy.py, which takes its orders on standard input."""

    def __init__(self, upstream, early_ms):
        command = [sys.executable, PROXY, upstream] + ([str(early_ms)] if early_ms else [])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.dropped = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.dropped.put(line)

    def order(self, *words):
        print(*words, file=self.process.stdin, flush=True)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Server:
    """One alliance-server: it comes back on the same port under the same name."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.port = free_port()
        self.log = world.path(f"{name}.log")
        self.process = None

    def start(self):
        port_file = self.world.path(f"{self.name}.port")
        if os.path.exists(port_file):
            os.remove(port_file)
        environment = dict(self.world.environment, ALLIANCE_LISTEN=f"127.0.0.1:{self.port}",
                           ALLIANCE_PORT_FILE=port_file)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.world.binary, "--settings", self.world.path("alliance.conf")],
                env=environment, stdout=log, stderr=log)
        stack.wait_for(lambda: self.process.poll() is not None or os.path.exists(port_file), PATIENCE_S,
                       f"{self.name}'s port")
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}; its log is {self.log}")

    def signal(self, how):
        self.process.send_signal(how)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ended(self):
        return self.process.poll() is not None


class World:
    """All of it, and the parties' channels."""

    def __init__(self, folder, early_ms=0):
        self.folder = folder
        self.binary = os.path.join(stack.BUILD, "bin", "alliance-server")
        # Programs refuse settings they do not know; what the caller's shell has is its own.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("ALLIANCE_")}
        self.proxy, self.servers, self.channels = None, [], {}
        self.database = Database(folder)
        try:
            self._build(early_ms)
        except BaseException:
            self.close()
            raise

    def _build(self, early_ms):
        self.database.start()
        self._pki("ca")
        self._pki("issue", "server", "DNS:localhost,IP:127.0.0.1")
        with open(self.path("data.key"), "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as key:
            key.write(secrets.token_hex(32) + "\n")
        self.database.psql("CREATE DATABASE alliance", "postgres")
        self.proxy = Proxy(self.database.socket(), early_ms)
        with open(self.path("alliance.conf"), "w", encoding="utf-8") as conf:
            conf.write(f"database = host=127.0.0.1 port={self.proxy.port} user=alliance dbname=alliance sslmode=disable "
                       "gssencmode=disable\n"
                       f"tls_ca = {self.path('pki/ca.pem')}\n"
                       f"tls_cert = {self.path('pki/server.pem')}\ntls_key = {self.path('pki/server.key')}\n"
                       f"data_key_file = {self.path('data.key')}\nmetrics_listen = 127.0.0.1:0\n"
                       f"allow_loopback_partners = true\nadjust_limit_points = {ADJUST_LIMIT}\n"
                       f"statements_dir = {self.path('statements')}\n")
        subprocess.run([self.binary, "--settings", self.path("alliance.conf"), "--migrate"], check=True,
                       env=self.environment, stdout=subprocess.DEVNULL)
        self.servers = [Server(self, "server-1"), Server(self, "server-2")]
        for server in self.servers:
            server.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def _pki(self, action, *arguments):
        subprocess.run([os.path.join(stack.ROOT, "ops", "pki", "pki"), action, self.path("pki"), *arguments],
                       check=True, stdout=subprocess.DEVNULL)

    def channel(self, index, party):
        """The connection of a party such as "bank/bank-a" to one of the servers. Made before any thread starts."""
        if (index, party) not in self.channels:
            name = party.replace("/", "-")
            self._pki("issue", name, f"alliance://{party}")
            credentials = grpc.ssl_channel_credentials(*(stack.read_file(self.path(f"pki/{file}"), "rb")
                                                         for file in ("ca.pem", f"{name}.key", f"{name}.pem")))
            # A killed server is back within a second: clients look for it all the time.
            options = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 500),
                       ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.use_local_subchannel_pool", 1))
            self.channels[index, party] = grpc.secure_channel(f"localhost:{self.servers[index].port}", credentials,
                                                              options)
        return self.channels[index, party]

    def close_days(self, until):
        """One day after another up to this one; what alliance-settle said, and whether it came to the end."""
        done = subprocess.run(["setpriv", "--pdeathsig", "KILL", os.path.join(stack.BUILD, "bin", "alliance-settle"),
                               "day-close", "--settings", self.path("alliance.conf"), "--programme", "p", "--until", until],
                              env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.stdout, done.returncode == 0

    def hang_up(self):
        for channel in self.channels.values():
            channel.close()
        self.channels = {}

    def close(self):
        self.hang_up()
        for server in self.servers:
            if server.process:
                server.signal(signal.SIGCONT)
                server.kill()
        if self.proxy:
            self.proxy.close()
        self.database.stop()
