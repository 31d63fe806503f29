"""A whole installation for one test file: its own PostgreSQL, authority, settings and server processes.

The client is Debian's python3-grpcio with stubs generated from proto/, so that nothing of ours is on both ends.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import grpc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ALLIANCE_BUILD", os.path.join(ROOT, "build", "release"))
GRPC_PROTO = "/usr/share/grpc-proto"


def generate_stubs(folder):
    """Python modules of every proto, importable from folder."""
    protos = []
    for base, wanted in ((os.path.join(ROOT, "proto"), ("alliance/v1", "google/rpc")),
                         (GRPC_PROTO, ("grpc/health/v1", "grpc/reflection/v1alpha"))):
        for part in wanted:
            protos += [os.path.join(part, name) for name in sorted(os.listdir(os.path.join(base, part)))
                       if name.endswith(".proto")]
    subprocess.run(["protoc", "-I" + os.path.join(ROOT, "proto"), "-I" + GRPC_PROTO, "-I/usr/include",
                    "--python_out=" + folder, "--grpc_python_out=" + folder,
                    "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin", *protos], check=True)
    # google and grpc are packages of the system's own; the stubs sit beside them.
    import google
    google.__path__.append(os.path.join(folder, "google"))
    grpc.__path__.append(os.path.join(folder, "grpc"))
    sys.path.insert(0, folder)


def uuid7():
    """A UUID of version 7 of this moment (RFC 9562)."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def wait_for(condition, seconds=30, what="the condition"):
    """Polls another process; fails loudly when it never happens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def read_file(path, mode="r"):
    """The whole file."""
    with open(path, mode) as file:
        return file.read()


class Server:
    """One alliance-server process."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        self.port_file = stack.path(f"{name}.port")
        self.log = stack.path(f"{name}.log")
        if os.path.exists(self.port_file):
            os.remove(self.port_file)
        environment = dict(stack.environment, ALLIANCE_PORT_FILE=self.port_file,
                           ALLIANCE_METRICS_PORT_FILE=stack.path(f"{name}.metrics"))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([stack.binary("alliance-server"), "--settings", stack.path("alliance.conf")],
                                            env=environment, stdout=log, stderr=log)
        self.port = int(wait_for(self._port, what=f"{name}'s port"))

    def _port(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.tail()}")
        return os.path.exists(self.port_file) and read_file(self.port_file).strip()

    def tail(self):
        """The end of its log."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-10:])

    def stop(self, how=signal.SIGTERM):
        """Sends the signal and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)


class Stack:
    """Everything below one temporary folder; close() leaves nothing behind."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="alliance-interop-")
        os.chmod(self.folder, 0o755)
        self.servers = []
        # Programs refuse settings they do not know; this one is the tests' own.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("ALLIANCE_")}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        self.start_database()
        self._ops("pki/pki", "ca", self.path("pki"))
        self.issue("server", "DNS:localhost,IP:127.0.0.1")
        with open(self.path("data.key"), "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as key:
            key.write(secrets.token_hex(32) + "\n")
        self._ops_database("CREATE DATABASE alliance")
        with open(self.path("alliance.conf"), "w", encoding="utf-8") as conf:
            conf.write(f"database = {self.conninfo} dbname=alliance\n"
                       f"tls_ca = {self.path('pki/ca.pem')}\n"
                       f"tls_cert = {self.path('pki/server.pem')}\ntls_key = {self.path('pki/server.key')}\n"
                       f"data_key_file = {self.path('data.key')}\nlisten = 127.0.0.1:0\n"
                       "metrics_listen = 127.0.0.1:0\nallow_loopback_partners = true\n")
        subprocess.run([self.binary("alliance-server"), "--settings", self.path("alliance.conf"), "--migrate"], check=True,
                       env=self.environment, stdout=subprocess.DEVNULL)

    def path(self, name):
        """A path in the folder."""
        return os.path.join(self.folder, name)

    @staticmethod
    def binary(name):
        """A program of the build under test."""
        return os.path.join(BUILD, "bin", name)

    @staticmethod
    def _ops(script, *arguments):
        return subprocess.run([os.path.join(ROOT, "ops", script), *arguments], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def _ops_database(self, sql):
        self.psql(sql, "postgres")

    def psql(self, sql, database="alliance"):
        """Runs SQL as the owner and returns the bare answer."""
        host = self.conninfo.split()[0].removeprefix("host=")
        return subprocess.run(["psql", "-h", host, "-U", "alliance", "-d", database, "-AtXqc", sql], check=True,
                              text=True, stdout=subprocess.PIPE).stdout.strip()

    def start_database(self):
        """Starts the cluster, or starts it again."""
        self.conninfo = self._ops("lib/postgres", "start", self.path("pg"), "fast")

    def stop_database(self):
        """Stops the cluster as an administrator would."""
        self._ops("lib/postgres", "stop", self.path("pg"))

    def issue(self, name, san):
        """A certificate signed by this installation's authority."""
        self._ops("pki/pki", "issue", self.path("pki"), name, san)

    def start_server(self, name="server"):
        """A new server process on this database."""
        server = Server(self, name)
        self.servers.append(server)
        return server

    def channel(self, server, san):
        """A connection with a certificate for that party."""
        name = san.removeprefix("alliance://").replace("/", "-")
        self.issue(name, san)
        credentials = grpc.ssl_channel_credentials(*(read_file(self.path(f"pki/{file}"), "rb")
                                                     for file in ("ca.pem", f"{name}.key", f"{name}.pem")))
        return grpc.secure_channel(f"localhost:{server.port}", credentials)

    def close(self):
        """Stops everything and removes the folder."""
        for server in self.servers:
            server.stop(signal.SIGKILL)
        self.stop_database()
        shutil.rmtree(self.folder, ignore_errors=True)
