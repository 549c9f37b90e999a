"""The steps in which an applicant fills the application in: what each asks, and what its fields say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args

from babel.numbers import NumberFormatError, parse_decimal
from pydantic import ValidationError

from services.credit.application_forms.rules import ROLES, Form, missing
from services.credit.application_words.rules import WORDS
from services.credit.customers.rules import known_country
from services.credit.identifiers import rules as identifiers
from services.credit.tongues.rules import Tongue, tongue
from shared.money import Money

Step = Literal["company", "numbers", "people", "invoices", "bank", "wishes"]
STEPS: tuple[Step, ...] = get_args(Step)
NUMBER_ROWS_MIN, NUMBER_ROWS_MAX = 3, 10
CURRENCIES = (
    *("AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR"),
    *("JPY", "KRW", "KWD", "MXN", "NOK", "NZD", "PLN", "RON", "SAR", "SEK", "SGD", "TRY", "USD", "ZAR"),
)

_STEP_OF = {
    **dict.fromkeys(("language", "legal_name", "legal_form", "founded_year", "country", "address"), "company"),
    "identifiers": "numbers",
    **dict.fromkeys((*ROLES, "billing_email", "approver_reach", "escalation_reach"), "people"),
    **dict.fromkeys(("delivery", "buyer_reference"), "invoices"),
    "bank": "bank",
    **dict.fromkeys(("currency", "wanted_limit", "wanted_net_days"), "wishes"),
}
"""Where each piece that may be missing is asked for."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a step's fields say: the pieces of the form, or what is wrong with which field."""

    wanted: Form | None
    wrong: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step in the list of steps, with the names of what is missing in it."""

    name: Step
    title: str
    missing: tuple[str, ...]


def steps(form: Form, t: Tongue) -> list[StepView]:
    lacks = missing(form)
    return [
        StepView(
            step,
            t.say(WORDS, f"step_{step}"),
            tuple(t.say(WORDS, f"missing_{each.key}") for each in lacks if _STEP_OF[each.key] == step),
        )
        for step in STEPS
    ]


def next_step(step: Step) -> Step | None:
    position = STEPS.index(step) + 1
    return STEPS[position] if position < len(STEPS) else None


def fields_of(step: Step, form: Form, t: Tongue) -> dict[str, str]:
    """What is known already, as the step's fields show it."""
    address, delivery, bank = form.address, form.delivery, form.bank
    match step:
        case "company":
            return _texts(
                language=t.language,
                legal_name=form.legal_name,
                trading_names="\n".join(form.trading_names),
                legal_form=form.legal_form,
                founded_year=form.founded_year,
                country=form.country,
                lines="\n".join(address.lines) if address else None,
                postal_code=address.postal_code if address else None,
                city=address.city if address else None,
                region=address.region if address else None,
            )
        case "numbers":
            found = list(enumerate(form.identifiers))
            return {f"kind_{n}": each.kind for n, each in found} | {f"value_{n}": each.value for n, each in found}
        case "people":
            people = [(role, form.contact(role)) for role in ROLES]
            return {
                f"{role}_{name}": getattr(person, name) or ""
                for role, person in people
                if person
                for name in ("name", "email", "phone")
            }
        case "invoices":
            return _texts(
                channel=delivery.channel if delivery else "email",
                e_invoice=delivery.e_invoice if delivery else "none",
                purchase_order="yes" if delivery and delivery.purchase_order else None,
                buyer_reference=delivery.buyer_reference if delivery else None,
            )
        case "bank":
            return _texts(**(bank.model_dump() if bank else {}))
        case "wishes":
            return _texts(
                currency=form.currency or "EUR",
                wanted_limit=form.wanted_limit.amount if form.wanted_limit else None,
                wanted_net_days=form.wanted_net_days,
                parent_name=form.parent_name,
            )


def number_rows(form: Form) -> int:
    return min(max(NUMBER_ROWS_MIN, len(form.identifiers) + 1), NUMBER_ROWS_MAX)


def read_step(step: Step, given: Mapping[str, str], form: Form, t: Tongue) -> Read:
    """Fields left empty are not there; what is filled in has to be right."""
    wanted: dict[str, Any]
    text = {name: value.strip() for name, value in given.items() if value.strip()}
    match step:
        case "company":
            wanted = _company(text)
        case "numbers":
            rows = [n for n in range(NUMBER_ROWS_MAX) if f"value_{n}" in text]
            found = [{"kind": text.get(f"kind_{n}", ""), "value": text[f"value_{n}"]} for n in rows]
            return _validated({"identifiers": found}, t, rows)
        case "people":
            wanted = {"contacts": _people(text, form)}
        case "invoices":
            parts = {name: text[name] for name in ("channel", "e_invoice", "buyer_reference") if name in text}
            wanted = {"delivery": {**parts, "purchase_order": "purchase_order" in text}}
        case "bank":
            parts = {name: text[name] for name in ("holder", "iban", "bic", "account") if name in text}
            wanted = {"bank": parts or None}
        case "wishes":
            try:
                wanted = _wishes(text, t)
            except (NumberFormatError, ValueError):
                return Read(None, {"wanted_limit": t.say(WORDS, "wrong_amount")})
    return _validated(wanted, t)


def _company(text: Mapping[str, str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: text.get(name) for name in ("legal_name", "legal_form", "country")}
    wanted["languages"] = [text["language"]] if "language" in text else []
    wanted["trading_names"] = _lines(text.get("trading_names", ""))
    year = text.get("founded_year")
    wanted["founded_year"] = int(year) if year and year.isascii() and year.isdecimal() and len(year) <= 6 else year
    parts = {name: text[name] for name in ("postal_code", "city", "region") if name in text}
    lines = _lines(text.get("lines", ""))
    wanted["address"] = {"lines": lines, **parts} if lines or parts else None
    return wanted


def _people(text: Mapping[str, str], form: Form) -> list[dict[str, Any]]:
    """One for each role; whoever else is known besides stays."""
    people: list[dict[str, Any]] = []
    for role in ROLES:
        person = {name: text[f"{role}_{name}"] for name in ("name", "email", "phone") if f"{role}_{name}" in text}
        if person:
            people.append({"role": role, **person})
    first = [form.contact(role) for role in ROLES]
    return people + [each.model_dump() for each in form.contacts if each not in first]


def _wishes(text: Mapping[str, str], t: Tongue) -> dict[str, Any]:
    days, amount = text.get("wanted_net_days"), "".join(text.get("wanted_limit", "").split())
    wanted: dict[str, Any] = {"currency": text.get("currency"), "parent_name": text.get("parent_name")}
    wanted["wanted_net_days"] = int(days) if days and days.isascii() and days.isdecimal() and len(days) <= 6 else days
    wanted["wanted_limit"] = None
    if amount and wanted["currency"] in CURRENCIES:
        value = Decimal(amount) if _is_plain(amount) else parse_decimal(amount, locale=t.locale, strict=True)
        money = Money.parse(value, wanted["currency"])
        if money.minor < 0:
            raise ValueError(amount)
        wanted["wanted_limit"] = {"amount": money.amount, "currency": money.currency}
    return wanted


def _is_plain(amount: str) -> bool:
    """`40000` or `40000.00`, as every machine writes it: a point before two digits is no thousands' point anywhere."""
    whole, point, rest = amount.partition(".")
    return whole.isascii() and whole.isdecimal() and (not point or (len(rest) in (1, 2) and rest.isdecimal()))


def _validated(wanted: Mapping[str, Any], t: Tongue, rows: Sequence[int] = ()) -> Read:
    try:
        return Read(Form.model_validate(dict(wanted)))
    except ValidationError as invalid:
        wrong: dict[str, str] = {}
        for error in invalid.errors(include_url=False, include_context=False):
            name = _field_of(error["loc"], wanted, rows)
            wrong[name] = t.say(WORDS, _WRONG.get(name.rpartition("_")[2], "wrong"))
        return Read(None, wrong)


def wrong_field(pointer: str | None, t: Tongue) -> dict[str, str]:
    """What a rule said of a field, on the page."""
    name = (pointer or "").strip("/").partition("/")[0]
    return {name: t.say(WORDS, _WRONG.get(name.rpartition("_")[2], "wrong"))} if name else {}


def _field_of(place: Sequence[int | str], wanted: Mapping[str, Any], rows: Sequence[int]) -> str:
    """The step's field that a place in the form came from."""
    match list(place):
        case ["contacts", int(position), name, *_]:
            return f"{wanted['contacts'][position]['role']}_{name}"
        case ["identifiers", int(position), name, *_]:
            return f"{name}_{rows[position]}"
        case ["languages", *_]:
            return "language"
        case ["trading_names" | "wanted_limit" as name, *_]:
            return str(name)
        case ["address" | "delivery" | "bank", name, *_]:
            return str(name)
        case [name, *_]:
            return str(name)
        case _:
            return "form"


_WRONG = {
    "email": "wrong_email",
    "phone": "wrong_phone",
    "iban": "wrong_iban",
    "bic": "wrong_bic",
    "year": "wrong_year",
    "days": "wrong_days",
    "city": "wrong_city",
    "lines": "wrong_lines",
    "name": "wrong_name",
    **{str(row): "wrong_number" for row in range(NUMBER_ROWS_MAX)},
}


@cache
def countries(language: str, country: str) -> list[tuple[str, str]]:
    """Every country by its name in the language, in that language's order as far as plain letters go."""
    names = tongue(language, country).locale.territories
    found = []
    for code, name in names.items():
        try:
            found.append((known_country(str(code)), name))
        except ValueError:
            continue
    return sorted(found, key=lambda each: each[1])


def kinds(t: Tongue) -> list[tuple[str, str, str]]:
    """Numbers that may be given: kind, what it is called, and one that fits."""
    return [
        (kind, t.say(WORDS, "kind_vat") if kind == "vat" else identifiers.name_of(kind), identifiers.example_of(kind))
        for kind in identifiers.KINDS
    ]


def _texts(**values: Any) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
