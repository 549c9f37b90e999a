"""What the form of a colleague says, and how it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import get_args

from services.reminder.team.rules import Colleague, Role
from shared.errors import Refused

SAID = {"kept": "Kept."}
"""What a page says after something was done, by the word in its address."""

ROLES: tuple[Role, ...] = get_args(Role)
PHONE = re.compile(r"\+?[0-9 ()/.-]{4,40}")


class FieldUnreadable(Refused):
    slug = "field-unreadable"
    title = "Something cannot be read"


@dataclass(frozen=True, slots=True)
class Written:
    """The form as somebody filled it in; `version` is the one that they saw, 0 for somebody new."""

    subject: str = ""
    version: int = 0
    name: str = ""
    role: Role = "collections"
    email: str = ""
    phone: str = ""
    absent_from: date | None = None
    absent_until: date | None = None
    cover: str = ""


def form_of(colleague: Colleague) -> Written:
    return Written(
        subject=colleague.subject,
        version=colleague.version,
        name=colleague.name,
        role=colleague.role,
        email=colleague.email or "",
        phone=colleague.phone or "",
        absent_from=colleague.absent_from,
        absent_until=colleague.absent_until,
        cover=colleague.cover or "",
    )


def read_form(written: Written) -> Colleague:
    """Raises FieldUnreadable."""
    subject, name, phone = written.subject.strip(), written.name.strip(), written.phone.strip()
    if not subject:
        raise FieldUnreadable("write the name they sign in with first", field="/subject")
    if not name:
        raise FieldUnreadable("write their name first", field="/name")
    if phone and not PHONE.fullmatch(phone):
        raise FieldUnreadable(f"{phone!r} is no phone number: write it like +49 40 123456", field="/phone")
    return Colleague(
        subject=subject,
        version=written.version,
        name=name,
        role=written.role,
        email=written.email.strip() or None,
        phone=phone or None,
        absent_from=written.absent_from,
        absent_until=written.absent_until,
        cover=written.cover or None,
    )
