"""The small helpers of the pages."""

from __future__ import annotations

import pytest
from django.test import Client


def test_people_one_shares_with_are_found_by_name_and_email_and_nobody_else(cast, browse, threat_model):
    assert "owner@example.org" in browse(cast.writer).get("/tools/people?email=own").content.decode()
    assert "reader@example.org" in browse(cast.writer).get("/tools/people?email=Reader").content.decode()
    assert browse(cast.outsider).get("/tools/people?email=own").content.decode().strip() == ""
    assert "outsider" not in browse(cast.owner).get("/tools/people?email=out").content.decode()


@pytest.mark.parametrize("words", ["", "%00", "%25", "x" * 3000])
def test_words_that_find_nobody(cast, browse, threat_model, words):
    answer = browse(cast.owner).get(f"/tools/people?email={words}")
    assert answer.status_code == 200
    assert "<option" not in answer.content.decode()


def test_weaknesses_and_markdown_are_for_people_who_are_signed_in(cast, browse):
    assert "CWE-352" in browse(cast.reader).get("/tools/cwe?q=cross-site request").content.decode()
    shown = (
        browse(cast.reader).post("/tools/markdown", {"content": "**a** <script>x</script>"}).content.decode()
    )
    assert "<strong>a</strong>" in shown
    assert "<script>" not in shown
    for answer in (
        browse(None).get("/tools/cwe?q=x"),
        browse(None).post("/tools/markdown", {"content": "x"}),
    ):
        assert answer.status_code == 302


def test_live_sessions_are_shown_to_who_may_see_the_diagram(cast, browse, threat_model):
    from collaboration.actions.session import join_session
    from threatmodels.actions.diagram import create_diagram
    from threatmodels.roles import Role

    diagram = create_diagram(threat_model=threat_model, actor=cast.owner, name="Main <b>")
    join_session(diagram, user=cast.writer, role=Role.WRITER, base_url="http://localhost")
    shown = browse(cast.reader).get("/live-sessions").content.decode()
    assert "Main &lt;b&gt;" in shown
    assert "Writer" in shown
    assert browse(cast.outsider).get("/live-sessions").content.decode().strip() == ""
    assert browse(None).get("/live-sessions").status_code == 302


def test_the_token_for_changes_comes_with_the_person_whose_it_is(cast):
    client = Client(enforce_csrf_checks=True)
    assert client.get("/tools/token").status_code == 302
    client.force_login(cast.reader)
    answer = client.get("/tools/token")
    assert answer["Cache-Control"] == "private, no-store"
    said = answer.json()
    assert said["person_id"] == str(cast.reader.pk)
    given = {"content": "**a**"}
    assert client.post("/tools/markdown", given).status_code == 403
    assert client.post("/tools/markdown", given, headers={"X-CSRFToken": said["token"]}).status_code == 200
