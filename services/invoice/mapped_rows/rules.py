"""How a row of a table is read by a mapping profile: which cell fills which field, and what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from time import strptime
from typing import Any

from services.invoice.mappings.rules import (
    CUSTOMER,
    FIELDS,
    NEEDED,
    ColumnIn,
    Content,
    DecimalMark,
    Profile,
    ProfileRefused,
)
from services.invoice.tables.rules import Typed


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was not taken; `pointer` leads to the field, `#` to the row as a whole."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Which cell of a row fills which field, worked out once for a file."""

    profile: Profile
    places: tuple[tuple[ColumnIn, int], ...]


def lay_out(profile: Profile, headings: Sequence[str]) -> Layout:
    """Find the profile's columns among the headings of a file, by name, else by number; some may not be there."""
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        places.setdefault(_folded(heading), place)
    found: list[tuple[ColumnIn, int]] = []
    for column in profile.columns:
        place = places.get(_folded(column.column))
        if place is None and column.column.isdecimal() and 1 <= int(column.column) <= len(headings):
            place = int(column.column) - 1
        if place is not None:
            found.append((column, place))
    return Layout(profile, tuple(found))


def fits(profile: Profile, headings: Sequence[str], *, built_in: bool) -> Layout:
    """The layout of a file that a profile can read. A saved profile wants all of its columns and passes others over;
    of the built-in one only what is needed has to be there, and a column that is no field is a mistake.

    Raises ProfileRefused.
    """
    layout = lay_out(profile, headings)
    there = {column.field for column, _ in layout.places}
    needed = NEEDED[profile.kind] if built_in else [column.field for column in profile.columns]
    missing = [column.column for column in profile.columns if column.field in needed and column.field not in there]
    if built_in and not there & set(CUSTOMER):
        missing.append("customer_external_id")
    if missing:
        raise ProfileRefused(
            f"the file has no column {', '.join(map(repr, missing))}; it has {', '.join(map(repr, headings[:30]))}"
        )
    known = {_folded(column.column) for column in profile.columns}
    unknown = [heading for heading in headings if heading.strip() and _folded(heading) not in known]
    if built_in and unknown:
        raise ProfileRefused(
            f"there is no field {', '.join(map(repr, unknown[:10]))}; save a profile that says what the columns mean"
        )
    return layout


def column_of(profile: Profile, field: str) -> str | None:
    return next((column.column for column in profile.columns if column.field == field), None)


def place_of(profile: Profile, headings: Sequence[str], field: str) -> int | None:
    """Which cell of a row fills a field; None where no column does."""
    return next((place for column, place in lay_out(profile, headings).places if column.field == field), None)


def _folded(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def map_row(layout: Layout, cells: Sequence[Typed]) -> tuple[dict[str, Any], list[Reason]]:
    """The row as the JSON object that an import takes, and what could not be read of it."""
    profile, kind_fields = layout.profile, FIELDS[layout.profile.kind]
    values: dict[str, str] = {}
    reasons: list[Reason] = []
    for name, constant in profile.constants.items():
        try:
            values[name] = _read(constant, kind_fields[name], profile.date_format, profile.decimal_mark)
        except ValueError as error:
            reasons.append(Reason(f"#/{name}", f"the constant {constant!r} {error}"))
    for column, place in layout.places:
        cell = cells[place] if place < len(cells) else None
        text = cell.strip() if isinstance(cell, str) else cell
        if isinstance(text, str) and column.values:
            meant = column.values.get(text)
            if meant is not None:
                if meant:
                    values[column.field] = meant
                continue
        if text in (None, ""):
            continue
        try:
            values[column.field] = _read(
                text,
                kind_fields[column.field],
                column.date_format or profile.date_format,
                column.decimal_mark or profile.decimal_mark,
            )
        except ValueError as error:
            shown = text if isinstance(text, str) else text[1]
            reasons.append(Reason(f"#/{column.field}", f"{shown[:60]!r} in column {column.column!r} {error}"))
    return _SHAPES[profile.kind](values), reasons


def _read(cell: str | list[str], content: Content, date_format: str, mark: DecimalMark) -> str:
    if isinstance(cell, list):
        return _typed(cell, content)
    if content == "date":
        if (day := read_date(cell, date_format)) is None:
            raise ValueError(f"is not a date like {date(2024, 1, 31).strftime(date_format)}")
        return day
    if content in ("money", "number"):
        return _number(cell, mark)
    if content == "whole" and not re.fullmatch(r"[0-9]{1,6}", cell, re.ASCII):
        raise ValueError("is not a whole number")
    return cell


@lru_cache(maxsize=4_096)
def read_date(text: str, date_format: str) -> str | None:
    try:
        return date(*strptime(text, date_format)[:3]).isoformat()
    except ValueError:
        return None


def _typed(cell: list[str], content: Content) -> str:
    kind, value = cell
    if content == "date":
        if kind != "d":
            raise ValueError("is a number, not a date")
        return value
    if kind == "d":
        if content == "text":
            return value
        raise ValueError("is a date, not a number")
    if content == "whole" and not value.isdecimal():
        raise ValueError("is not a whole number")
    return value


NUMBERS = {
    ".": re.compile(r"([+-]?)([0-9]{1,3}(?:[,' \u00a0\u202f’][0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(-?)", re.ASCII),
    ",": re.compile(r"([+-]?)([0-9]{1,3}(?:[.' \u00a0\u202f’][0-9]{3})+|[0-9]+)(?:,([0-9]+))?(-?)", re.ASCII),
}


def _number(text: str, mark: DecimalMark) -> str:
    """Plain decimal text of a number with thousands marked or not; the minus may stand behind, as SAP writes it."""
    match = NUMBERS[mark].fullmatch(text)
    if match is None or (match[1] and match[4]):
        raise ValueError(f"is not a number like 1234{mark}50")
    sign = "-" if "-" in (match[1], match[4]) else ""
    whole = re.sub(r"[^0-9]", "", match[2]).lstrip("0") or "0"
    return f"{sign}{whole}.{match[3]}" if match[3] else f"{sign}{whole}"


def _money(values: Mapping[str, str], name: str) -> dict[str, str] | None:
    return {"amount": values[name], "currency": values.get("currency", "")} if name in values else None


def _without_nothing(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _plain(values: Mapping[str, str], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


_ABOUT = ("customer_external_id", "customer_id", "number", "reference", "issue_date", "due_date", "entity_id")


def _invoice(values: dict[str, str]) -> dict[str, Any]:
    rate, category = values.get("tax_rate"), values.get("tax_category")
    if rate is not None and "." in rate:
        rate = rate.rstrip("0").rstrip(".")
    tax = None
    if category or rate is not None:
        taxed = rate is not None and rate != "0"
        tax = _without_nothing({"category": category or ("S" if taxed else "Z"), "rate": rate})
    line = {
        "description": values.get("description") or values.get("number") or "Invoice",
        "quantity": values.get("quantity"),
        "unit_price": _money(values, "unit_price"),
        "tax": tax,
        "product_line": values.get("product_line"),
    }
    terms = {"net_days": int(values["net_days"])} if "net_days" in values else None
    return _without_nothing(
        {
            **_plain(values, *_ABOUT, "delivery_channel"),
            "lines": [_without_nothing(line)],
            "line_number": int(values["line_number"]) if "line_number" in values else None,
            "payment_terms": terms,
        }
    )


def _opening_balance(values: dict[str, str]) -> dict[str, Any]:
    amounts = {"balance": _money(values, "balance"), "total": _money(values, "total")}
    return _without_nothing({**_plain(values, *_ABOUT, "delivery_channel", "product_line"), **amounts})


def _payment_history(values: dict[str, str]) -> dict[str, Any]:
    named = _plain(values, *_ABOUT, "settled_on", "method", "product_line")
    return _without_nothing({**named, "total": _money(values, "total")})


_SHAPES = {"invoices": _invoice, "opening_balances": _opening_balance, "payment_history": _payment_history}
