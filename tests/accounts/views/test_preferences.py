"""The page of a person's preferences."""

from __future__ import annotations

import pytest

GOOD = {"theme": "dark", "language": "en", "time_zone": "Europe/Madrid"}


def test_what_is_chosen_is_kept_and_the_pages_follow(cast, browse):
    client = browse(cast.reader)
    assert client.post("/accounts/preferences/", GOOD).status_code == 302
    shown = client.get("/").content.decode()
    assert 'data-theme="dark"' in shown
    assert 'data-time-zone="Europe/Madrid"' in shown
    assert "checked" in client.get("/accounts/preferences/").content.decode()


def test_what_programs_keep_there_stays(cast, browse, api):
    api(cast.reader).put("/api/v1/me/preferences", {"own": [1]}, format="json")
    browse(cast.reader).post("/accounts/preferences/", GOOD)
    cast.reader.refresh_from_db()
    assert cast.reader.preferences == {"own": [1], **GOOD}


@pytest.mark.parametrize("wrong", [{"theme": "pink"}, {"language": "xx"}, {"time_zone": "Mars/Olympus"}])
def test_what_is_not_offered_is_refused_at_its_field(cast, browse, wrong):
    answer = browse(cast.reader).post("/accounts/preferences/", GOOD | wrong)
    assert answer.status_code == 400
    assert f'field-wrong" data-field="{next(iter(wrong))}"' in answer.content.decode()
    cast.reader.refresh_from_db()
    assert cast.reader.preferences == {}


def test_nobody_has_no_preferences(browse):
    assert browse(None).get("/accounts/preferences/")["Location"].startswith("/accounts/login/")


def test_a_theme_from_a_program_cannot_break_the_page(cast, browse, api):
    api(cast.reader).put("/api/v1/me/preferences", {"theme": '"><script>', "time_zone": 7}, format="json")
    shown = browse(cast.reader).get("/")
    assert shown.status_code == 200
    assert "<script>&" not in shown.content.decode()
    assert browse(cast.reader).get("/accounts/preferences/").status_code == 200
