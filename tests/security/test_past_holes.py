"""Holes that programs of this kind have had; each is tried here by its name."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.security.furniture import World, make_world
from threatmodels.models import Asset, Threat, ThreatModel, Webhook

KINDS = ["threats", "assets", "documents", "notes", "repositories", "diagrams"]
SAMPLES = {
    "threats": {"name": "x"},
    "assets": {"name": "x", "type": "data"},
    "documents": {"name": "x", "uri": "https://example.org/"},
    "notes": {"name": "x", "content": "y"},
    "repositories": {"uri": "https://example.org/x.git"},
    "diagrams": {"name": "x"},
}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def person(world: World, name: str) -> Any:
    return next(actor.user for actor in world.actors if actor.name == name)


@pytest.mark.asvs("v5.0.0-8.2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_a_post_below_a_model_without_a_role_makes_nothing(world, api, kind):
    base = f"/api/v1/threat_models/{world.shared.ids['model']}"
    model = type(world.shared.parts[kind])
    before = model._default_manager.count()
    for name, status in (("outsider", 404), ("administrator", 404), ("reader", 403)):
        client = api(person(world, name))
        assert client.post(f"{base}/{kind}", SAMPLES[kind], format="json").status_code == status
        assert client.post(f"{base}/{kind}/bulk", [SAMPLES[kind]], format="json").status_code == status
        metadata = f"{base}/{kind}/{world.shared.ids[kind]}/metadata"
        assert client.post(metadata, {"key": "a", "value": "b"}, format="json").status_code == status
    assert model._default_manager.count() == before


@pytest.mark.asvs("v5.0.0-8.2.2", "v5.0.0-8.4.1")
@pytest.mark.parametrize("kind", KINDS)
def test_bulk_operations_reach_no_other_model(world, api, kind):
    """By the ids of another model, on which the person has a role or none."""
    part = world.shared.parts[kind]
    model: Any = type(part)
    before = model._default_manager.filter(pk=part.pk).values().get()
    bulk = f"/api/v1/threat_models/{world.theirs.ids['model']}/{kind}/bulk"
    for name in ("outsider", "owner"):
        client = api(person(world, name))
        patched = client.patch(bulk, [{"id": str(part.pk), "description": "mine"}], format="json")
        # A diagram has no description.
        assert patched.status_code == (400 if kind == "diagrams" and patched.status_code == 400 else 404)
        put = client.put(bulk, [{"id": str(part.pk), **SAMPLES[kind]}], format="json")
        assert put.status_code == 409, put.content
        assert client.delete(bulk, {"ids": [str(part.pk)]}, format="json").status_code == 404
    assert model._default_manager.filter(pk=part.pk).values().get() == before


@pytest.mark.asvs("v5.0.0-8.2.2")
def test_a_reference_reaches_into_no_other_model(world, api):
    base = f"/api/v1/threat_models/{world.theirs.ids['model']}"
    client = api(person(world, "outsider"))
    for field, kind in (("diagram_id", "diagrams"), ("asset_id", "assets")):
        body = {"name": "x", field: world.shared.ids[kind]}
        answer = client.post(f"{base}/threats", body, format="json")
        assert answer.status_code == 400
        assert answer.json()["error"]["details"]["field"] == field


@pytest.mark.asvs("v5.0.0-1.3.6")
@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost:5432/",
        "https://[::ffff:169.254.169.254]/",
        "https://0x7f.1/",
        "https://10.0.0.1/",
        "http://93.184.216.34/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
    ],
)
def test_a_webhook_is_no_way_inside(world, api, url):
    answer = api(person(world, "owner")).post(
        "/api/v1/webhooks", {"url": url, "events": ["*"]}, format="json"
    )
    assert answer.status_code == 400
    assert not Webhook.objects.filter(url=url).exists()


XSS = '<script>alert(1)</script><svg onload="alert(2)"><a href="javascript:alert(3)">x</a>'
POISON = ("<script", "onload=", "javascript:", "<foreignObject", "<iframe")


@pytest.mark.asvs("v5.0.0-1.3.4", "v5.0.0-3.2.1")
def test_a_picture_made_of_what_people_typed_runs_nothing(world, api, browse):
    base = f"/api/v1/threat_models/{world.shared.ids['model']}/diagrams/{world.shared.ids['diagrams']}"
    owner = api(person(world, "owner"))
    cell = {
        "id": world.shared.ids["cell_id"],
        "type": "process",
        "properties": {"label": XSS, "description": XSS},
        "position": {"x": 0, "y": 0},
        "size": {"width": 100, "height": 60},
    }
    assert owner.put(f"{base}/cells/{cell['id']}", cell, format="json").status_code == 200
    for fill in ("url(javascript:alert(1))", '"/><script>', "expression(alert(1))"):
        refused = owner.patch(f"{base}/cells/{cell['id']}", {"style": {"fill": fill}}, format="json")
        assert refused.status_code == 400
    page = f"/threat-models/{world.shared.ids['model']}/diagrams/{world.shared.ids['diagrams']}/picture.svg"
    for picture in (owner.get(f"{base}/svg"), browse(person(world, "reader")).get(page)):
        assert picture["Content-Type"].startswith("image/svg+xml")
        assert "sandbox" in picture["Content-Security-Policy"]
        assert picture["X-Content-Type-Options"] == "nosniff"
        text = picture.content.decode()
        assert "&lt;script" in text
        assert not [
            bad for bad in ("<script", "<a ", "<foreignObject", '<svg onload="alert(2)"') if bad in text
        ]
    assert owner.patch(base, {"svg_image": XSS}, format="json").status_code == 400


def dangers(page: str) -> list[str]:
    """What in a page would run or lead to running something: as a browser reads it, not as text looks."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            for name, value in attrs:
                if name.startswith("on") or (value or "").strip().lower().startswith(
                    ("javascript:", "data:text")
                ):
                    found.append(f"{tag} {name}={value}")
            if tag == "script" and "src" not in dict(attrs) and dict(attrs).get("type") != "application/json":
                found.append(tag)

    Reader().feed(page)
    return found


@pytest.mark.asvs("v5.0.0-1.2.1", "v5.0.0-1.3.1", "v5.0.0-1.3.5")
def test_markdown_and_names_are_text_on_every_page(world, browse):
    owner = person(world, "owner")
    model = world.shared.threat_model
    note = world.shared.parts["notes"]
    link = "[x](javascript:alert(1)) ![y](data:text/html,z)"
    type(note)._default_manager.filter(pk=note.pk).update(name=XSS, content=f"{XSS}\n\n{link}")
    for row in (Threat, Asset):
        row.objects.filter(threat_model=model).update(name=XSS, description=XSS)
    ThreatModel.objects.filter(pk=model.pk).update(name=XSS, description=XSS)
    base = f"/threat-models/{model.pk}"
    for path in (
        "",
        f"/notes/{note.pk}",
        f"/threats/{world.shared.ids['threats']}",
        "/history",
        "/report",
        "/sharing",
    ):
        text = browse(owner).get(base + path).content.decode()
        assert "alert(1)" in text or path == "/sharing"
        assert dangers(text) == []


@pytest.mark.asvs("v5.0.0-2.2.1", "v5.0.0-16.5.1", "v5.0.0-16.5.3")
@pytest.mark.parametrize("kind", ["", *KINDS])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "{}",
        "[null]",
        "[[]]",
        '[{"op": "replace"}]',
        '[{"op": "replace", "path": 3, "value": 1}]',
        '[{"op": "add", "path": "name", "value": 1}]',
        '[{"op": "add", "path": "/~2", "value": 1}]',
        '[{"op": "move", "path": "/name"}]',
        '[{"op": "copy", "from": [], "path": "/name"}]',
        '[{"op": "remove", "path": "/-"}]',
        '[{"op": "add", "path": "/name/0/1", "value": 1}]',
        '[{"op": "fly", "path": "/name"}]',
        '[{"op": "test", "path": ""}]',
        '[{"op": "add", "path": "", "value": []}]',
    ],
)
def test_a_malformed_json_patch_is_refused_and_never_a_500(world, api, kind, body):
    base = f"/api/v1/threat_models/{world.shared.ids['model']}"
    one = f"{base}/{kind}/{world.shared.ids[kind]}" if kind else base
    answer = api(person(world, "owner")).patch(one, body, content_type="application/json-patch+json")
    assert answer.status_code in (400, 409), answer.content
    assert answer.json()["error"]["message"]


@pytest.mark.asvs("v5.0.0-1.2.2")
@pytest.mark.parametrize(
    "scheme",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
    ],
)
def test_addresses_have_harmless_schemes_alone(world, api, scheme):
    base = f"/api/v1/threat_models/{world.shared.ids['model']}"
    owner = api(person(world, "owner"))
    for path, body in (
        ("documents", {"name": "x", "uri": scheme}),
        ("repositories", {"uri": scheme}),
        ("threats", {"name": "x", "issue_uri": scheme}),
    ):
        assert owner.post(f"{base}/{path}", body, format="json").status_code == 400
    assert owner.patch(base, {"issue_uri": scheme}, format="json").status_code == 400


# -- secrets stay where they are


@pytest.mark.asvs("v5.0.0-14.2.1", "v5.0.0-16.2.5", "v5.0.0-16.5.1")
@pytest.mark.django_db
def test_secrets_are_in_no_log_error_address_history_or_export(api, browse, caplog, settings):
    """Canaries in every place that holds a secret, then everything that a person can make the server say."""
    from accounts.actions.credential import create_credential
    from accounts.actions.session import issue_refresh_token, start_session
    from accounts.models import AuditEntry
    from accounts.tokens import access_token

    world = make_world()
    owner = person(world, "owner")
    owner.set_password("canary-password-4711")
    owner.access_token, owner.refresh_token = "canary-provider-token", "canary-provider-refresh"
    owner.save()
    session = start_session(owner)
    refresh, token = issue_refresh_token(session), access_token(session)
    _credential, client_secret = create_credential(owner=owner, name="CI")
    Webhook.objects.update(secret="canary-webhook-secret-4711", challenge="canary-challenge")
    canaries = ["canary-", refresh, token, client_secret, owner.password, settings.SECRET_KEY]
    canaries += [settings.CONFIG.auth.jwt.secret, *settings.CONFIG.auth.encryption_keys]
    # Not what a person typed as a name.
    assert all(canaries)

    said: list[str] = []
    with caplog.at_level("DEBUG"):
        bearer = {"Authorization": f"Bearer {token}"}
        base = f"/api/v1/threat_models/{world.shared.ids['model']}"
        page = f"/threat-models/{world.shared.ids['model']}"
        client, pages = api(None), browse(owner)
        for path in (
            "/api/v1/me",
            "/api/v1/me/sessions",
            "/api/v1/me/client_credentials",
            "/api/v1/webhooks",
            f"/api/v1/webhooks/{world.shared.ids['webhook_id']}",
            f"/api/v1/webhooks/{world.shared.ids['webhook_id']}/deliveries",
            f"{base}/history",
            f"{base}/access",
            *(f"{base}/export?format={kind}" for kind in ("tmi", "otm", "csv", "html", "markdown", "sarif")),
            f"{base}/nothing",
            f"/api/v1/users?secret={refresh}",
            "/api/v1/schemas",
        ):
            said += [client.get(path, headers=bearer).content.decode()]
        for path in (
            page,
            f"{page}/history",
            f"{page}/webhooks",
            "/webhooks",
            f"/webhooks/{world.shared.ids['webhook_id']}",
        ):
            said += [pages.get(path).content.decode()]
        bad = {"grant_type": "password", "username": owner.email, "password": "canary-password-4711x"}
        for path, body in (
            ("/api/v1/auth/token", bad),
            ("/api/v1/auth/refresh", {"refresh_token": refresh, "extra": 1}),
            (
                "/api/v1/webhooks",
                {
                    "url": "https://93.184.216.34/canary-path",
                    "events": ["x"],
                    "secret": "canary-too-bad-4711",
                },
            ),
        ):
            posted = client.post(path, json.dumps(body), content_type="application/json", headers=bearer)
            said += [posted.content.decode()]
    said += [json.dumps(entry) for entry in AuditEntry.objects.values_list("changes", flat=True)]
    said.append(caplog.text)
    found = [(canary, text[:200]) for canary in canaries for text in said if canary in text]
    assert found == []
