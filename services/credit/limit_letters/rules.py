"""Letters to customers about their limit: when one is due, what it says, and what became of it."""

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
from services.credit.tongues.rules import tongue
from shared.errors import Conflict, NotFound
from shared.mail_address import subject_line
from shared.money import Money

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
        super().__init__(f"No letter about a limit has the id {letter_id}.")


class LetterUnderWay(Conflict):
    slug = "limit-letter-under-way"
    title = "The letter is still under way, or has arrived"


@dataclass(frozen=True, slots=True)
class Letter:
    """`account_version` is the change that it tells of: there is one letter for it, besides those that a person
    repeats (`repeat_of`). What it says is written when it is sent; `detail` says why it did not arrive."""

    id: UUID
    customer_id: UUID
    account_version: int
    before: Money | None
    limit: Money
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
    contact = writer_to(customer)
    about = customer.particulars
    return Letter(
        id=id,
        customer_id=customer.id,
        account_version=account.version,
        before=before.limit,
        limit=account.limit,
        reason=reason_of(before, account),
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
    t = tongue(letter.language, letter.country)
    if letter.limit.minor == 0:
        kind = "ended"
    elif letter.before and letter.before.currency == letter.limit.currency:
        kind = "raised" if letter.limit.minor > letter.before.minor else "lowered"
    else:
        kind = "raised" if letter.before is None else "lowered"
    rows = [
        (t.say(WORDS, "new_limit"), t.money(letter.limit)),
        *([(t.say(WORDS, "old_limit"), t.money(letter.before))] if letter.before else []),
        (t.say(WORDS, "from"), t.day(letter.effective_on)),
        (t.say(WORDS, "reason"), t.say(WORDS, letter.reason)),
        *([(t.say(WORDS, "contact"), ", ".join(seller.contact))] if seller.contact else []),
    ]
    hello, regards = t.say(WORDS, "hello", name=letter.recipient_name), t.say(WORDS, "regards")
    says = t.say(WORDS, kind, company=letter.company)
    subject = subject_line(t.say(WORDS, "subject", seller=seller.name))
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


def expect_failed(letter: Letter) -> None:
    """Only one that was refused, or whose fate nobody knows, is written once more. Raises LetterUnderWay."""
    if letter.status not in ("refused", "unknown"):
        raise LetterUnderWay(f"The letter is {letter.status}.")
