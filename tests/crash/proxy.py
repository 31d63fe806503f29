#!/usr/bin/env python3
"""A TCP proxy before PostgreSQL that can spoil a connection where it hurts most.

    proxy.py SOCKET [EARLY_MS]      forwards a free port of 127.0.0.1, which it prints, to the Unix socket SOCKET

Orders come as lines on standard input; the end of it ends the proxy, so it never outlives whoever started it:
    cut                   every connection is reset
    refuse SECONDS        the same, and new ones are reset at once for a while
    stall SECONDS         nothing is forwarded for a while, then everything
    delay MS SECONDS      each piece is forwarded that much later, for a while
    drop N                the next N answers to COMMIT are not forwarded: their connections are reset instead
Each answer to COMMIT it drops is told on standard output by a line "dropped".

EARLY_MS is the fault that proves the crash test: the proxy answers a COMMIT that the server sends in a pipeline by
itself, at once, and sends it on to PostgreSQL only that much later. To callers the server then is one that answers
before COMMIT; whatever kills the database, the server or the connection in between loses what was acknowledged.
"""

import asyncio
import struct
import sys

COMMIT_TAG = b"COMMIT\0"
BIND_COMPLETE, NO_DATA = b"2\0\0\0\4", b"n\0\0\0\4"
COMMITTED = b"C" + struct.pack("!I", 4 + len(COMMIT_TAG)) + COMMIT_TAG
READY_IDLE = b"Z\0\0\0\5I"
FLUSH = b"H\0\0\0\4"


class Orders:
    """What is to be spoiled now; all connections look here."""

    def __init__(self):
        self.drops = 0
        self.delay_s = 0.0
        self.refused_until = self.stalled_until = self.delayed_until = 0.0
        self.connections = set()

    def cut(self):
        for connection in list(self.connections):
            connection.reset()

    def take(self, line):
        """One line of standard input."""
        now = asyncio.get_running_loop().time()
        word, *numbers = line.split()
        numbers = [float(n) for n in numbers]
        if word == "cut":
            self.cut()
        elif word == "refuse":
            self.refused_until = now + numbers[0]
            self.cut()
        elif word == "stall":
            self.stalled_until = now + numbers[0]
        elif word == "delay":
            self.delay_s, self.delayed_until = numbers[0] / 1000, now + numbers[1]
        elif word == "drop":
            self.drops += int(numbers[0])

    async def wait(self):
        """Holds a piece back for as long as the orders say."""
        loop = asyncio.get_running_loop()
        if loop.time() < self.delayed_until:
            await asyncio.sleep(self.delay_s)
        while loop.time() < self.stalled_until:
            await asyncio.sleep(self.stalled_until - loop.time())


class Messages:
    """Cuts a stream of one direction into whole messages: (type, bytes)."""

    def __init__(self, startup):
        self.buffer = bytearray()
        self.startup = startup  # the first message of a client has no type

    def feed(self, data):
        self.buffer += data
        found = []
        while True:
            head = 0 if self.startup else 1
            if len(self.buffer) < head + 4:
                return found
            size = head + struct.unpack_from("!I", self.buffer, head)[0]
            if len(self.buffer) < size:
                return found
            kind = b"" if self.startup else bytes(self.buffer[:1])
            found.append((kind, bytes(self.buffer[:size])))
            del self.buffer[:size]
            self.startup = False


class Connection:
    """One connection of the server and its counterpart to PostgreSQL."""

    def __init__(self, orders, early_s, reader, writer, up_reader, up_writer):
        self.orders, self.early_s = orders, early_s
        self.reader, self.writer, self.up_reader, self.up_writer = reader, writer, up_reader, up_writer
        # For EARLY_MS only: names of prepared COMMITs, how many answers are still to come, and whether one was an error.
        self.commits = set()
        self.pending = 0
        self.failed = False
        self.swallow = False  # the real answer to a COMMIT that was answered already
        self.moved = asyncio.Event()

    def reset(self):
        for writer in (self.writer, self.up_writer):
            writer.transport.abort()
        self.moved.set()

    async def run(self):
        self.orders.connections.add(self)
        tasks = [asyncio.ensure_future(self.upwards()), asyncio.ensure_future(self.downwards())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.orders.connections.discard(self)
            self.reset()

    async def send(self, writer, data):
        await self.orders.wait()
        writer.write(data)
        await writer.drain()

    async def upwards(self):
        messages, held = Messages(startup=True), []
        while data := await self.reader.read(65536):
            if not self.early_s:
                await self.send(self.up_writer, data)
                continue
            for kind, message in messages.feed(data):
                if held or self.is_commit(kind, message):
                    held.append(message)
                    if kind == b"S":
                        await self.answer_early(held)
                        held = []
                else:
                    self.note(kind, message)
                    await self.send(self.up_writer, message)

    def is_commit(self, kind, message):
        return kind == b"B" and message[5:].split(b"\0", 2)[1] in self.commits

    def note(self, kind, message):
        if kind == b"P":
            name, query = message[5:].split(b"\0", 2)[:2]
            if query == b"COMMIT":
                self.commits.add(name)
        elif kind == b"E":
            self.pending += 1

    async def answer_early(self, held):
        """held is Bind, Describe, Execute and Sync of a COMMIT: answered when all before it is."""
        await self.send(self.up_writer, FLUSH)
        while self.pending > 0 and not self.failed:
            self.moved.clear()
            await self.moved.wait()
        if not self.failed:
            described = any(message[:1] == b"D" for message in held)
            await self.send(self.writer, BIND_COMPLETE + (NO_DATA if described else b"") + COMMITTED + READY_IDLE)
            self.swallow = True
            await asyncio.sleep(self.early_s)
        await self.send(self.up_writer, b"".join(held))

    async def downwards(self):
        messages = Messages(startup=False)
        while data := await self.up_reader.read(65536):
            forward = []
            for kind, message in messages.feed(data):
                if kind == b"C" and message[5:] == COMMIT_TAG and self.orders.drops > 0:
                    self.orders.drops -= 1
                    print("dropped", flush=True)
                    return
                if self.early_s and self.answered(kind):
                    continue
                forward.append(message)
            if forward:
                await self.send(self.writer, b"".join(forward))

    def answered(self, kind):
        """Keeps count for answer_early; true when the message is not for the client."""
        swallowed = self.swallow and kind in b"2nCZ"
        if swallowed and kind == b"Z":
            self.swallow = False
        if kind in b"CEsI":
            self.pending = max(self.pending - 1, 0)
        if kind == b"E":
            self.failed = True
        if kind == b"Z":
            self.pending, self.failed = 0, False
        self.moved.set()
        return swallowed


async def main(socket_path, early_ms):
    orders = Orders()

    async def accept(reader, writer):
        if asyncio.get_running_loop().time() < orders.refused_until:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(socket_path)
        except OSError:
            writer.transport.abort()
            return
        await Connection(orders, early_ms / 1000, reader, writer, up_reader, up_writer).run()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        orders.take(line.decode())
    orders.cut()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
