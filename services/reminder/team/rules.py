"""Who looks after accounts, and who does it for somebody who is away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.errors import NotFound, Refused
from shared.mail_address import is_address

Role = Literal["collections", "sales", "service", "finance", "manager"]


@dataclass(frozen=True, slots=True)
class Colleague:
    """`subject` is whom the token or session names. `absent_until` is the last day away, None until further notice."""

    subject: str
    version: int
    name: str
    role: Role
    email: str | None = None
    phone: str | None = None
    absent_from: date | None = None
    absent_until: date | None = None
    cover: str | None = None

    def is_away(self, day: date) -> bool:
        if self.absent_from is None or day < self.absent_from:
            return False
        return self.absent_until is None or day <= self.absent_until


class ColleagueNotFound(NotFound):
    slug = "colleague-not-found"
    title = "There is no such colleague"


class EmailRefused(Refused):
    slug = "email-refused"
    title = "That is no e-mail address"


class CoverRefused(Refused):
    slug = "cover-refused"
    title = "That colleague cannot stand in"


class AbsenceRefused(Refused):
    slug = "absence-refused"
    title = "The absence cannot be recorded like this"


def check(colleague: Colleague, team: Mapping[str, Colleague]) -> None:
    """Raises EmailRefused, AbsenceRefused (it ends before it begins) or CoverRefused (covers go round in a circle)."""
    if colleague.email is not None and not is_address(colleague.email):
        raise EmailRefused(f"{colleague.email!r} is no e-mail address", field="/email")
    if colleague.absent_until and colleague.absent_from is None:
        raise AbsenceRefused("say from when, too", field="/absent_from")
    if colleague.absent_from and colleague.absent_until and colleague.absent_until < colleague.absent_from:
        raise AbsenceRefused("the last day away lies before the first", field="/absent_until")
    cover, seen = colleague.cover, {colleague.subject}
    while cover is not None:
        if cover in seen:
            raise CoverRefused(f"{colleague.cover} would be covered by {colleague.subject} again", field="/cover")
        if cover not in team:
            raise CoverRefused(f"there is no colleague {cover!r}", field="/cover")
        seen.add(cover)
        cover = team[cover].cover


def stands_in(subject: str, team: Mapping[str, Colleague], day: date) -> str:
    """Who acts for somebody on a day: the person, or while away the cover, or the cover's own cover. Where nobody is
    there at all it stays with the person."""
    now, seen = team.get(subject), {subject}
    while now is not None and now.is_away(day):
        if now.cover is None or now.cover in seen:
            return subject
        seen.add(now.cover)
        now = team.get(now.cover)
    return now.subject if now else subject


def acts_for(subject: str, team: Iterable[Colleague], day: date) -> frozenset[str]:
    """Everybody whose accounts are this person's to look after on a day, the person among them unless away."""
    known = {colleague.subject: colleague for colleague in team}
    return frozenset({other for other in {*known, subject} if stands_in(other, known, day) == subject})
