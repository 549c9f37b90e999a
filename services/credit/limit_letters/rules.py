"""Letters to customers about their limit or their terms: when one is due, what it says, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from services.credit.agreements.rules import Seller
from services.credit.announcements.rules import Limits
from services.credit.customers.rules import Contact, Customer
from services.credit.limit_letter_words.rules import WORDS
from services.credit.limits.rules import Account
from services.credit.onboarding_mails.rules import Status
from services.credit.term_letters import rules as term_letters
from services.credit.terms.rules import Terms
from services.credit.tongues.rules import Tongue, tongue
from shared.errors import Conflict, NotFound
from shared.mail_address import subject_line
from shared.money import Money

Kind = Literal["limit", "terms"]
Reason = Literal["policy", "manual", "recommended", "addition_begins", "addition_ends"]
NO_ADDRESS = "the customer names nobody with a mail address"


class Sellers(Protocol):
    """Who knows in whose name letters go out."""

    async def find_seller(self, entity_id: str) -> Seller:
        """Raises SellerUnknown, Refused."""
        ...


class LetterNotFound(NotFound):
    slug = "limit-letter-not-found"
    title = "There is no such letter"

    def __init__(self, letter_id: UUID) -> None:
        super().__init__(f"No such letter has the id {letter_id}.")


class LetterUnderWay(Conflict):
    slug = "limit-letter-under-way"
    title = "The letter is still under way, or has arrived"


@dataclass(frozen=True, slots=True)
class LimitChange:
    """`version` is the account's."""

    version: int
    before: Money | None
    after: Money


@dataclass(frozen=True, slots=True)
class TermsChange:
    """`version` is the customer's."""

    version: int
    before: Terms
    after: Terms


@dataclass(frozen=True, slots=True)
class Letter:
    """There is one for the change that it is about, besides those that a person repeats (`repeat_of`). What it says is
    written when it is sent; `detail` says why it did not arrive."""

    id: UUID
    customer_id: UUID
    about: LimitChange | TermsChange
    reason: Reason
    effective_on: date
    company: str
    language: str
    country: str
    recipient: str | None
    recipient_name: str
    planned_at: datetime
    repeat_of: UUID | None = None
    status: Status = "planned"
    attempts: int = 0
    ended_at: datetime | None = None
    detail: str | None = None
    subject: str | None = None
    plain: str | None = None

    @property
    def kind(self) -> Kind:
        return "limit" if isinstance(self.about, LimitChange) else "terms"


@dataclass(frozen=True, slots=True)
class Text:
    """`view` is what the HTML is made of."""

    subject: str
    plain: str
    view: dict[str, Any]


def letter(
    id: UUID, before: Limits, account: Account, customer: Customer, effective_on: date, now: datetime
) -> Letter | None:
    """None where the limit is what the customer knows, and for one that is closed. Whom nobody can write to gets a
    letter that was refused, so that somebody sees it."""
    if before.limit == account.limit or customer.status != "active":
        return None
    change = LimitChange(account.version, before.limit, account.limit)
    return _letter(id, change, reason_of(before, account), customer, effective_on, now)


def terms_letter(id: UUID, before: Terms, customer: Customer, effective_on: date, now: datetime) -> Letter | None:
    """The same of terms."""
    about = customer.particulars
    if before == about.terms or customer.status != "active":
        return None
    change = TermsChange(customer.version, before, about.terms)
    reason = "recommended" if about.terms_source == "recommended" else "manual"
    return _letter(id, change, reason, customer, effective_on, now)


def _letter(
    id: UUID,
    change: LimitChange | TermsChange,
    reason: Reason,
    customer: Customer,
    effective_on: date,
    now: datetime,
) -> Letter:
    contact, about = writer_to(customer), customer.particulars
    return Letter(
        id=id,
        customer_id=customer.id,
        about=change,
        reason=reason,
        effective_on=effective_on,
        company=about.name,
        language=about.language,
        country=about.country,
        recipient=contact.email if contact else None,
        recipient_name=contact.name if contact else about.name,
        planned_at=now,
        status="planned" if contact else "refused",
        ended_at=None if contact else now,
        detail=None if contact else NO_ADDRESS,
    )


def writer_to(customer: Customer) -> Contact | None:
    """Who approves purchases, else who gets the invoices, else anybody with a mail address."""
    known = [each for each in customer.particulars.contacts if each.email]
    return min(known, key=lambda each: _ORDER.index(each.role), default=None)


_ORDER = ("approver", "billing", "escalation")


def reason_of(before: Limits, account: Account) -> Reason:
    """In kind only: what a person or a policy notes for itself is not for the customer."""
    if before.base == account.base_limit:
        higher = before.limit.currency == account.limit.currency and account.limit.minor > before.limit.minor
        return "addition_begins" if higher else "addition_ends"
    return account.source


def text(letter: Letter, seller: Seller) -> Text:
    """What it says, in the customer's language where there are words in it."""
    t, about = tongue(letter.language, letter.country), letter.about
    if isinstance(about, LimitChange):
        name, says, told = t.say(WORDS, "subject", seller=seller.name), _says(about, letter.company, t), _rows(about, t)
    else:
        name = t.say(term_letters.WORDS, "subject", seller=seller.name)
        says = term_letters.says(about.before, about.after, letter.company, t)
        told = term_letters.rows(about.before, about.after, seller.account, t)
    rows = [
        *told,
        (t.say(WORDS, "from"), t.day(letter.effective_on)),
        (t.say(WORDS, "reason"), t.say(WORDS, letter.reason)),
        *([(t.say(WORDS, "contact"), ", ".join(seller.contact))] if seller.contact else []),
    ]
    hello, regards = t.say(WORDS, "hello", name=letter.recipient_name), t.say(WORDS, "regards")
    subject = subject_line(name)
    listed = "\n".join(f"{name}: {value}" for name, value in rows)
    plain = "\n\n".join((hello, says, listed, f"{regards}\n{seller.name}"))
    view = {
        "language": t.language,
        "subject": subject,
        "hello": hello,
        "text": says,
        "rows": rows,
        "regards": regards,
        "signed": seller.name,
    }
    return Text(subject, plain + "\n", view)


def _says(change: LimitChange, company: str, t: Tongue) -> str:
    if change.after.minor == 0:
        kind = "ended"
    elif change.before and change.before.currency == change.after.currency:
        kind = "raised" if change.after.minor > change.before.minor else "lowered"
    else:
        kind = "raised" if change.before is None else "lowered"
    return t.say(WORDS, kind, company=company)


def _rows(change: LimitChange, t: Tongue) -> list[tuple[str, str]]:
    old = [(t.say(WORDS, "old_limit"), t.money(change.before))] if change.before else []
    return [(t.say(WORDS, "new_limit"), t.money(change.after)), *old]


def expect_failed(letter: Letter) -> None:
    """Only one that was refused, or whose fate nobody knows, is written once more. Raises LetterUnderWay."""
    if letter.status not in ("refused", "unknown"):
        raise LetterUnderWay(f"The letter is {letter.status}.")
