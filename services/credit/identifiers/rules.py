"""Numbers that a company, its tax office or its bank goes by, checked by form and, where they have one, by check digit.

Whether a number that fits belongs to the company only its register can say. Where a register's numbers have no check
digit (the German commercial register, Companies House, the Dutch chamber of commerce) the form is all that is checked;
a D-U-N-S number has had none since 2006.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from stdnum import bic, iban, lei
from stdnum.at import businessid
from stdnum.au import abn
from stdnum.be import vat as be_vat
from stdnum.br import cnpj
from stdnum.ch import uid
from stdnum.de import stnr
from stdnum.dk import cvr
from stdnum.es import nif
from stdnum.exceptions import ValidationError
from stdnum.fi import ytunnus
from stdnum.fr import siren, siret
from stdnum.gb import utr
from stdnum.it import iva
from stdnum.jp import cn
from stdnum.no import orgnr as no_orgnr
from stdnum.pl import nip
from stdnum.se import orgnr as se_orgnr
from stdnum.us import ein

from services.credit.customers.rules import known_vat_id

Kind = Literal[
    "vat",
    "lei",
    "duns",
    "at_register",
    "au_abn",
    "be_enterprise",
    "br_cnpj",
    "ch_uid",
    "de_register",
    "de_tax_number",
    "dk_cvr",
    "es_nif",
    "fi_business_id",
    "fr_siren",
    "fr_siret",
    "gb_company",
    "gb_utr",
    "it_vat",
    "jp_corporate",
    "nl_kvk",
    "no_organisation",
    "pl_nip",
    "se_organisation",
    "us_ein",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class _Number:
    """What such a number is called, one that fits, and its check, which answers with the number as it is kept."""

    name: str
    example: str
    check: Callable[[str], str]


def check(kind: Kind, text: str) -> str:
    """The number as it is kept: without blanks and punctuation, in capitals. Raises ValueError, which says what is
    wrong."""
    number = _NUMBERS[kind]
    try:
        return number.check(text.strip())
    except ValidationError as fault:
        raise ValueError(f"{text!r} is not {_article(number.name)}, such as {number.example}: {_why(fault)}") from None


def check_iban(text: str) -> str:
    """An account number of ISO 13616, by length and form of its country and by its check digits. Raises ValueError."""
    try:
        return iban.validate(text)
    except ValidationError as fault:
        raise ValueError(f"{text!r} is not an IBAN, such as DE02 1203 0000 0000 2020 51: {_why(fault)}") from None


def check_bic(text: str) -> str:
    """A bank's code of ISO 9362, by its form. Raises ValueError."""
    try:
        return bic.validate(text)
    except ValidationError as fault:
        raise ValueError(f"{text!r} is not a BIC, such as BYLADEM1001: {_why(fault)}") from None


def name_of(kind: Kind) -> str:
    """What people call such a number."""
    return _NUMBERS[kind].name


def example_of(kind: Kind) -> str:
    """A number that fits, for whoever has to type one."""
    return _NUMBERS[kind].example


def _why(fault: ValidationError) -> str:
    return str(fault).rstrip(".").replace("The number's", "its").replace("The number", "it").replace("One of", "one of")


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' or name.startswith(('LEI', 'NIF', 'NIP')) else 'a'} {name}"


def _form(pattern: str, says: str, pad: int = 0) -> Callable[[str], str]:
    """A number of which only the form is known; up to two leading zeros that were left out are put back."""
    compiled = re.compile(pattern, re.ASCII)

    def fits(text: str) -> str:
        compact = re.sub(r"[\s./-]", "", text.upper())
        if compact.isdigit() and len(compact) >= pad - 2:
            compact = compact.zfill(pad)
        if not compiled.fullmatch(compact):
            raise ValueError(f"{text!r} is not {says}")
        return compact

    return fits


_REGISTER = re.compile(r"(HRA|HRB|GNR|GSR|PR|VR)\s*([0-9]{1,6})\s*([A-Z]{0,3})(?:[\s,]+(\S.{1,59}))?", re.IGNORECASE)


def _german_register(text: str) -> str:
    """Section, number and, if given, the court that keeps it: HRB 12345 B, Charlottenburg."""
    found = _REGISTER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an entry of a German register, such as HRB 12345, Hamburg")
    section, number, suffix, court = found.groups()
    entry = " ".join(filter(None, (section.upper(), number, suffix.upper())))
    return f"{entry}, {court}" if court else entry


def _of(module: Any) -> Callable[[str], str]:
    return module.validate


_NUMBERS: Mapping[Kind, _Number] = {
    "vat": _Number("VAT number", "DE136695976", known_vat_id),
    "lei": _Number("LEI", "529900T8BM49AURSDO55", _of(lei)),
    "duns": _Number("D-U-N-S number", "15-048-3782", _form(r"[0-9]{9}", "a D-U-N-S number of nine digits")),
    "at_register": _Number("Firmenbuch number", "FN 122119m", _of(businessid)),
    "au_abn": _Number("Australian business number", "83 914 571 673", _of(abn)),
    "be_enterprise": _Number("Belgian enterprise number", "0403.019.261", _of(be_vat)),
    "br_cnpj": _Number("CNPJ", "16.727.230/0001-97", _of(cnpj)),
    "ch_uid": _Number("UID", "CHE-100.155.212", _of(uid)),
    "de_register": _Number("register entry", "HRB 12345, Hamburg", _german_register),
    "de_tax_number": _Number("Steuernummer", "181/815/08155", _of(stnr)),
    "dk_cvr": _Number("CVR number", "13585628", _of(cvr)),
    "es_nif": _Number("NIF", "B58378431", _of(nif)),
    "fi_business_id": _Number("Y-tunnus", "2077474-0", _of(ytunnus)),
    "fr_siren": _Number("SIREN", "732 829 320", _of(siren)),
    "fr_siret": _Number("SIRET", "732 829 320 00074", _of(siret)),
    "gb_company": _Number(
        "company number",
        "00445790",
        _form(r"[0-9]{8}|[A-Z]{2}[0-9]{5}[0-9R]|R[0-9]{7}", "a company number of Companies House, of 8 places", 8),
    ),
    "gb_utr": _Number("UTR", "1955839661", _of(utr)),
    "it_vat": _Number("partita IVA", "00743110157", _of(iva)),
    "jp_corporate": _Number("corporate number", "5-8356-7825-6246", _of(cn)),
    "nl_kvk": _Number("KvK number", "12345678", _form(r"[0-9]{8}", "a KvK number of eight digits")),
    "no_organisation": _Number("Norwegian organisation number", "988 077 917", _of(no_orgnr)),
    "pl_nip": _Number("NIP", "8567346215", _of(nip)),
    "se_organisation": _Number("Swedish organisation number", "556703-7485", _of(se_orgnr)),
    "us_ein": _Number("EIN", "91-1144442", _of(ein)),
}
