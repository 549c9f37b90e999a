"""What mails and letters are written from: documents, and notices with what they tell of; what the wording sees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from unicodedata import normalize

from services.invoice.autopay.rules import Collection, Method
from services.invoice.customers.rules import Account
from services.invoice.disputes.rules import Dispute
from services.invoice.documents.rules import accounts_of, buyer_of, seller_of
from services.invoice.invoices.rules import Invoice
from services.invoice.payments.rules import Payment
from services.invoice.plans.rules import Filled, Plan
from services.invoice.print_words.rules import Language, Tongue
from services.invoice.printing.rules import envelope, letterhead
from shared.mail_address import one_line

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Figure:
    """What the mail is about, at a glance: a name, a sum and what is to know about it."""

    label: str
    amount: str
    remark: str


@dataclass(frozen=True, slots=True)
class View:
    """What the templates see; `closed` in a notice that nothing further is tried or wanted. Of an instalment `day` is
    its own, `due` the last on which it keeps the plan, and `rest` what is open on the plan, this instalment included.
    """

    language: Language
    seller: str
    person: str
    number: str
    day: str
    due: str
    first: str
    last: str
    figures: tuple[Figure, ...]
    rows: tuple[tuple[str, str], ...]
    owes: bool
    pay_link: str
    files: tuple[str, ...]
    closed: bool = False
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a notice tells of, with whatever it belongs to."""

    account: Account
    about: (
        tuple[Dispute, Invoice] | tuple[Plan, tuple[Filled, ...]] | tuple[Collection, Method, str] | tuple[Payment, str]
    )


def letter_view(view: View, words: Mapping[str, str], account: Account, dated: date, t: Tongue) -> dict[str, Any]:
    """All that `notice.typ` shows: the notice's words under the seller's head."""
    customer, entity = account.customer, account.entity
    seller, buyer = seller_of(entity), buyer_of(customer)
    facts = ((t.say("date"), t.day(dated)), (t.say("customer_number"), customer.external_id))
    return {
        "title": words["heading"],
        "number": "",
        "language": t.language,
        "seller": letterhead(seller, accounts_of(entity.seller, customer.currency), t),
        "buyer": envelope(buyer, seller, t),
        "facts": [list(fact) for fact in facts],
        "greeting": words["greeting"],
        "opening": words["opening"],
        "figures": [[figure.label, figure.amount, figure.remark] for figure in view.figures],
        "rows": [list(row) for row in view.rows],
        "closing": words["closing"],
        "regards": words["regards"],
        "pay": {"label": t.say("pay_online"), "link": view.pay_link if view.owes else ""},
        "words": {"page": t.say("page", page="{page}", pages="{pages}")},
    }


def greeting_name(contacts: list[dict[str, str | None]]) -> str:
    billing = next((each for each in contacts if each.get("role") == "billing"), None)
    return one_line((billing or {}).get("name") or "")


def file_name(text: str) -> str:
    """A name that every mail program and file system takes."""
    plain = normalize("NFKD", text.translate(_GERMAN)).encode("ascii", "ignore").decode()
    return _NOT_IN_A_FILE_NAME.sub("-", plain).strip("-.") or "document"
