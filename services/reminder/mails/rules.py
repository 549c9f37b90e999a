"""What a mail says: the facts of a letter laid out as words, dates and amounts the customer reads easily."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.reminder.links.rules import contact_token, reply_address
from services.reminder.mail_words.rules import Tongue, tongue
from services.reminder.receivables.rules import BalanceItem, BankAccount, totals
from services.reminder.wordings.rules import Language, Wording
from shared.events.credit import PostalAddress
from shared.events.reminder import Tone
from shared.mail_address import one_line
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Sender:
    """The person who signs: a collector, as the customer may call or answer them. `reply_to` is where answers go when
    the installation has no address of its own for replies."""

    name: str
    role: str | None = None
    phone: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class House:
    """How a selling entity appears, as far as it has said: its name and address in From, where answers go, and what
    stands below whoever signs."""

    name: str | None = None
    address: str | None = None
    reply_to: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything one message is made of. `due_on` is the due date that a message before due is about.

    `wording` are the words chosen for it; None stands for the shipped ones. `promised` and `instalment` are what
    templates of these occasions speak of, with their days. `offer_link` is the page of an offer that the message
    makes, beside the link to pay. `case_id` and `episode` keep a thread together. `parts` are the letters about
    subsidiaries that their parent company gets as this one.
    """

    contact_id: UUID
    customer_id: UUID
    recipient: str
    person: str | None
    customer: str | None
    language: str
    country: str | None
    template: str
    tone: Tone
    seller: str
    items: tuple[BalanceItem, ...]
    due_on: date | None
    pay_link: str
    written_on: date
    channel: str = "email"
    entity_id: str = "default"
    case_id: UUID | None = None
    episode: str = ""
    wording: Wording | None = None
    sender: Sender | None = None
    house: House | None = None
    banks: tuple[BankAccount, ...] = ()
    promised: Money | None = None
    promised_on: date | None = None
    instalment: Money | None = None
    instalment_due_on: date | None = None
    step: str = ""
    attachments: tuple[str, ...] = ()
    address: PostalAddress | None = None
    seller_address: tuple[str, ...] = ()
    seller_country: str | None = None
    formal_notice: bool = False
    plan_instalments_max: int | None = None
    after_broken_promise: bool = False
    offer_link: str | None = None
    parts: tuple[Letter, ...] = ()

    @property
    def contact_ids(self) -> tuple[UUID, ...]:
        """All contacts that the message is."""
        return tuple(part.contact_id for part in self.parts) or (self.contact_id,)


@dataclass(frozen=True, slots=True)
class Stationery:
    """What all messages of an installation bear: links signed with `key` to the service's pages at `public_url`, and
    replies to `replies_to` with the case's token. Without a key there are no such links."""

    key: bytes | None = None
    public_url: str = ""
    replies_to: str | None = None

    def wrong_person_link(self, contact_id: UUID) -> str | None:
        return f"{self.public_url}/contact/{contact_token(self.key, contact_id)}" if self.key else None

    def reply_to(self, letter: Letter) -> str | None:
        """The case's own address where there is one, so that an answer lands on the case; else the entity's, or that
        of whoever signs."""
        if self.key and self.replies_to and letter.case_id:
            return reply_address(self.key, self.replies_to, letter.case_id)
        if letter.house and letter.house.reply_to:
            return letter.house.reply_to
        return letter.sender.reply_to if letter.sender else None


PLAIN = Stationery()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the statement, as text. `discount` is what may be deducted and until when, empty without one."""

    number: str
    issued: str
    due: str
    overdue: str
    amount: str
    discount: str


@dataclass(frozen=True, slots=True)
class Section:
    """The invoices of one currency and their sum; of one of several companies, with its name and its own link."""

    rows: tuple[Row, ...]
    total: str
    company: str = ""
    pay_link: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What the layout sees: text only, and the words of the reader's language by key."""

    language: Language
    words: Mapping[str, str]
    tone: Tone
    seller: str
    greeting: str
    label: str
    above_total: str
    below_total: str
    button: str
    totals: tuple[str, ...]
    sections: tuple[Section, ...]
    overdue: bool
    discount: str
    banks: tuple[tuple[tuple[str, str], ...], ...]
    signature: tuple[str, ...]
    footer: str
    pay_link: str
    offer_link: str | None
    wrong_person_link: str | None


def facts_of(letter: Letter) -> dict[str, Any]:
    """What a wording may name, all of it text but the lists and the numbers; what there is none of is None."""
    t = tongue(letter.language, letter.country)
    sums = [t.amount(money) for money in totals(item.collectable for item in letter.items)]
    discount, discount_until = _discount(letter.items, t)
    return {
        "seller": one_line(letter.seller),
        "customer": one_line(letter.customer) if letter.customer else None,
        "person": one_line(letter.person) if letter.person else None,
        "greeting": _greeting(letter.person, t),
        "rows": tuple(_row(item, t) for item in letter.items),
        "count": len(letter.items),
        "one": len(letter.items) == 1,
        "totals": tuple(sums),
        "total": t.listed(sums),
        "first_number": one_line(letter.items[0].number) if letter.items else "",
        "pay_link": letter.pay_link,
        "written_on": t.day(letter.written_on),
        **{f"in_{days}_days": t.day(letter.written_on + timedelta(days)) for days in (7, 10, 14)},
        "oldest_days": _oldest_days(letter),
        "due_on": t.day(letter.due_on) if letter.due_on else None,
        "discount": discount,
        "discount_until": discount_until,
        "promised": t.amount(letter.promised) if letter.promised else None,
        "promised_on": t.day(letter.promised_on) if letter.promised_on else None,
        "instalment": t.amount(letter.instalment) if letter.instalment else None,
        "instalment_due_on": t.day(letter.instalment_due_on) if letter.instalment_due_on else None,
    }


def view_of(letter: Letter, stationery: Stationery = PLAIN) -> View:
    """Amounts are written as in the customer's country, dates in the language of the words around them."""
    t = tongue(letter.language, letter.country)
    sums = totals(item.collectable for item in letter.items)
    shown = tuple(t.amount(money) for money in sums)
    discount, discount_until = _discount(letter.items, t)
    overdue = letter.due_on is None
    return View(
        language=t.language,
        words={key: t.say(key) for key in _IN_LAYOUT},
        tone=letter.tone,
        seller=one_line(letter.seller),
        greeting=_greeting(letter.person, t),
        label=t.say("formal_notice" if letter.formal_notice else letter.tone if overdue else "soon"),
        above_total=t.say("total_overdue") if overdue else t.say("total_due", day=t.day(letter.due_on or date.min)),
        below_total=_below_total(letter, t),
        button=t.say("pay_amount", amount=shown[0]) if len(shown) == 1 else t.say("pay_now"),
        totals=shown,
        sections=_sections_of_companies(letter.parts, t) if letter.parts else _sections(letter.items, t),
        overdue=overdue,
        discount=t.say("discount_line", amount=discount, day=discount_until) if discount else "",
        banks=tuple(_bank(bank, letter, t) for bank in letter.banks if _is_needed(bank, letter, sums)),
        signature=_signature(letter, t),
        footer=_footer(letter, t),
        pay_link="" if letter.parts else letter.pay_link,
        offer_link=letter.offer_link,
        wrong_person_link=stationery.wrong_person_link(letter.contact_id),
    )


def _sections(items: Sequence[BalanceItem], t: Tongue) -> tuple[Section, ...]:
    return tuple(
        Section(
            tuple(_row(item, t) for item in items if item.collectable.currency == money.currency),
            t.amount(money),
        )
        for money in totals(item.collectable for item in items)
    )


def _sections_of_companies(parts: Iterable[Letter], t: Tongue) -> tuple[Section, ...]:
    """Each company pays by a link of its own."""
    return tuple(
        replace(section, company=one_line(part.customer or ""), pay_link=part.pay_link)
        for part in parts
        for section in _sections(part.items, t)
    )


_IN_LAYOUT = (
    "invoice",
    "issued",
    "due",
    "days_overdue",
    "amount",
    "total",
    "pay_online",
    "bank_transfer",
    "regards",
    "crossed",
    "button_fails",
    "wrong_person",
    "tell_us",
    "see_offer",
)


def thread_headers(letter: Letter, domain: str) -> dict[str, str]:
    """All messages of an episode answer one that was never sent, by which mail programs show them together: RFC 5322,
    3.6.4, lets In-Reply-To name what the reader does not have."""
    if letter.case_id is None:
        return {}
    root = f"<case-{letter.case_id}-{letter.episode or 'none'}@{domain}>"
    return {"In-Reply-To": root, "References": root}


def _greeting(person: str | None, t: Tongue) -> str:
    name = one_line(person) if person else ""
    return t.say("dear", name=name) if name else t.say("hello")


def _row(item: BalanceItem, t: Tongue) -> Row:
    offered = item.discount
    return Row(
        number=one_line(item.number),
        issued=t.short_day(item.issued_on),
        due=t.short_day(item.due_on),
        overdue=str(item.days_overdue) if item.days_overdue > 0 else "–",
        amount=t.amount(item.collectable),
        discount=t.say("discount", amount=t.amount(offered.amount), day=t.short_day(offered.until)) if offered else "",
    )


def _discount(items: Iterable[BalanceItem], t: Tongue) -> tuple[str | None, str | None]:
    """What may be deducted in all, and the last day on which all of it still may be."""
    offers = [item.discount for item in items if item.discount]
    if not offers:
        return None, None
    amounts = [t.amount(money) for money in totals(offer.amount for offer in offers)]
    return t.listed(amounts), t.day(min(offer.until for offer in offers))


def _oldest_days(letter: Letter) -> int:
    return max((item.days_overdue for item in letter.items), default=0)


def _below_total(letter: Letter, t: Tongue) -> str:
    count, days = len(letter.items), _oldest_days(letter)
    if letter.due_on is not None or days < 1:
        return t.counted(count)
    key = ("since" if count == 1 else "oldest") + ("_day" if days == 1 else "")
    return f"{t.counted(count)}, {t.say(key, days=days)}"


def _is_needed(bank: BankAccount, letter: Letter, sums: Sequence[Money]) -> bool:
    """An account of a currency that is owed; one for any other currency where no account has that currency."""
    owed, own = {money.currency for money in sums}, {each.currency for each in letter.banks}
    return bank.currency in owed or (bank.currency is None and not owed <= own)


def _bank(bank: BankAccount, letter: Letter, t: Tongue) -> tuple[tuple[str, str], ...]:
    """Label and value of each line. One invoice has its own reference, several are named by their numbers."""
    items = [item for item in letter.items if bank.currency in (None, item.collectable.currency)]
    reference = items[0].reference if len(items) == 1 and items[0].reference else None
    lines = (
        (t.say("beneficiary"), one_line(bank.holder or letter.seller)),
        ("IBAN", in_fours(bank.iban)),
        ("BIC", bank.bic),
        (t.say("bank"), one_line(bank.bank) if bank.bank else None),
        (t.say("reference"), in_fours(reference) if reference else _numbers(items, t)),
    )
    return tuple((label, value) for label, value in lines if value)


def _numbers(items: Sequence[BalanceItem], t: Tongue) -> str:
    """As many numbers as a remittance text holds (140 characters in SEPA), and no half ones."""
    text = ""
    for item in items:
        longer = f"{text}, {one_line(item.number)}" if text else one_line(item.number)
        if len(longer) > 136:
            return f"{text} …"
        text = longer
    return text


def in_fours(text: str) -> str:
    """An IBAN or RF reference in blocks of four, for people to copy."""
    bare = text.replace(" ", "")
    return " ".join(bare[at : at + 4] for at in range(0, len(bare), 4))


def _signature(letter: Letter, t: Tongue) -> tuple[str, ...]:
    """The person and what they do there, or the seller's department; then the lines of the house."""
    seller, sender = one_line(letter.seller), letter.sender
    lines = tuple(map(one_line, letter.house.lines)) if letter.house else ()
    if sender is None:
        return seller, *(lines or (t.say("receivables"),))
    role = one_line(sender.role) if sender.role else t.say("receivables")
    phone = (t.say("phone", number=one_line(sender.phone)),) if sender.phone else ()
    return one_line(sender.name), f"{role}, {seller}", *phone, *lines


def from_name(letter: Letter) -> str:
    """`Maria Keller (Northwind Trading)`, or the house alone."""
    house = (letter.house.name if letter.house else None) or letter.seller
    return f"{letter.sender.name} ({house})" if letter.sender else house


def _footer(letter: Letter, t: Tongue) -> str:
    day = t.day(letter.written_on)
    if letter.customer:
        return t.say("statement_for", day=day, customer=one_line(letter.customer))
    return t.say("statement", day=day)
