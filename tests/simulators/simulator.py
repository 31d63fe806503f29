"""What the simulators share: an HTTP server on loopback that writes its port to a file and ends on SIGTERM."""
import argparse
import http.server
import json
import os
import signal
import sys
import threading
import time


class Lost(Exception):
    """The answer is not sent: the connection is closed, as when a network fails at the worst moment."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = 1 << 16  # head and body leave together
    disable_nagle_algorithm = True
    simulator = None  # set by serve()

    def answer(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if 0 < length <= 1 << 20 else b""
        self.simulator.pause()
        try:
            with self.simulator.lock:
                status, content = self.simulator.handle(method, self.path, self.headers, body)
        except Lost:
            self.close_connection = True
            return
        self.reply(status, content)

    def reply(self, status, content):
        raw = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if raw:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def log_message(self, *_):
        pass


class Simulator:
    """Subclasses have handle(method, path, headers, body) -> (status, content), called under the lock."""

    faults = ("slow", "error-once", "lost-once")

    def __init__(self, options):
        self.lock = threading.Lock()
        self.wanted = set(options.fault)
        self.slow_s = options.slow_s

    def fault(self, name):
        return name in self.wanted

    def fault_once(self, name):
        there = name in self.wanted
        self.wanted.discard(name)
        return there

    def pause(self):
        if self.fault("slow"):
            time.sleep(self.slow_s)


def arguments(purpose, faults):
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--port-file", help="written once the simulator listens")
    parser.add_argument("--fault", action="append", default=[], choices=faults, help="may be given several times")
    parser.add_argument("--slow-s", type=float, default=2.0, help="how long the fault slow takes, in seconds")
    return parser


def write_port(path, port):
    beside = f"{path}.{os.getpid()}.new"
    with open(beside, "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.rename(beside, path)


def serve(simulator, options):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    Handler.simulator = simulator
    http.server.ThreadingHTTPServer.allow_reuse_address = True
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    except OSError as error:
        sys.exit(f"simulator: port {options.port} cannot be had ({error.strerror}): end the program that has it, "
                 "or start anew with ops/dev reset")
    if options.port_file:
        write_port(options.port_file, server.server_address[1])
    server.serve_forever()
