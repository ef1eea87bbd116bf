"""Which pages may open a socket with the cookie of a browser."""

from __future__ import annotations

import pytest

from collaboration.admission import Knock


def is_foreign(origin, *, host="tmi.example.org", secure=False):
    return Knock(
        diagram_id=None, cookie="x", origin=origin, host=host, secure=secure, ticket="", since=None
    ).has_foreign_origin()


@pytest.mark.parametrize(
    ("public_url", "origin", "foreign"),
    [
        ("https://tmi.example.org", "https://tmi.example.org", False),
        ("https://tmi.example.org:443", "https://tmi.example.org", False),
        ("https://tmi.example.org", "https://TMI.example.org:443", False),
        ("https://tmi.example.org", "http://tmi.example.org", True),
        ("https://tmi.example.org", "https://tmi.example.org:8443", True),
        ("https://tmi.example.org", "https://evil.example", True),
        ("", "http://tmi.example.org", False),
        ("", "https://tmi.example.org", False),  # a proxy speaks https for us
        ("", "ftp://tmi.example.org", True),
        ("", "https://tmi.example.org:x", True),
        ("", "", True),
    ],
)
def test_only_a_page_of_ours_uses_the_cookie(settings, public_url, origin, foreign):
    settings.PUBLIC_URL = public_url
    assert is_foreign(origin) is foreign


def test_a_page_without_tls_is_none_of_ours_where_we_have_it(settings):
    settings.PUBLIC_URL = ""
    assert is_foreign("http://tmi.example.org", secure=True)
    assert not is_foreign("https://tmi.example.org", secure=True)
