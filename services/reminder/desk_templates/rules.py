"""What the template pages show: a wording that somebody types, with its faults, and which wordings there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.reminder.mails.rules import Letter, facts_of
from services.reminder.receivables.rules import Account, Balance
from services.reminder.templates.rules import (
    ANY_ENTITY,
    Source,
    Template,
    letter_about,
    samples_of,
)
from services.reminder.wordings.rules import (
    COMMON,
    OWN,
    PARTS,
    TONES,
    Fault,
    Language,
    Occasion,
    Part,
    Tone,
    Wording,
    choose,
    try_out,
)
from shared.errors import NotFound, Refused

SAID = {
    "saved": "Published. Messages that are written from now on say it like this.",
    "back": "The wording is back to what it was before it was changed here.",
}
"""What a page says after something was done, by the word in its address."""

LANGUAGE_NAMES: Mapping[Language, str] = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
SOURCES: Mapping[Source, str] = {
    "shipped": "as shipped",
    "installation": "own words for all entities",
    "entity": "own words of this entity",
}
OCCASIONS: Mapping[Occasion, str] = {
    "overdue": "invoices that are overdue",
    "before_due": "invoices that fall due soon",
    "promise": "a promise to pay",
    "instalment": "an instalment of a plan",
}
PART_WORDS: Mapping[Part, str] = {
    "subject": "the mail's subject",
    "preview": "what mail programs show beside the subject",
    "heading": "the first line of the mail",
    "opening": "what has happened",
    "request": "what the customer is asked to do",
    "closing": "and how to answer",
    "sms": "the same as a text message, of two segments at most",
}


class NoSuchAccount(NotFound):
    slug = "customer-not-found"
    title = "There is no such account"


class NothingOwn(Refused):
    slug = "wording-not-changed"
    title = "There is nothing to take back"


@dataclass(frozen=True, slots=True)
class Draft:
    """A wording as it stands in the editor. `account` is the external id of the account to try it on, empty for the
    sample; `entity_id` empty for what holds for all entities."""

    name: str
    occasion: Occasion
    entity_id: str
    wording: Wording
    account: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the customer would get. `about` says who that is."""

    about: str
    subject: str
    html: str
    text: str
    sms: str
    encoding: str
    segments: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Faults of a draft, else what it looks like; `unseen` says why there is no preview where there is none."""

    faults: Sequence[Fault]
    preview: Preview | None = None
    unseen: str = ""


def cells(template: Template) -> Mapping[Language, Sequence[tuple[Tone, Source]]]:
    """The tones that there are words in, by language."""
    found: dict[Language, list[tuple[Tone, Source]]] = {language: [] for language in LANGUAGE_NAMES}
    for source, wording in template.wordings:
        found[wording.language].append((wording.tone, source))
    return {language: sorted(tones, key=lambda each: TONES.index(each[0])) for language, tones in found.items()}


def own_wordings(template: Template | None) -> tuple[Wording, ...]:
    """Those that were written for the entity itself, or for the installation where that is meant."""
    if template is None:
        return ()
    wanted: Source = "entity" if template.entity_id != ANY_ENTITY else "installation"
    return next((copy.wordings for source, copy in template.layers if source == wanted), ())


def inherited(template: Template | None, language: Language, tone: Tone) -> Wording | None:
    """What holds where nothing of its own is written."""
    own: Source = "entity" if template and template.entity_id != ANY_ENTITY else "installation"
    below = [copy for source, copy in template.layers if source != own] if template else []
    return next((found for copy in below if (found := copy.exact(language, tone))), None)


def changed(own: Sequence[Wording], wording: Wording, before: Wording | None) -> tuple[Wording, ...]:
    """The own wordings with this one among them; words that are no other than those inherited are not kept."""
    others = [each for each in own if (each.language, each.tone) != (wording.language, wording.tone)]
    return tuple(others) if before and before.parts == wording.parts else (*others, wording)


def start(template: Template, language: Language, tone: Tone) -> tuple[Wording, Source | None]:
    """The words to begin with, and where they come from; None where there are none in this language and tone yet, and
    the nearest stand in."""
    for source, wording in template.wordings:
        if (wording.language, wording.tone) == (language, tone):
            return wording, source
    nearest = choose(template.copies, language, tone)
    assert nearest is not None  # Each template has English words.
    return Wording(language, tone, nearest.parts), None


def faults_of(draft: Draft) -> list[Fault]:
    """Everything that keeps the wording from being used, on made-up accounts of every shape."""
    wording = draft.wording
    samples = samples_of(draft.occasion, wording.language, wording.tone)
    return try_out(wording, draft.occasion, [(about, facts_of(letter)) for about, letter in samples])


def sample_letter(draft: Draft) -> Letter:
    wording = draft.wording
    letter = samples_of(draft.occasion, wording.language, wording.tone)[0][1]
    return replace(letter, template=draft.name, wording=wording)


def account_letter(draft: Draft, account: Account, balance: Balance, today: date) -> Letter:
    """Raises NothingToShow."""
    letter = letter_about(draft.occasion, sample_letter(draft), balance, today)
    person = account.person.name if account.person else None
    return replace(letter, person=person, customer=account.name, country=account.country)


def typed(language: Language, tone: Tone, given: Mapping[str, str]) -> Wording:
    """A wording as a browser sends it."""
    clean: dict[Part, str] = {
        part: given.get(part, "").replace("\r\n", "\n").replace("\0", "").strip() for part in PARTS
    }
    return Wording(language, tone, clean)


def names_of(occasion: Occasion) -> Mapping[str, str]:
    """What the parts may speak of."""
    return {**COMMON, **OWN[occasion]}
