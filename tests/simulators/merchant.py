#!/usr/bin/env python3
"""A merchant that is told of its redemptions by webhook: checks the signature as Standard Webhooks says, and
deduplicates by webhook-id.

GET /received shows each message once: [{"id", "timestamp", "deliveries", "event"}]; GET /refused counts bad ones.
"""
import base64
import hashlib
import hmac
import json
import time

import simulator

TOLERANCE_S = 300


class Refused(Exception):
    pass


def check(key, headers, body, now):
    """The message's id and timestamp when its signature is right; Refused says what is wrong."""
    ident, stamp, signatures = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not ident or not stamp or not signatures:
        raise Refused("a header is missing")
    if not stamp.isdecimal() or abs(now - int(stamp)) > TOLERANCE_S:
        raise Refused("the timestamp is off")
    digest = hmac.new(key, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    if not any(hmac.compare_digest(expected, given) for given in signatures.split(" ")):
        raise Refused("the signature is wrong")
    return ident, int(stamp)


class Merchant(simulator.Simulator):
    faults = simulator.Simulator.faults + ("error", "gone", "busy-once", "redirect")

    def __init__(self, options):
        super().__init__(options)
        self.key = base64.b64decode(options.secret.removeprefix("whsec_"), validate=True)
        self.received = {}  # by webhook-id
        self.refused = {"count": 0, "last": ""}

    def handle(self, method, path, headers, body):
        if method == "GET":
            pages = {"/received": list(self.received.values()), "/refused": self.refused}
            return (200, pages[path]) if path in pages else (404, None)
        if self.fault("gone"):
            return 410, None
        if self.fault("redirect"):
            return 302, None
        if self.fault_once("busy-once"):
            return 429, None
        if self.fault("error") or self.fault_once("error-once"):
            return 500, None
        return self.take(headers, body)

    def take(self, headers, body):
        try:
            ident, stamp = check(self.key, headers, body, time.time())
            event = json.loads(body)
        except (Refused, ValueError) as why:
            self.refused["count"] += 1
            self.refused["last"] = str(why)
            return 400, {"error": str(why)}
        message = self.received.setdefault(ident, {"id": ident, "deliveries": 0, "event": event})
        message["deliveries"] += 1
        message["timestamp"] = stamp
        if message["event"] != event:
            self.refused["count"] += 1
            self.refused["last"] = "the same webhook-id with another event"
        if self.fault_once("lost-once"):
            raise simulator.Lost
        return 204, None


def main():
    parser = simulator.arguments(__doc__, Merchant.faults)
    parser.add_argument("--secret", required=True, help="whsec_ and base64, as the merchant was registered with")
    options = parser.parse_args()
    simulator.serve(Merchant(options), options)


if __name__ == "__main__":
    main()
