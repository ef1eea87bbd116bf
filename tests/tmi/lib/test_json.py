"""Strict JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmi.lib.json import BadJson, decode, encode

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e18, 1e18) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.asvs("v5.0.0-1.2.3")
@given(values)
def test_what_is_encoded_is_decoded_again(value):
    assert decode(encode(value)) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_one_clear_refusal(data):
    problems = []
    try:
        decode(data)
    except BadJson as error:
        problems.append(str(error))
    assert all(problem.endswith(".") for problem in problems)


@pytest.mark.asvs("v5.0.0-1.1.1", "v5.0.0-15.3.5")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"123456789012345678901234567890",
        b"\xff\xfe",
        b"[" * 1000 + b"]" * 1000,
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_not_strict_json_is_refused(text):
    with pytest.raises(BadJson):
        decode(text)


def test_times_have_milliseconds_and_z():
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=timezone(timedelta(hours=2)))
    assert encode({"t": moment}) == b'{"t":"2026-01-02T01:04:05.678Z"}'
    assert encode(datetime(2026, 1, 2, tzinfo=UTC)) == b'"2026-01-02T00:00:00.000Z"'


def test_decimals_are_numbers():
    assert encode([Decimal("7.5"), Decimal("10.0")]) == b"[7.5,10.0]"


@pytest.mark.asvs("v5.0.0-1.4.2")
@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b'"\\u0000"', ""),
        (b'{"name": "a\\u0000b"}', "name"),
        (b'{"a": [{"b/c": "\\ud800"}]}', "/a/0/b/c"),
        (b'{"a": {"\\udfff": 1}}', "a"),
        (b"NaN", ""),
        (b'{"score": 1e999}', "score"),
        (b'{"a": [1, {"b": 123456789012345678901}]}', "/a/1/b"),
        (b'[{"a": -Infinity}]', "/0/a"),
        (b'{"a": 1, "a": 2}', "a"),
        (b'[1, {"a": {"b": 1, "b": NaN}}]', "/1/a/b"),
    ],
)
def test_what_is_refused_is_refused_at_its_place(text, field):
    with pytest.raises(BadJson) as refused:
        decode(text)
    assert refused.value.field == field


def test_escapes_that_mean_something_else_are_text():
    assert decode(b'"\\\\u0000 \\ud83d\\ude00"') == "\\u0000 \U0001f600"
