"""Mail addresses and header text, as far as a mail server takes them. Pure, for rules."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
SUBJECT_CHARACTERS_MAX = 180


def is_address(text: str) -> bool:
    """Something a mail server can be asked to deliver to, by the pattern that browsers use; ASCII only."""
    return _ADDRESS.fullmatch(text) is not None


def _checked(text: str) -> str:
    if not is_address(text):
        raise ValueError("this is no mail address")
    return text


MailAddress = Annotated[str, Field(max_length=254), AfterValidator(_checked)]
"""For a field of a body."""


def one_line(text: str) -> str:
    """Names come from outside: line breaks in one would end a mail header."""
    return " ".join(text.split())


def subject_line(text: str) -> str:
    """One line, and short enough for a mail program to show."""
    line = one_line(text)
    return line if len(line) <= SUBJECT_CHARACTERS_MAX else line[: SUBJECT_CHARACTERS_MAX - 1].rstrip() + "…"
