"""Searching names and descriptions by the beginnings of words."""

from __future__ import annotations

import re
from typing import ClassVar, Self

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models

WORD = re.compile(r"\w+", re.UNICODE)


def prefix_query(text: str) -> SearchQuery | None:
    """A query that wants every word of `text` as the beginning of a word; None when it holds no word."""
    words = WORD.findall(text)
    if not words:
        return None
    return SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")


class WordSearch(models.QuerySet):  # type: ignore[type-arg]
    """`.search(text)` over the columns that are searched, served by the table's search index."""

    searched: ClassVar[tuple[str, ...]] = ("name", "description")

    def search(self, text: str) -> Self:
        query = prefix_query(text)
        if query is None:
            return self if not text.strip() else self.none()
        vector = SearchVector(*self.searched, config="simple")
        return self.annotate(search_vector=vector).filter(search_vector=query)
