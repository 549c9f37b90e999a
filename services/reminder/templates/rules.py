"""Templates of an installation: what may be saved, which words a message gets, and made-up accounts to try them on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from services.reminder.mails.rules import Letter, Sender, facts_of
from services.reminder.receivables.rules import Balance, BalanceItem, BankAccount, Discount
from services.reminder.wordings.rules import (
    LANGUAGES,
    SHIPPED,
    Copy,
    Language,
    Occasion,
    Tone,
    Wording,
    shipped,
    try_out,
)
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

ANY_ENTITY = ""
"""Where the installation keeps what holds for all its entities."""

Source = Literal["shipped", "installation", "entity"]


@dataclass(frozen=True, slots=True)
class Saved:
    """A template as it was written for an entity, or for all of them, in one version."""

    copy: Copy
    entity_id: str
    version: int
    saved_by: str


@dataclass(frozen=True, slots=True)
class Template:
    """A template as it holds for an entity, or for the installation: its layers, the entity's own first, the shipped
    one last. `version` counts the changes of this entity (or of the installation) alone; 0: there is none."""

    name: str
    occasion: Occasion
    entity_id: str
    version: int
    layers: tuple[tuple[Source, Copy], ...]

    @property
    def copies(self) -> tuple[Copy, ...]:
        return tuple(copy for _, copy in self.layers)

    @property
    def wordings(self) -> tuple[tuple[Source, Wording], ...]:
        """What is said in each language and tone, and where it comes from."""
        found: dict[tuple[Language, Tone], tuple[Source, Wording]] = {}
        for source, copy in self.layers:
            for wording in copy.wordings:
                found.setdefault((wording.language, wording.tone), (source, wording))
        return tuple(found[key] for key in sorted(found, key=lambda key: (LANGUAGES.index(key[0]), key[1])))


class TemplateNotFound(NotFound):
    slug = "template-not-found"
    title = "There is no such template"


class OtherOccasion(Conflict):
    slug = "template-occasion-differs"
    title = "The template is about something else"


class NothingToShow(Conflict):
    slug = "nothing-to-preview"
    title = "The template has nothing to speak of here"


class InvalidTemplate(Refused):
    """`errors` name variant, part, line and reason."""

    slug = "invalid-template"
    title = "The template cannot be used"


def template_of(name: str, entity_id: str, saved: Mapping[str, Saved]) -> Template | None:
    """What holds for an entity; `saved` are the newest of this template by entity, where there are any."""
    own, common, original = saved.get(entity_id), saved.get(ANY_ENTITY), shipped().get(name)
    layers: list[tuple[Source, Copy]] = []
    if entity_id != ANY_ENTITY and own:
        layers.append(("entity", own.copy))
    if common:
        layers.append(("installation", common.copy))
    if original:
        layers.append(("shipped", original))
    if not layers:
        return None
    return Template(name, layers[-1][1].occasion, entity_id, own.version if own else 0, tuple(layers))


def check(copy: Copy, below: Template | None) -> None:
    """Raises InvalidTemplate with every fault, or OtherOccasion. `below` is what holds where this is not written."""
    if below and below.occasion != copy.occasion:
        raise OtherOccasion(f"{copy.name} is about {below.occasion!r}, not {copy.occasion!r}", field="/occasion")
    errors: list[dict[str, Any]] = []
    counted = Counter((each.language, each.tone) for each in copy.wordings)
    for at, wording in enumerate(copy.wordings):
        if counted[wording.language, wording.tone] > 1:
            errors.append(_error(f"/variants/{at}", 1, f"{wording.language} {wording.tone} is there twice"))
        samples = samples_of(copy.occasion, wording.language, wording.tone)
        for fault in try_out(wording, copy.occasion, [(about, facts_of(letter)) for about, letter in samples]):
            errors.append(_error(f"/variants/{at}/{fault.part}", fault.line, fault.detail))
    if below is None and not any(wording.language == LANGUAGES[0] for wording in copy.wordings):
        errors.append(
            _error("/variants", 1, "a new template needs an English wording, for customers of other languages")
        )
    if errors:
        said = "; ".join(f"{error['pointer'][2:]}, line {error['line']}: {error['detail']}" for error in errors[:5])
        raise InvalidTemplate(said, errors=errors)


def _error(pointer: str, line: int, detail: str) -> dict[str, Any]:
    return {"pointer": f"#{pointer}", "line": line, "detail": detail}


def listed_names(custom: Sequence[str]) -> list[str]:
    """The shipped ones in their order, then the installation's own."""
    return [*SHIPPED, *(name for name in custom if name not in SHIPPED)]


# --- made-up accounts ---

_COUNTRY: Mapping[Language, str] = {"en": "GB", "de": "DE", "fr": "FR", "es": "ES"}
_TODAY = date(2026, 3, 16)
_BANK = BankAccount("Northwind Trading Ltd", "DE02120300000000202051", "BYLADEM1001", "DKB", None)


def samples_of(occasion: Occasion, language: Language, tone: Tone) -> list[tuple[str, Letter]]:
    """Accounts of each shape a wording has to fit, each with a name for it."""
    plain = _sample(occasion, language, tone)
    first = plain.items[0]
    second = replace(first, number="DW-000051", collectable=Money(99_000, "EUR"), reference="RF81DW000051")
    yen = replace(first, number="DW-000057", collectable=Money(1_990_000, "JPY"), reference="RF59DW000057")
    dollars = replace(first, number="DW-000061", collectable=Money(1_234_567, "USD"))
    offers = replace(first, discount=Discount(Money(2_501, "EUR"), _TODAY + timedelta(3)))
    day_old = replace(first, days_overdue=1) if first.days_overdue > 0 else first
    shapes = [
        ("with one invoice", plain),
        ("with one invoice, a day late", replace(plain, items=(day_old,))),
        ("with several invoices", replace(plain, items=(first, second))),
        ("with several currencies", replace(plain, items=(first, second, yen, dollars))),
        ("with nobody named", replace(plain, person=None)),
        ("without a name", replace(plain, person=None, customer=None)),
        ("with long names", replace(plain, customer="Großhandelsgesellschaft " * 4, seller="Northwind & Söhne " * 5)),
    ]
    if occasion == "before_due":
        shapes.append(("with a discount", replace(plain, items=(offers,))))
    return shapes


def _sample(occasion: Occasion, language: Language, tone: Tone) -> Letter:
    due_on = _TODAY + timedelta(7 if occasion == "before_due" else -17)
    item = BalanceItem(
        number="DW-000042",
        issued_on=due_on - timedelta(30),
        due_on=due_on,
        days_overdue=(_TODAY - due_on).days,
        collectable=Money(125_050, "EUR"),
        reference="RF10DW000042",
    )
    return Letter(
        contact_id=UUID(int=0),
        customer_id=UUID(int=0),
        recipient="alex.martin@customer.example",
        person="Alex Martin",
        customer="Northgate Ltd",
        language=language,
        country=_COUNTRY[language],
        template="",
        tone=tone,
        seller="Northwind Trading",
        items=(item,),
        due_on=due_on if occasion == "before_due" else None,
        pay_link="https://pay.northwind.example/pay/" + "a1B2c3D4e5" * 6,
        written_on=_TODAY,
        sender=Sender("Maria Keller", None, "+49 30 1234567"),
        banks=(_BANK,),
        promised=Money(50_000, "EUR") if occasion == "promise" else None,
        promised_on=_TODAY - timedelta(2) if occasion == "promise" else None,
        instalment=Money(25_000, "EUR") if occasion == "instalment" else None,
        instalment_due_on=_TODAY + timedelta(7) if occasion == "instalment" else None,
    )


def letter_about(occasion: Occasion, sample: Letter, balance: Balance, today: date) -> Letter:
    """The sample with what an account owes now. What the account cannot tell (a promise, an instalment) stays the
    sample's. Raises NothingToShow where nothing is owed that such a message is about."""
    ahead = sorted(item.due_on for item in balance.items if item.days_overdue < 1 and item.collectable.minor > 0)
    if occasion == "before_due":
        items = balance.due_on(ahead[0]) if ahead else ()
    else:
        items = balance.overdue
    if not items:
        raise NothingToShow("the account owes nothing of the kind now; preview it with a sample")
    return replace(
        sample,
        seller=balance.seller,
        items=items,
        due_on=ahead[0] if occasion == "before_due" else None,
        pay_link=balance.pay_link,
        banks=balance.banks,
        written_on=today,
    )
