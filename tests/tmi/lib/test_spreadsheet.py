"""Cells that no spreadsheet runs, and that come back as they were."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from tmi.lib.spreadsheet import LONGEST_CELL, Sheet, defused, restored, workbook

BEGINNINGS = ["=1", "+1", "-1", "@SUM(A1)", "|cmd", "%x", "\t1", "\r1", "\n1", "＝1", "＋1", "－1", "＠x"]


@pytest.mark.parametrize("space", ["", " ", "\u00a0", "\u200b", "\ufeff", " \t"])
@pytest.mark.parametrize("text", BEGINNINGS)
def test_what_would_be_a_formula_is_none(space, text):
    assert defused(space + text) == f"'{space}{text}"


@pytest.mark.parametrize("text", ["", "a=1", "O'Hara", "'tis", "3 - 2", " plain"])
def test_other_text_stays(text):
    assert defused(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@|%＝ \t\r\n\u200ba1")) | st.text())
def test_text_comes_back(text):
    assert restored(defused(text)) == text


def test_a_workbook_holds_text_alone():
    rows = [["=1+1", "a\x00b\ufffe"], ["x" * 40_000, "2026-01-01"]]
    made = load_workbook(
        io.BytesIO(workbook([Sheet("First", ["One", "Two"], rows), Sheet("Second", ["A"], [])]))
    )
    assert made.sheetnames == ["First", "Second"]
    cells = list(made["First"].iter_rows(min_row=2))
    assert [[cell.data_type for cell in row] for row in cells] == [["s", "s"], ["s", "s"]]
    assert cells[0][0].value == "=1+1"
    assert cells[0][1].value == "ab"
    assert len(cells[1][0].value) == LONGEST_CELL
    assert made["First"].auto_filter.ref == "A1:B3"
    assert made["Second"].auto_filter.ref == "A1:A1"
