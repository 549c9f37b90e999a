"""Is this company known already? What two records have in common, and how much that says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.errors import NotFound

SUSPECTS_MAX = 50

FREE_MAIL = frozenset(
    [
        *("aol.com", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.de", "gmx.net", "googlemail.com"),
        *("hotmail.com", "hotmail.fr", "icloud.com", "laposte.net", "live.com", "mail.com", "me.com", "mail.ru"),
        *("msn.com", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "proton.me", "protonmail.com", "qq.com"),
        *("t-online.de", "wanadoo.fr", "web.de", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "163.com"),
    ]
)
"""Mail domains that everybody may have an address at: sharing one says nothing."""

_LEGAL_FORMS = frozenset(
    [
        *("ab", "ag", "aps", "as", "asa", "bv", "bvba", "co", "company", "corp", "corporation", "cv", "ek", "eg", "ev"),
        *("gbr", "gesellschaft", "gmbh", "hb", "inc", "incorporated", "kft", "kg", "kgaa", "limited", "llc", "llp"),
        *("lp", "ltd", "ltda", "mbh", "nv", "ohg", "ooo", "oy", "oyj", "partg", "plc", "pty", "pvt", "sa", "sarl"),
        *("sas", "sasu", "sca", "sccl", "scs", "se", "sl", "slu", "snc", "sp", "spa", "sro", "srl", "srls", "ug"),
        *("und", "and", "et", "y", "z"),
    ]
)


class UnknownCompany(NotFound):
    slug = "company-not-found"
    title = "There is neither a customer nor an application like that"

    def __init__(self, id: UUID) -> None:
        super().__init__(f"Neither a customer nor an application has the id {id}.")


class Likeness(StrEnum):
    """What two records have in common, what says most first."""

    LEI = "same_lei"
    NUMBER = "same_tax_or_register_number"
    DUNS = "same_duns"
    IBAN = "same_iban"
    NAME = "same_name_and_postal_code"
    DOMAIN = "same_mail_domain"


_RANK = {each: position for position, each in enumerate(Likeness)}


@dataclass(frozen=True, slots=True)
class Company:
    """A customer or an application, as far as it tells companies apart. `numbers` are (kind, value)."""

    id: UUID
    record: Literal["customer", "application"]
    status: str
    name: str
    external_id: str | None = None
    postal_code: str | None = None
    trading_names: tuple[str, ...] = ()
    numbers: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    iban: str | None = None
    mail_domains: frozenset[str] = field(default_factory=frozenset)

    @property
    def values(self) -> frozenset[str]:
        return frozenset(value for _, value in self.numbers)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Who may be the same company, and why."""

    company: Company
    reasons: tuple[Likeness, ...]


def likenesses(one: Company, other: Company) -> tuple[Likeness, ...]:
    """What says most first; empty where nothing speaks for their being the same."""
    shared = one.numbers & other.numbers
    found = {_likeness_of(kind) for kind, _ in shared}
    if one.iban and one.iban == other.iban:
        found.add(Likeness.IBAN)
    here, there = postal_key(one.postal_code), postal_key(other.postal_code)
    if here and here == there and _names(one) & _names(other):
        found.add(Likeness.NAME)
    if (one.mail_domains & other.mail_domains) - FREE_MAIL:
        found.add(Likeness.DOMAIN)
    return tuple(sorted(found, key=_RANK.__getitem__))


def suspects(company: Company, others: Sequence[Company]) -> list[Suspect]:
    """Those that may be the same, the likeliest first."""
    found = [Suspect(other, why) for other in others if (why := likenesses(company, other))]
    return sorted(found, key=lambda each: ([_RANK[why] for why in each.reasons], each.company.id))[:SUSPECTS_MAX]


def name_key(name: str) -> str:
    """A name without accents, punctuation and legal form: `Müller & Söhne GmbH` and `MULLER SOHNE` are alike. Where
    nothing else is in it the legal form stays."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[^\w\s]", " ", re.sub(r"['’.]", "", plain)).split()
    return "".join([word for word in words if word not in _LEGAL_FORMS] or words)


def postal_key(postal_code: str | None) -> str | None:
    return re.sub(r"[\s-]", "", postal_code).upper() if postal_code else None


def _names(company: Company) -> frozenset[str]:
    return frozenset(key for name in (company.name, *company.trading_names) if (key := name_key(name)))


def _likeness_of(kind: str) -> Likeness:
    return {"lei": Likeness.LEI, "duns": Likeness.DUNS}.get(kind, Likeness.NUMBER)
