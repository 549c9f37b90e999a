"""Mapping profiles: how a table of another system is read, cell by cell, as the rows that an import takes.

A profile names for each field a column, or a constant for all rows; values may be translated, numbers and dates are
read in the format said. Nothing is guessed when a file is imported: guessing is for the preview, which proposes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from time import strptime
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from services.invoice.drafting.rules import Wire
from services.invoice.tables.rules import Typed
from shared.errors import NotFound, Refused

Kind = Literal["invoices", "opening_balances", "payment_history"]
Content = Literal["text", "money", "number", "whole", "date"]

STANDARD = "standard"
"""The profile that is always there: the columns are called as the fields are."""
COLUMNS_MAX = 200
CELL_CHARACTERS_MAX = 2_000

_CUSTOMER: dict[str, Content] = {"customer_external_id": "text", "customer_id": "text"}
_COMMON: dict[str, Content] = {
    "number": "text",
    "reference": "text",
    "issue_date": "date",
    "due_date": "date",
    "currency": "text",
    "entity_id": "text",
}
FIELDS: dict[Kind, dict[str, Content]] = {
    "invoices": {
        **_CUSTOMER,
        **_COMMON,
        "line_number": "whole",
        "description": "text",
        "quantity": "number",
        "unit_price": "money",
        "tax_category": "text",
        "tax_rate": "number",
        "net_days": "whole",
        "delivery_channel": "text",
        "product_line": "text",
    },
    "opening_balances": {
        **_CUSTOMER,
        **_COMMON,
        "balance": "money",
        "total": "money",
        "delivery_channel": "text",
        "product_line": "text",
    },
    "payment_history": {
        **_CUSTOMER,
        **_COMMON,
        "total": "money",
        "settled_on": "date",
        "method": "text",
        "product_line": "text",
    },
}
"""Every field that a column may fill, and what is read from it."""
NEEDED: dict[Kind, tuple[str, ...]] = {
    "invoices": ("unit_price", "currency"),
    "opening_balances": ("number", "issue_date", "balance", "currency"),
    "payment_history": ("number", "issue_date", "total", "currency", "settled_on"),
}
EXAMPLES: dict[str, str] = {
    "customer_external_id": "C-1001",
    "number": "2024-0815",
    "reference": "PO 4711",
    "issue_date": "2024-03-01",
    "due_date": "2024-03-31",
    "currency": "EUR",
    "line_number": "1",
    "description": "Consulting",
    "quantity": "2.5",
    "unit_price": "120.00",
    "tax_category": "S",
    "tax_rate": "19",
    "delivery_channel": "email",
    "balance": "80.00",
    "total": "120.00",
    "settled_on": "2024-04-03",
    "method": "bank_transfer",
    "product_line": "SERVICES",
}


class ProfileNotFound(NotFound):
    slug = "import-profile-not-found"
    title = "There is no such import profile"


class ProfileRefused(Refused):
    slug = "import-profile"
    title = "The import profile cannot be used"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was not taken; `pointer` leads to the field, `#` to the row as a whole."""

    pointer: str
    detail: str


DateFormat = Annotated[
    str,
    Field(max_length=20, pattern=r"^(%[dmYyjbB]|[./ -]){3,20}$", examples=["%d.%m.%Y"], description="As strptime's"),
]
DecimalMark = Literal[".", ","]
Cell = Annotated[str, Field(max_length=CELL_CHARACTERS_MAX)]


class ColumnIn(Wire):
    """One column of the file and the field that it fills."""

    column: Annotated[str, Field(min_length=1, max_length=200, description="Its heading, or its number from 1")]
    field: str
    values: Annotated[dict[Cell, Cell], Field(max_length=1_000)] = Field(
        default_factory=dict, description="What cells mean: {'Y': 'email'}; others are taken as they are"
    )
    date_format: DateFormat | None = None
    decimal_mark: DecimalMark | None = None


class Profile(Wire):
    """How files of one kind are read. Formats of the file itself count for CSV; a spreadsheet brings its own numbers
    and dates, and only its text cells are read by the formats here."""

    kind: Kind
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    encoding: Literal["auto", "utf-8", "windows-1252", "latin-1", "utf-16"] = Field(
        default="auto", description="auto: by its byte order mark, else UTF-8, else Windows-1252"
    )
    sheet: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Of a spreadsheet; left out: the first"
    )
    heading_row: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    date_format: DateFormat = "%Y-%m-%d"
    decimal_mark: DecimalMark = "."
    columns: Annotated[tuple[ColumnIn, ...], Field(max_length=COLUMNS_MAX)]
    constants: dict[str, Cell] = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Profile:
        fields = FIELDS[self.kind]
        filled = [*(column.field for column in self.columns), *self.constants]
        unknown = [name for name in filled if name not in fields]
        if unknown:
            raise ValueError(f"{self.kind} have no field {', '.join(unknown)}; there are {', '.join(fields)}")
        twice = sorted({name for name in filled if filled.count(name) > 1})
        if twice:
            raise ValueError(f"filled twice: {', '.join(twice)}")
        missing = [name for name in NEEDED[self.kind] if name not in filled]
        if missing:
            raise ValueError(f"{self.kind} need {', '.join(missing)}")
        if not set(_CUSTOMER) & set(filled):
            raise ValueError("name the customer, by customer_external_id or customer_id")
        return self


def standard(kind: Kind) -> Profile:
    """The built-in profile of a kind: columns named as the fields, ISO dates, decimal points."""
    return Profile(kind=kind, columns=tuple(ColumnIn(column=name, field=name) for name in FIELDS[kind]))


@dataclass(frozen=True, slots=True)
class Saved:
    """A version of a profile."""

    name: str
    version: int
    profile: Profile
    saved_at: datetime
    saved_by: str


@lru_cache
def read_profile(document: str) -> Profile:
    return Profile.model_validate_json(document)


def template(profile: Profile) -> str:
    """A file to fill in: the headings of the profile and one row of examples, in its formats."""
    delimiter = profile.delimiter if profile.delimiter != "auto" else ("," if profile.decimal_mark == "." else ";")
    headings = [column.column for column in profile.columns if column.field != "customer_id"]
    cells = [_example(column, profile) for column in profile.columns if column.field != "customer_id"]
    rows = [delimiter.join(_quoted(cell, delimiter) for cell in row) for row in (headings, cells)]
    return "\r\n".join([*[""] * (profile.heading_row - 1), *rows, ""])


def _example(column: ColumnIn, profile: Profile) -> str:
    example = EXAMPLES.get(column.field, "")
    content = FIELDS[profile.kind][column.field]
    back = {meaning: cell for cell, meaning in column.values.items()}
    if example in back:
        return back[example]
    if content == "date" and example:
        return date.fromisoformat(example).strftime(column.date_format or profile.date_format)
    if content in ("money", "number"):
        return example.replace(".", column.decimal_mark or profile.decimal_mark)
    return example


def _quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if {delimiter, '"', "\r", "\n"} & set(cell) else cell


# --- reading a row ---


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
    if built_in and not there & set(_CUSTOMER):
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
        if (day := _date(cell, date_format)) is None:
            raise ValueError(f"is not a date like {date(2024, 1, 31).strftime(date_format)}")
        return day
    if content in ("money", "number"):
        return _number(cell, mark)
    if content == "whole" and not re.fullmatch(r"[0-9]{1,6}", cell, re.ASCII):
        raise ValueError("is not a whole number")
    return cell


@lru_cache(maxsize=4_096)
def _date(text: str, date_format: str) -> str | None:
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


_GROUPED = {
    ".": re.compile(r"([+-]?)([0-9]{1,3}(?:[,' \u00a0\u202f’][0-9]{3})+|[0-9]+)(?:\.([0-9]+))?(-?)", re.ASCII),
    ",": re.compile(r"([+-]?)([0-9]{1,3}(?:[.' \u00a0\u202f’][0-9]{3})+|[0-9]+)(?:,([0-9]+))?(-?)", re.ASCII),
}


def _number(text: str, mark: DecimalMark) -> str:
    """Plain decimal text of a number with thousands marked or not; the minus may stand behind, as SAP writes it."""
    match = _GROUPED[mark].fullmatch(text)
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


# --- guessing, for the preview ---

DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y")
_SYNONYMS: dict[str, str] = {
    "customer_external_id": "customer customernumber customerno customerid kunde kundennummer kundennr debitor "
    "debitorennummer debitornr client codeclient numeroclient cliente codigocliente numerocliente account accountno",
    "number": "invoice invoicenumber invoiceno invoicenr documentnumber documentno rechnung "
    "rechnungsnummer rechnungsnr belegnummer belegnr facture numerofacture nofacture factura numerofactura",
    "reference": "ref po ponumber purchaseorder ordernumber bestellnummer bestellung kundenreferenz commande "
    "numerocommande pedido referencia",
    "issue_date": "date invoicedate issuedate documentdate rechnungsdatum belegdatum datum datefacture "
    "fechafactura fecha fechaemision",
    "due_date": "due duedate paymentdue faelligkeit fallig faelligam falligam faelligkeitsdatum "
    "falligkeit falligkeitsdatum echeance dateecheance vencimiento fechavencimiento",
    "currency": "curr waehrung wahrung devise moneda divisa",
    "entity_id": "entity sellingentity companycode buchungskreis mandant",
    "line_number": "line lineno pos position posnr positionsnummer positionsnr zeile ligne numeroligne linea posicion",
    "description": "text beschreibung bezeichnung leistung designation libelle descripcion concepto",
    "quantity": "qty menge anzahl quantite cantidad",
    "unit_price": "amount price net netamount betrag netto nettobetrag preis einzelpreis montant montantht prix "
    "importe precio importeneto",
    "tax_rate": "vat vatrate tax mwst mwstsatz ust steuersatz tva tauxtva iva tipoiva",
    "net_days": "days terms zahlungsziel tage delai plazo",
    "balance": "openamount openbalance outstanding remaining offen offenerbetrag saldo restbetrag solde "
    "restedu pendiente",
    "total": "gross grossamount totalamount brutto bruttobetrag gesamtbetrag rechnungsbetrag montantttc "
    "totalttc importetotal",
    "settled_on": "paid paidon paiddate paymentdate settled settleddate bezahlt bezahltam zahlungsdatum "
    "ausgleichsdatum datepaiement paye fechapago pagado",
    "method": "paymentmethod zahlungsart modepaiement formapago",
    "product_line": "productgroup produktlinie produktgruppe warengruppe sparte gammeproduit familleproduit "
    "lineaproducto lineadeproducto familiaproducto",
}
_FIELD_OF = {word: name for name, words in _SYNONYMS.items() for word in words.split()}
_ACCENTS = str.maketrans("äöüéèêáíóúñçàâôîû", "aoueeeaiouncaaoiu")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column seems to hold; `doubts` says what else it might be."""

    column: str
    samples: tuple[str, ...]
    field: str | None
    date_format: str | None = None
    decimal_mark: DecimalMark | None = None
    doubts: str | None = None


def propose(kind: Kind, headings: Sequence[str], rows: Sequence[Sequence[Typed]]) -> tuple[list[Guess], dict[str, Any]]:
    """Guess the field and format of every column, and the profile that follows; it is for a person to look at."""
    taken: set[str] = set()
    guesses: list[Guess] = []
    for place, heading in enumerate(headings):
        cells = [row[place] for row in rows if place < len(row) and row[place] not in (None, "")]
        texts = [cell.strip() for cell in cells if isinstance(cell, str)]
        name = _field_called(kind, heading)
        if name in taken:
            name = None
        if name:
            taken.add(name)
        content = FIELDS[kind].get(name or "")
        date_format = doubts = None
        mark: DecimalMark | None = None
        if content == "date" and texts:
            fitting = [each for each in DATE_FORMATS if all(_date(text, each) for text in texts)]
            date_format = fitting[0] if fitting else None
            doubts = f"may also be {', '.join(fitting[1:])}" if len(fitting) > 1 else None
            if not fitting:
                doubts = "not every sample is a date of one format"
        if content in ("money", "number") and texts:
            mark, doubts = _mark_of(texts)
        samples = tuple(cell if isinstance(cell, str) else cell[1] for cell in cells[:3] if cell is not None)
        guesses.append(Guess(heading, samples, name, date_format, mark, doubts))
    marks = [guess.decimal_mark for guess in guesses if guess.decimal_mark]
    formats = [guess.date_format for guess in guesses if guess.date_format]
    proposed = {
        "kind": kind,
        "date_format": max(formats, key=formats.count, default="%Y-%m-%d"),
        "decimal_mark": max(marks, key=marks.count, default="."),
        "columns": [{"column": guess.column, "field": guess.field} for guess in guesses if guess.field],
        "constants": {},
    }
    for column, guess in zip(proposed["columns"], (guess for guess in guesses if guess.field), strict=True):
        if guess.date_format and guess.date_format != proposed["date_format"]:
            column["date_format"] = guess.date_format
        if guess.decimal_mark and guess.decimal_mark != proposed["decimal_mark"]:
            column["decimal_mark"] = guess.decimal_mark
    return guesses, proposed


def _field_called(kind: Kind, heading: str) -> str | None:
    word = re.sub(r"[^a-z0-9]", "", heading.casefold().translate(_ACCENTS).replace("ß", "ss"))
    spelt = {name.replace("_", ""): name for name in FIELDS[kind]}
    name = spelt.get(word) or _FIELD_OF.get(word)
    if name == "unit_price" and kind != "invoices":
        name = "balance" if kind == "opening_balances" else "total"
    return name if name in FIELDS[kind] else None


def _mark_of(texts: Sequence[str]) -> tuple[DecimalMark | None, str | None]:
    fitting: list[DecimalMark] = [
        mark for mark in get_args(DecimalMark) if all(_GROUPED[mark].fullmatch(text) for text in texts)
    ]
    if not fitting:
        return None, "not every sample is a number"
    if len(fitting) == 1:
        return fitting[0], None
    plain = all(text.lstrip("+-").isdecimal() for text in texts)
    return (None, None) if plain else (fitting[0], "the mark may separate thousands or decimals")
