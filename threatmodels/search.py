"""Searching names and descriptions by the beginnings of words."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
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

    def search(self, *texts: str) -> Self:
        """The rows that have every word of one of the texts; a blank text is in all rows."""
        if not all(text.strip() for text in texts) or not texts:
            return self
        queries = [query for text in texts if (query := prefix_query(text)) is not None]
        if not queries:
            return self.none()
        vector = SearchVector(*self.searched, config="simple")
        return self.annotate(search_vector=vector).filter(search_vector=reduce(or_, queries))
