"""Drawing in a diagram that others have open: two elements and a flow, seen by everybody at once.

    TMI_URL=... CLIENT_ID=... CLIENT_SECRET=... python draw.py THREAT_MODEL DIAGRAM

Needs the packages requests and websockets.
"""

import json
import os
import sys
import uuid

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SITE = os.environ["TMI_URL"]
# Not allowed, not found, ended: coming back is no use.
FOR_GOOD = {4400, 4401, 4403, 4404, 4410, 4413}


def sign_in():
    given = {
        "grant_type": "client_credentials",
        "client_id": os.environ["CLIENT_ID"],
        "client_secret": os.environ["CLIENT_SECRET"],
    }
    answer = requests.post(f"{SITE}/api/v1/auth/token", json=given, timeout=20)
    return {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}


def shape(kind, label, x):
    data = {
        "type": kind,
        "properties": {"label": label},
        "position": {"x": x, "y": 80},
        "size": {"width": 140, "height": 80},
    }
    return {"id": str(uuid.uuid4()), "operation": "add", "data": data}


def flow(label, source, target):
    ends = {"source": {"cell": source["id"]}, "target": {"cell": target["id"]}}
    data = {"type": "data_flow", "properties": {"label": label}, **ends}
    return {"id": str(uuid.uuid4()), "operation": "add", "data": data}


class Drawer:
    """Keeps what is not acknowledged, and sends it again under the same id: it is carried out once."""

    def __init__(self, headers, diagram):
        self.headers, self.diagram = headers, diagram
        self.waiting = {}
        self.last = None  # the number of the last operation that was heard

    def add(self, *steps):
        operation = {"type": "patch", "cells": list(steps)}
        self.waiting[str(uuid.uuid4())] = operation

    def run(self):
        """Until everything is acknowledged, over as many connections as it takes."""
        while self.waiting:
            try:
                with connect(self.address()) as socket:
                    self.talk(socket)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                if code in FOR_GOOD:
                    raise SystemExit(f"closed with {code}") from None

    def address(self):
        """With a ticket, which is good for one connection within thirty seconds."""
        answer = requests.post(f"{SITE}/api/v1/ws/ticket", headers=self.headers, timeout=20)
        address = f"{SITE.replace('http', 'ws', 1)}/ws/diagrams/{self.diagram}"
        since = "" if self.last is None else f"&since={self.last}"
        return f"{address}?ticket={answer.json()['data']['ticket']}{since}"

    def talk(self, socket):
        for operation_id, operation in self.waiting.items():
            message = {"message_type": "diagram_operation", "operation_id": operation_id}
            socket.send(json.dumps(message | {"operation": operation}))
        while self.waiting:
            self.hear(json.loads(socket.recv()))

    def hear(self, message):
        kind = message.get("message_type")
        if kind == "diagram_state":
            self.last = message["update_vector"]
        elif kind == "diagram_operation":
            self.last = message["sequence_number"]
            if self.waiting.pop(message["operation_id"], None):
                print(f"operation {self.last} is in the database")
        elif kind == "operation_rejected":
            raise SystemExit(f"{message['reason']}: {message['message']}")


def main():
    _program, _threat_model, diagram = sys.argv
    drawer = Drawer(sign_in(), diagram)
    shop, orders = shape("process", "Till", 40), shape("datastore", "Receipts", 320)
    drawer.add(shop, orders)
    drawer.add(flow("receipt", shop, orders))
    drawer.run()


main()
