#!/usr/bin/env python3
"""A carrier with the generic JSON interface: takes shipments, and each question moves a parcel one step on.

GET /orders shows what it was told, for tests: [{"order_id", "waybill", "posts", "order"}].
"""
import datetime
import hashlib
import json
import re
import urllib.parse

import simulator

STEPS = (
    ("COLLECTED", "picked up at the merchant"),
    ("IN_TRANSIT", "left the sorting centre"),
    ("OUT_FOR_DELIVERY", "with the courier"),
    ("DELIVERED", "handed over"),
)
ORDER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9a-f]{4}")  # a redemption_id
RECIPIENT = ("name", "phone", "address_line", "city", "postal_code", "country_code")
WAYBILL = re.compile(r"SIM[0-9A-F]{12}")
GARBAGE = b"<html><body>Service temporarily fine</body></html>"


def well_formed(order):
    if not isinstance(order, dict) or not ORDER_ID.fullmatch(str(order.get("order_id"))):
        return False
    recipient, goods = order.get("recipient"), order.get("goods")
    if not isinstance(recipient, dict) or not all(isinstance(recipient.get(field), str) for field in RECIPIENT):
        return False
    return isinstance(goods, dict) and isinstance(goods.get("quantity"), int) and goods["quantity"] > 0


def waybill_of(order_id):
    """The same order has the same waybill, even by a simulator that was started again and has forgotten it."""
    return "SIM" + hashlib.sha256(order_id.encode()).hexdigest()[:12].upper()


class Carrier(simulator.Simulator):
    faults = simulator.Simulator.faults + ("duplicate", "out-of-order", "garbage", "unknown-code", "refuse", "error")

    def __init__(self, options):
        super().__init__(options)
        self.orders = {}  # by order_id
        self.parcels = {}  # events by waybill; one that is asked about and not known begins anew

    def handle(self, method, path, _headers, body):
        url = urllib.parse.urlsplit(path)
        if url.path == "/orders":
            return 200, list(self.orders.values())
        if self.fault("error") or self.fault_once("error-once"):
            return 500, {"error": "out of order"}
        if self.fault("garbage"):
            return 200, GARBAGE
        if method == "POST" and url.path == "/shipments":
            return self.book(body)
        if method == "GET" and url.path == "/shipments":
            return self.find(urllib.parse.parse_qs(url.query).get("order_id", [""])[0])
        if method == "GET" and url.path.startswith("/shipments/"):
            return self.track(url.path.removeprefix("/shipments/"))
        return 404, {"error": "no such page"}

    def book(self, body):
        try:
            order = json.loads(body)
        except ValueError:
            order = None
        if not well_formed(order):
            return 400, {"error": "not an order"}
        if self.fault("refuse"):
            return 422, {"error": "not to that place"}
        known = self.orders.get(order["order_id"])
        if known:
            known["posts"] += 1
            return 409, {"error": "duplicate order_id", "waybill": known["waybill"]}
        known = {"order_id": order["order_id"], "waybill": waybill_of(order["order_id"]), "posts": 1, "order": order}
        self.orders[order["order_id"]] = known
        if self.fault_once("lost-once"):
            raise simulator.Lost
        return 201, {"waybill": known["waybill"]}

    def find(self, order_id):
        known = self.orders.get(order_id)
        return (200, {"waybill": known["waybill"]}) if known else (404, {"error": "no such order"})

    def track(self, waybill):
        if not WAYBILL.fullmatch(waybill):
            return 404, {"error": "no such waybill"}
        events = self.parcels.setdefault(waybill, [])
        if len(events) < len(STEPS):
            code, remark = STEPS[len(events)]
            if self.fault("unknown-code") and code == "IN_TRANSIT":
                code = "HUB_SCAN_7"
            now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")
            events.append({"time": now.replace("+00:00", "Z"), "code": code, "remark": remark})
        told = events[::-1] if self.fault("out-of-order") else events
        return 200, {"waybill": waybill, "events": told * 2 if self.fault("duplicate") else told}


def main():
    options = simulator.arguments(__doc__, Carrier.faults).parse_args()
    simulator.serve(Carrier(options), options)


if __name__ == "__main__":
    main()
