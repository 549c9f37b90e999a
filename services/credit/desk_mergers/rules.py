"""How the pages of duplicates and mergers say things, and what has to be ticked before two records become one."""

from __future__ import annotations

from shared.errors import NotFound, Refused


class NotSure(Refused):
    slug = "merger-not-confirmed"
    title = "Nothing was merged"


class NoSuchNumber(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"


def expect_sure(sure: bool) -> None:
    """Raises NotSure."""
    if not sure:
        raise NotSure("Tick that you looked: there is no way back.")
