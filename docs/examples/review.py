"""A threat model over REST: made, filled, changed under an ETag, read in pages, and reported.

    TMI_URL=http://localhost:8080 CLIENT_ID=... CLIENT_SECRET=... python review.py

Needs the package requests. The credential is made on the page Client credentials.
"""

import os
import uuid

import requests

API = os.environ["TMI_URL"] + "/api/v1"


def sign_in():
    """A session whose requests carry the access token."""
    given = {
        "grant_type": "client_credentials",
        "client_id": os.environ["CLIENT_ID"],
        "client_secret": os.environ["CLIENT_SECRET"],
    }
    session = requests.Session()
    token = data(session.post(f"{API}/auth/token", json=given))["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def data(response):
    """What an answer carries; an error is a sentence and says which field it is about."""
    answer = response.json()
    if not answer["success"]:
        error = answer["error"]
        raise SystemExit(f"{response.status_code} {error['code']}: {error['message']} {error['details']}")
    return answer["data"]


def every(session, address):
    """All entries of a list, page by page."""
    cursor = ""
    while cursor is not None:
        answer = session.get(address, params={"cursor": cursor, "limit": 50})
        yield from data(answer)
        cursor = answer.json()["meta"]["pagination"]["next_cursor"]


def main():
    session = sign_in()
    # Sent twice, because a connection broke, this still makes one model.
    once = {"Idempotency-Key": str(uuid.uuid4())}
    model = data(session.post(f"{API}/threat_models", json={"name": "Payments"}, headers=once))
    address = f"{API}/threat_models/{model['id']}"

    threats = [
        {"name": "Orders are forged", "severity": "high", "threat_type": "Tampering"},
        {"name": "Nobody knows who paid", "severity": "medium", "threat_type": "Repudiation"},
    ]
    first, _second = data(session.post(f"{address}/threats/bulk", json=threats))

    # If somebody changed it in the meantime this is a 412, and theirs stays.
    threat = f"{address}/threats/{first['id']}"
    tag = session.get(threat).headers["ETag"]
    done = {"mitigated": True, "mitigation": "Orders are signed."}
    data(session.patch(threat, json=done, headers={"If-Match": tag}))

    for one in every(session, f"{address}/threats"):
        print(f"{one['severity']:8} {'done' if one['mitigated'] else 'open':5} {one['name']}")
    report = session.get(f"{address}/report", params={"as": "markdown"})
    print(report.text.splitlines()[0])
    print(model["id"])


main()
