"""What the columns of a table seem to hold, and the profile that follows: a proposal for a person to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from services.invoice.mapped_rows.rules import NUMBERS, read_date
from services.invoice.mappings.rules import FIELDS, DecimalMark, Kind
from services.invoice.tables.rules import Typed

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
            fitting = [each for each in DATE_FORMATS if all(read_date(text, each) for text in texts)]
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
        mark for mark in get_args(DecimalMark) if all(NUMBERS[mark].fullmatch(text) for text in texts)
    ]
    if not fitting:
        return None, "not every sample is a number"
    if len(fitting) == 1:
        return fitting[0], None
    plain = all(text.lstrip("+-").isdecimal() for text in texts)
    return (None, None) if plain else (fitting[0], "the mark may separate thousands or decimals")
