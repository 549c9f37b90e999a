"""Write to customers whose limit or terms changed: planned with the change, sent outside any transaction, recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.credit.agreements.rules import Seller
from services.credit.announcements import handlers as announcements
from services.credit.customers import handlers as customers
from services.credit.limit_letters import rules, store
from services.credit.limit_letters.rules import Kind, Letter, LetterNotFound, LetterUnderWay, Text
from services.credit.limits import handlers as limits
from services.credit.onboarding_mails import handlers as mails
from services.credit.onboarding_mails import rules as mailing
from services.credit.onboarding_mails.rules import Status
from services.credit.term_changes import handlers as term_changes
from shared.calendar import local_date
from shared.clock import real_now
from shared.db import Tx
from shared.ids import new_id
from shared.mail import Parcel, Postman, Receipt, Unwritable, as_message
from shared.mail_address import is_address

ANNOUNCEMENTS_DUE = f"least({announcements.ANNOUNCEMENTS_DUE}, {term_changes.CHANGES_DUE})"
LETTERS_DUE = store.LETTERS_DUE
PLANNED_A_RUN = 50
LETTERS_A_RUN = 10
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)

Sent = tuple[Letter, Text | None, Receipt]


async def plan_letters(tx: Tx, customers_max: int = PLANNED_A_RUN) -> int:
    """Write down what a bounded number of customers are to be told. Returns how many changes were looked at."""
    of_limits, of_terms = await announcements.due(tx, customers_max), await term_changes.due(tx, customers_max)
    today = local_date(tx.now, "UTC")
    standings = await limits.lock_standings(tx, sorted({*of_limits, *of_terms}), today)
    changes = await announcements.take(tx, of_limits)
    for change in changes:
        if found := standings.get(change.customer_id):
            customer = await customers.get_customer(tx, change.customer_id)
            effective_on = local_date(change.noted_at, "UTC")
            letter = rules.letter(new_id(), change.before, found[0], customer, effective_on, tx.now)
            if letter:
                await store.add(tx, letter)
    noted = await term_changes.take(tx, of_terms)
    for each in noted:
        customer = await customers.get_customer(tx, each.customer_id)
        effective_on = local_date(each.noted_at, "UTC")
        if letter := rules.terms_letter(new_id(), each.before, customer, effective_on, tx.now):
            await store.add(tx, letter)
    return len(changes) + len(noted)


async def give_up(tx: Tx) -> int:
    """Call those unknown that a crash left on their way. Returns how many."""
    return await store.give_up(tx)


async def take_letters(tx: Tx, lease_seconds: float) -> list[Letter]:
    """The next ones, marked as on their way."""
    return await store.take(tx, lease_seconds, LETTERS_A_RUN)


async def send(
    postman: Postman | None,
    sellers: Mapping[UUID, Seller | None],
    letters: Sequence[Letter],
    at: datetime,
    seconds: float,
) -> list[Sent]:
    """Write the letters and hand them over, each in the name of its customer's seller; without one, whom nobody could
    name just now, a letter waits. `at` dates them. Raises nothing."""
    if postman is None:
        return [(letter, None, Receipt("refused", "no mail server is set up")) for letter in letters]
    named = {letter.id: seller for letter in letters if (seller := sellers.get(letter.customer_id))}
    waiting = [each for each in letters if each.id not in named]
    deferred = Receipt("deferred", "nobody says who the seller is")
    sender = postman.server.sender
    texts = {letter.id: rules.text(letter, named[letter.id]) for letter in letters if letter.id in named}

    async def write(letter: Letter) -> Parcel:
        recipient, text, seller = letter.recipient, texts[letter.id], named[letter.id]
        if recipient is None or not is_address(recipient):
            raise Unwritable(f"the address {recipient!r} cannot be written to", address_refused=True)
        message = as_message(
            id=letter.id,
            sender=sender,
            sender_name=seller.name,
            recipient=recipient,
            recipient_name=letter.recipient_name,
            subject=text.subject,
            text=text.plain,
            html=_TEMPLATES.get_template("letter.html").render(text.view),
            at=at,
            headers=mails.answers_to(seller.email),
        )
        return Parcel(recipient, message)

    receipts = await postman.deliver([each for each in letters if each.id in named], write, seconds)
    return [
        *((letter, texts[letter.id], receipt) for letter, receipt in receipts),
        *((letter, None, deferred) for letter in waiting),
    ]


async def record(tx: Tx, sent: Sequence[Sent]) -> None:
    """Write down what became of them."""
    for letter, text, receipt in sent:
        outcome = mailing.after(letter, receipt.fate, receipt.reason, real_now())
        await store.record(tx, letter.id, text, outcome)


async def repeat_letter(tx: Tx, kind: Kind, letter_id: UUID) -> Letter:
    """Write one once more, because a person says so; to whom the customer now names. Raises LetterNotFound,
    LetterUnderWay."""
    letter = await store.lock(tx, letter_id)
    if letter is None or letter.kind != kind:
        raise LetterNotFound(letter_id)
    rules.expect_failed(letter)
    if await store.is_repeated(tx, letter_id):
        raise LetterUnderWay("It was repeated before; look at the newer one.")
    contact = rules.writer_to(await customers.get_customer(tx, letter.customer_id))
    again = replace(
        letter,
        id=new_id(),
        recipient=contact.email if contact else None,
        recipient_name=contact.name if contact else letter.company,
        planned_at=tx.now,
        repeat_of=letter.id,
        status="planned" if contact else "refused",
        attempts=0,
        ended_at=None if contact else tx.now,
        detail=None if contact else rules.NO_ADDRESS,
    )
    await store.add(tx, again)
    return again


async def list_letters(
    tx: Tx, kind: Kind, customer_id: UUID | None, status: Status | None, before: UUID | None, count_max: int
) -> Sequence[Letter]:
    """Newest first."""
    return await store.letters(tx, kind, customer_id, status, before, count_max)
