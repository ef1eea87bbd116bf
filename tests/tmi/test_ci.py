"""Where everything that the tests need is to be there, none of them is left out in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin import refuse_without_shared
from tmi.config import BASE_DIR


def test_the_accepting_run_asks_for_a_browser_and_for_what_lies_beside_the_project() -> None:
    assert "\nNEED_BROWSER=1 NEED_SHARED=1 make test\n" in (BASE_DIR / ".ci" / "run").read_text()


def test_a_run_that_needs_the_samples_does_not_begin_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEED_SHARED", raising=False)
    refuse_without_shared(tmp_path)
    monkeypatch.setenv("NEED_SHARED", "1")
    (tmp_path / "seed.md").touch()
    with pytest.raises(pytest.UsageError, match=r"/samples is missing$"):
        refuse_without_shared(tmp_path)
    (tmp_path / "samples").mkdir()
    refuse_without_shared(tmp_path)
